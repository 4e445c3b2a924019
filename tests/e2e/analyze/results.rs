//! What the results say, to people and to programs.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;

use super::{Sample, analyze, capture, command, ended};

#[test]
fn one_object_has_all_members() {
    let sample = Sample::new();
    let shown = sample.good(&["--format", "json"]).json();
    let packets = capture().packets.len();
    assert_eq!((&shown["schema_version"], &shown["file"]), (&json!(1), &json!(sample.path())));
    assert_eq!(shown["file_bytes"], json!(sample.bytes.len()));
    for name in [
        "packets",
        "wire_bytes",
        "captured_bytes",
        "truncated_packets",
        "first_ts_ns",
        "min_ts_ns",
        "max_ts_ns",
        "timestamps_backwards",
        "outer_l3",
        "outer_l4",
        "top_src",
        "top_dst",
        "conversations",
        "tcp",
        "scan",
        "windows",
    ] {
        assert!(shown["wire"].get(name).is_some(), "{name}");
    }
    assert_eq!((&shown["wire"]["packets"], &shown["summary"]["packets"]), (&json!(packets), &json!(packets)));
    assert_eq!(shown["wire"]["conversations"], json!({"tcp": 12, "udp": 1, "tcp_streams": 12, "udp_streams": 1}));
    assert_eq!(
        (&shown["wire"]["first_ts_ns"], &shown["wire"]["outer_l3"]["ipv6"]),
        (&json!(super::START_NS), &json!(2))
    );
    let windows = shown["windows"].as_array().unwrap();
    let sum: u64 = windows.iter().map(|window| window["record_count"].as_u64().unwrap()).sum();
    assert_eq!(sum, u64::try_from(packets).unwrap());
    assert_eq!(shown["summary"]["loss"]["retransmitted"], 20, "{}", shown["summary"]);
    // One window and, within it, one flow lost much; both are told.
    let anomalies = shown["anomalies"].as_array().unwrap();
    let lost = |words: &str| {
        let told = |of: &&serde_json::Value| of["message"].as_str().is_some_and(|message| message.contains(words));
        anomalies.iter().filter(|of| of["type"] == "packet_loss").find(told)
    };
    assert!(lost("25.00% (20 retrans / 80 sent)").is_some(), "{anomalies:?}");
    let flow = lost("50.00% (20 retrans / 40 sent)").unwrap();
    assert_eq!((&flow["flow_src"], &flow["flow_dst"]), (&json!("192.0.2.80:443"), &json!("10.0.0.8:40007")));
}

#[test]
fn the_same_capture_gives_the_same_bytes() {
    let sample = Sample::new();
    for format in ["table", "json", "jsonl", "csv", "parquet", "influx", "zeek", "eve"] {
        let [first, second] = [(); 2].map(|()| sample.good(&["--format", format]).stdout);
        assert!(!first.is_empty() && first == second, "{format}");
    }
}

#[test]
fn windows_have_the_length_that_was_asked_for() {
    let sample = Sample::new();
    for (window, length) in [("5", 5.0), ("500ms", 0.5), ("1m", 60.0)] {
        let shown = sample.good(&["--window", window, "--format", "json"]).json();
        let first = &shown["windows"][0];
        let (start, end) = (first["window_start"].as_f64().unwrap(), first["window_end"].as_f64().unwrap());
        assert!((end - start - length).abs() < 1e-6, "{window}: {first}");
        let told = shown["wire"]["window_ns"].as_f64().unwrap() / 1e9;
        assert!((told - length).abs() < 1e-9, "{window}: {told}");
    }
}

#[test]
fn the_table_is_for_people() {
    let sample = Sample::new();
    let shown = sample.good(&[]);
    let text = shown.text();
    for part in [
        "packets  ",
        "windows  5 of 10.0 s",
        "services",
        "https",
        "top senders",
        "192.0.2.80",
        "lossiest flows",
        "anomalies",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains('\x1b'), "a pipe gets no colours");
    assert!(text.lines().all(|line| line.chars().count() <= 100 || line.contains(sample.path())), "{text}");
    let quiet = sample.good(&["--quiet"]);
    assert_eq!((quiet.text(), quiet.stderr.as_str()), (text, ""));
}

