//! The shapes of the API's document, field by field.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_shared::model::capture::baseline::BaselineKind;

use super::*;
use crate::packet::export::samples;

#[test]
fn a_window_has_the_fields_of_the_document() {
    let shown = window(&samples::window(), 4);
    let expected = json!({
        "window_id": 4, "window_index": -3, "record_count": 362,
        "window_start": 1_700_000_000.123_456, "window_end": 1_700_000_010.123_456,
        "start_ns": samples::START_NS, "end_ns": samples::START_NS + 10_000_000_000,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    let bandwidth = &shown["bandwidth"];
    assert_eq!((&bandwidth["avg_bps"], &bandwidth["avg_pps"]), (&json!(9568.0), &json!(36.2)));
    assert_eq!(bandwidth["duration_s"], json!(9.9));
    assert_eq!(bandwidth["top_src_bytes"][0], json!({"addr": "203.0.113.66", "bytes": 9000, "packets": 90}));
    let latency = &shown["latency"];
    assert_eq!((&latency["mean_rtt"], &latency["max_rtt"]), (&json!(45.2), &json!(120.5)));
    assert_eq!((&latency["p95_rtt"], &latency["handshake_client"]["p95_rtt"]), (&json!(90.1), &Value::Null));
    assert_eq!(shown["connections"]["protocols"], json!({"tcp": 40, "udp": 2}));
    assert_eq!(shown["connections"]["states"], json!({"S1": 10, "SF": 30}));
    assert_eq!(shown["protocol"]["transport"], json!({"other": 2, "tcp": 340, "udp": 20}));
    assert_eq!(shown["protocol"]["distribution"]["udp"], json!(5.5249));
    assert_eq!(shown["loss"]["flows"][0]["loss_percent"], json!(83.3333));
    assert_eq!(shown["long_lived"][0]["open_s"], json!(601.5));
    assert_eq!((&shown["exact"], shown["approximate"].is_string()), (&json!(false), true));
}

#[test]
fn a_window_without_measurements_has_nulls() {
    let shown = window(&Window::default(), 0);
    for name in ["mean_rtt", "max_rtt", "p95_rtt"] {
        assert_eq!(shown["latency"][name], Value::Null, "{name}");
    }
    assert_eq!((&shown["bandwidth"]["avg_bps"], &shown["loss"]["loss_percent"]), (&json!(0.0), &Value::Null));
    assert_eq!((&shown["exact"], shown.get("approximate")), (&json!(true), None));
}

#[test]
fn an_anomaly_is_that_of_the_document() {
    let shown = anomaly(&samples::anomaly());
    let expected = json!({
        "type": "packet_loss", "severity": "high",
        "window_start": 1_700_000_000.123_456, "window_end": 1_700_000_010.123_456,
        "message": "High packet loss detected: 83.33% (5 retrans / 6 sent)", "metric": "packet_loss_percent",
        "current_value": 83.333_333, "flow_src": "10.0.15.35:51148", "flow_dst": "192.178.223.188:5228", "threshold": 70.0,
        "baseline": {"source": "capture", "median": 0.5, "mad": 0.1, "windows": 30},
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
}

#[test]
fn a_baseline_has_its_six_figures_or_nulls() {
    let main = Figures { windows: 3, mean: 9500.0, median: 9200.0, ..Figures::default() };
    let further = BTreeMap::from([("pps".to_owned(), main)]);
    let shown = baseline(&Baseline { kind: BaselineKind::Bandwidth, main, further });
    assert_eq!((&shown["mean"], &shown["median"], &shown["p99"]), (&json!(9500.0), &json!(9200.0), &json!(0.0)));
    assert_eq!(shown["further"]["pps"]["mean"], json!(9500.0));
    let empty = Baseline { kind: BaselineKind::Latency, main: Figures::default(), further: BTreeMap::new() };
    assert_eq!(baseline(&empty)["p95"], Value::Null);
}

#[test]
fn a_connection_tells_both_directions() {
    let shown = connection(&samples::connections()[0]);
    assert_eq!((&shown["src"], &shown["dst_port"]), (&json!("203.0.113.66"), &json!(443)));
    assert_eq!((&shown["duration_s"], &shown["initial_rtt"]), (&json!(1.5), &json!(0.031)));
    assert_eq!((&shown["received"]["missed_bytes"], &shown["sent"]["loss_percent"]), (&json!(100), &json!(33.3333)));
}
