//! Planted anomalies are found in their windows, clean traffic is quiet, scans are told from their echoes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "test code"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use trafficlab_engine::packet::file::CaptureReader;
use trafficlab_engine::packet::{analyze, anomaly};
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures")
}

/// Anomalies of a capture by the default settings; nothing when there is no such file.
fn anomalies(path: &Path, window_seconds: u64) -> Option<Vec<Anomaly>> {
    let Ok(file) = File::open(path) else {
        println!("skipped: no `{}`", path.display());
        return None;
    };
    let settings = AnalysisSettings { window_ns: window_seconds * 1_000_000_000, ..AnalysisSettings::default() };
    let thresholds = settings.thresholds.clone();
    let report = analyze(CaptureReader::open(file).unwrap(), settings, &mut |_| ControlFlow::Continue(()));
    Some(anomaly::detect(&report.windows, &Baselines::default(), &thresholds))
}

/// Makes a capture by the script beside the captures; nothing without the script or Python.
fn made(folder: &Path, seed: u32, packets: u32, clean: bool) -> Option<PathBuf> {
    let script = captures().join("make_big.py");
    let path = folder.join(format!("{seed}.pcap"));
    let mut command = Command::new("python3");
    command.arg(&script).arg(&path).args(["--seconds", "600", "--seed", &seed.to_string()]);
    command.args(["--packets", &packets.to_string()]).args(clean.then_some("--clean"));
    match command.output() {
        Ok(output) if output.status.success() => Some(path),
        _ => {
            println!("skipped: `{}` does not run", script.display());
            None
        }
    }
}

fn kind(label: &Value) -> AnomalyKind {
    let name = label["type"].as_str().unwrap();
    AnomalyKind::ALL.into_iter().find(|kind| kind.as_str() == name).unwrap()
}

/// Windows of a kind of anomaly as pairs of seconds since the capture began.
fn times(found: &[Anomaly], kind: AnomalyKind, t0: f64) -> Vec<(f64, f64)> {
    let seconds = |ns: i64| ns as f64 / 1e9 - t0;
    found.iter().filter(|one| one.kind == kind).map(|one| (seconds(one.start_ns), seconds(one.end_ns))).collect()
}

/// Every label has an anomaly of its kind in a window that overlaps it; `every` asks for one in each window inside.
fn assert_planted(path: &Path, labels: &Path, window: u64, every: bool) {
    let Some(found) = anomalies(path, window) else { return };
    let labels: Value = serde_json::from_reader(File::open(labels).unwrap()).unwrap();
    let t0 = labels["t0"].as_f64().unwrap();
    for label in labels["planted"].as_array().unwrap() {
        let (start, end) = (label["start_s"].as_f64().unwrap(), label["end_s"].as_f64().unwrap());
        let times = times(&found, kind(label), t0);
        let inside = times.iter().filter(|(from, to)| *from < end && *to > start + 0.5).count();
        assert!(inside > 0, "{label} is not found: {times:?}");
        let measured = [AnomalyKind::TrafficSpike, AnomalyKind::HighLatency, AnomalyKind::PacketLoss];
        if every && measured.contains(&kind(label)) {
            // Windows begin with the first packet, a moment after the capture.
            let windows: BTreeSet<i64> = times.iter().map(|(from, _)| from.round() as i64).collect();
            let length = i64::try_from(window).unwrap();
            let wanted: BTreeSet<i64> = (0..)
                .map(|k| k * length)
                .skip_while(|at| (*at as f64) < start)
                .take_while(|at| ((at + length) as f64) <= end)
                .collect();
            assert!(wanted.is_subset(&windows), "{label} is found in {windows:?} only");
        }
    }
    let scan = found.iter().find(|one| one.kind == AnomalyKind::PortScan).unwrap();
    assert_eq!((scan.flow_src.as_deref(), scan.flow_dst.as_deref()), (Some("203.0.113.66"), Some("10.0.3.200")));
    let long = found.iter().filter(|one| one.kind == AnomalyKind::LongLivedConn);
    let long: BTreeSet<_> = long.map(|one| one.flow_dst.clone().unwrap()).collect();
    assert_eq!(long.len(), 6, "{long:?}");
    assert!(long.iter().all(|end| end.ends_with(":5228")));
}

#[test]
fn anomalies_of_the_planted_capture() {
    let path = captures().join("planted_anomalies_300s.pcap");
    for window in [5, 10] {
        assert_planted(&path, &captures().join("planted_anomalies_300s.labels.json"), window, false);
    }
}

#[test]
fn anomalies_of_a_made_capture_in_every_window() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = made(folder.path(), 41, 60_000, false) else { return };
    for window in [10, 30] {
        assert_planted(&path, &folder.path().join("41.pcap.labels.json"), window, true);
    }
}

#[test]
fn clean_traffic_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = made(folder.path(), 11, 100_000, true) else { return };
    let found = anomalies(&path, 10).unwrap();
    assert!(found.len() <= 1, "{found:#?}");
}

#[test]
fn scans_are_found_and_echoes_are_none() {
    for (name, source) in [
        ("ncsa_445_scan.pcap", "176.192.150.3"),
        ("ncsa_port_scan.pcap", "192.168.2.154"),
        ("ndpi_synscan.pcap", "172.16.0.8"),
    ] {
        let Some(found) = anomalies(&captures().join(name), 10) else { continue };
        let sources: BTreeSet<_> = found
            .iter()
            .filter(|one| one.kind == AnomalyKind::PortScan)
            .filter_map(|one| one.flow_src.as_deref())
            .collect();
        assert_eq!(sources, BTreeSet::from([source]), "{name}");
    }
    for name in ["ndpi_whatsapp.pcap", "ndpi_wechat.pcap", "zeek_dhcp_flood.pcap", "ndpi_telegram.pcap"] {
        let Some(found) = anomalies(&captures().join(name), 10) else { continue };
        let scans: Vec<_> = found.iter().filter(|one| one.kind == AnomalyKind::PortScan).collect();
        assert!(scans.is_empty(), "{name}: {scans:?}");
    }
}