#[test]
fn anonymised_results_hold_no_address() {
    let sample = Sample::new();
    std::fs::write(sample.beside("key"), "0123456789abcdef".repeat(4)).unwrap();
    let key = sample.beside("key");
    for format in ["table", "json", "jsonl", "csv", "influx", "zeek", "eve"] {
        let plain = sample.good(&["--format", format]);
        let shown = sample.good(&["--format", format, "--anonymise", &key]);
        for address in ["192.0.2.80", "10.0.0.8", "2001:db8:"] {
            assert!(!shown.text().contains(address), "{format}: {address}");
        }
        assert!(plain.text().contains("192.0.2.80"), "{format}");
    }
    let by_file = sample.good(&["--format", "json", "--anonymise", &key]);
    let mut call = command(&[sample.path(), "--format", "json", "--anonymise", "env:THE_KEY"]);
    let by_variable = ended(&call.env("THE_KEY", "0123456789abcdef".repeat(4)).output().unwrap()).good();
    assert_eq!(by_file.stdout, by_variable.stdout);
}

#[test]
fn a_saved_baseline_is_what_anomalies_are_judged_by() {
    let sample = Sample::new();
    let path = sample.beside("usual.json");
    sample.good(&["--save-baseline", &path, "--quiet"]);
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(saved["all"].as_array().unwrap().iter().any(|of| of["kind"] == "bandwidth"), "{saved}");
    // A hundred times less than what the capture carries is now usual.
    let mut lower = saved;
    for baseline in lower["all"].as_array_mut().unwrap().iter_mut().filter(|of| of["kind"] == "bandwidth") {
        scale(baseline, 0.01);
    }
    std::fs::write(&path, lower.to_string()).unwrap();
    let shown = sample.good(&["--baseline", &path, "--format", "json"]).json();
    let spike = shown["anomalies"].as_array().unwrap().iter().find(|of| of["type"] == "traffic_spike");
    assert_eq!(spike.unwrap()["baseline"]["source"], "stored", "{shown}");
}

/// Every figure but the number of windows.
fn scale(value: &mut serde_json::Value, by: f64) {
    match value {
        serde_json::Value::Object(members) => {
            members.iter_mut().filter(|(name, _)| *name != "windows").for_each(|(_, value)| scale(value, by));
        }
        serde_json::Value::Number(_) => *value = json!(value.as_f64().unwrap() * by),
        _ => {}
    }
}

#[test]
fn whoever_has_seen_enough_may_go() {
    let sample = Sample::new();
    // More than a pipe holds, so that the program is still writing when its reader goes.
    let mut call = command(&[sample.path(), "--format", "jsonl", "--window", "1ms"]);
    let mut child = call.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = ended(&child.wait_with_output().unwrap());
    assert!(line.starts_with('{'));
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
}

#[test]
fn a_result_goes_to_a_file() {
    let sample = Sample::new();
    let path = sample.beside("out.json");
    std::fs::write(&path, "older").unwrap();
    let printed = sample.good(&["--format", "json", "--output", &path]);
    assert!(printed.stdout.is_empty());
    assert_eq!(std::fs::read(&path).unwrap(), sample.good(&["--format", "json"]).stdout);
}

#[test]
fn progress_is_shown_where_it_is_asked_for() {
    // Enough packets for the analyzer to say how far it is.
    let mut many = capture();
    let again = many.packets.clone();
    while many.packets.len() < 140_000 {
        many.packets.extend_from_slice(&again);
    }
    let sample = Sample::of(many.pcap());
    let shown = analyze(&[sample.path(), "--progress"]).good();
    assert!(shown.stderr.contains(" packets/s") && shown.stderr.contains(" % "), "{}", shown.stderr);
}
