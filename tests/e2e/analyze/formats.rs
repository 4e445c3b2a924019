//! Every export read back: what it holds is what the JSON object says.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::{CONNECTIONS, Sample, lines};

fn objects(sample: &Sample, member: &str) -> Vec<Value> {
    sample.good(&["--format", "json"]).json()[member].as_array().unwrap().clone()
}

#[test]
fn lines_of_json_are_the_windows_and_anomalies_of_the_object() {
    let sample = Sample::new();
    let shown = lines(sample.good(&["--format", "jsonl"]).text());
    let expected = [objects(&sample, "windows"), objects(&sample, "anomalies")].concat();
    assert!(expected.len() > 5);
    assert_eq!(shown, expected);
    let connections = lines(sample.good(&["--format", "jsonl", "--what", "connections"]).text());
    assert_eq!(connections.len(), CONNECTIONS);
    assert!(connections.iter().filter(|of| of["protocol"] == "tcp").all(|of| of["state"] == "SF"), "{connections:?}");
}

/// Rows by column; no cell of this capture holds a comma or a quote.
fn csv(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut rows = text.split_terminator("\r\n").map(|row| row.split(',').collect::<Vec<_>>());
    let names = rows.next().unwrap();
    rows.map(|row| {
        assert_eq!(row.len(), names.len());
        names.iter().copied().zip(row).collect()
    })
    .collect()
}

#[test]
fn csv_has_a_row_for_each() {
    let sample = Sample::new();
    let windows = sample.good(&["--format", "csv"]);
    let rows = csv(windows.text());
    for (row, window) in rows.iter().zip(&objects(&sample, "windows")) {
        assert_eq!(row["packets"], window["record_count"].to_string());
        let [told, expected] = [row["avg_bps"].parse().unwrap(), window["bandwidth"]["avg_bps"].as_f64().unwrap()];
        assert!((told - expected).abs() < 1e-6, "{told} {expected}");
    }
    assert_eq!(rows.len(), objects(&sample, "windows").len());
    let connections = sample.good(&["--format", "csv", "--what", "connections"]);
    assert_eq!(csv(connections.text()).iter().filter(|row| row["dst_port"] == "443").count(), CONNECTIONS - 1);
}

#[test]
fn parquet_comes_back_with_its_rows() {
    let sample = Sample::new();
    for (what, expected) in [
        ("windows", objects(&sample, "windows").len()),
        ("anomalies", objects(&sample, "anomalies").len()),
        ("connections", CONNECTIONS),
    ] {
        let path = sample.beside(what);
        let printed = sample.good(&["--format", "parquet", "--what", what, "--output", &path]);
        assert!(printed.stdout.is_empty());
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.get_row_iter(None).unwrap().count(), expected, "{what}");
    }
}

#[test]
fn zeek_and_suricata_tell_the_same_connections() {
    let sample = Sample::new();
    let zeek = sample.good(&["--format", "zeek"]);
    let text = zeek.text();
    let fields = text.lines().find_map(|line| line.strip_prefix("#fields\t")).unwrap();
    let names: Vec<&str> = fields.split('\t').collect();
    let rows: Vec<BTreeMap<&str, &str>> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| names.iter().copied().zip(line.split('\t')).collect())
        .collect();
    assert_eq!(rows.len(), CONNECTIONS);
    let flows = lines(sample.good(&["--format", "eve", "--what", "connections"]).text());
    assert_eq!(flows.len(), CONNECTIONS);
    for (row, flow) in rows.iter().zip(&flows) {
        assert_eq!(
            (row["id.orig_h"], row["id.resp_h"]),
            (flow["src_ip"].as_str().unwrap(), flow["dest_ip"].as_str().unwrap())
        );
        assert_eq!(row["orig_pkts"], flow["flow"]["pkts_toserver"].to_string());
        assert_eq!(row["resp_ip_bytes"], flow["flow"]["bytes_toclient"].to_string());
    }
    let all = lines(sample.good(&["--format", "eve"]).text());
    let kinds: std::collections::BTreeSet<&str> =
        all.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert!(kinds.contains("flow") && kinds.contains("stats"), "{kinds:?}");
}

#[test]
fn the_line_protocol_has_a_point_for_each_window_and_anomaly() {
    let sample = Sample::new();
    let shown = sample.good(&["--format", "influx"]);
    let points: Vec<Vec<&str>> = shown.text().lines().map(|line| line.splitn(2, ' ').collect()).collect();
    let of = |name: &str| points.iter().filter(|point| point[0].starts_with(&format!("{name},"))).count();
    assert_eq!(of("trafficlab_window"), objects(&sample, "windows").len());
    assert_eq!(of("trafficlab_anomaly"), objects(&sample, "anomalies").len());
    for point in &points {
        let (fields, time) = point[1].rsplit_once(' ').unwrap();
        assert!(fields.contains('=') && time.parse::<i64>().is_ok(), "{point:?}");
    }
}
