//! Exports of stored rows in every format, with conditions and without addresses.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_engine::packet::export::anonymise::Anonymiser;
use trafficlab_engine::packet::export::{Format, What};
use trafficlab_shared::model::capture::anomaly::Severity;

use super::service::Export;
use crate::store::captures::CaptureState;
use crate::systems::analyzer::filter::{Asked, Filter};
use crate::systems::analyzer::streams::fixture::{Stored, anomaly};

fn stored() -> Stored {
    let mut stored = Stored::new(CaptureState::Done);
    stored.add_windows(3);
    stored.add_windows(2);
    stored.add_connections(4);
    stored.add_anomaly(&anomaly(1, Severity::Medium));
    stored.add_anomaly(&anomaly(4, Severity::High));
    stored
}

fn export(stored: &Stored, format: Format, what: What, asked: &Asked, anonymiser: Option<Anonymiser>) -> Vec<u8> {
    let filter = Filter::read(asked).unwrap();
    let export = Export { capture: stored.capture(), format, what, filter, anonymiser };
    let mut out = Vec::new();
    export.write(&stored.store, &stored.segments, &mut out).unwrap();
    out
}

fn lines(bytes: &[u8]) -> usize {
    String::from_utf8(bytes.to_vec()).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

#[test]
fn every_format_holds_every_row() {
    let stored = stored();
    let all = |format, what| export(&stored, format, what, &Asked::default(), None);
    for (what, rows) in [(What::Windows, 5), (What::Anomalies, 2), (What::Connections, 4)] {
        assert_eq!(lines(&all(Format::Csv, what)), rows + 1, "{what:?}");
        assert_eq!(lines(&all(Format::Jsonl, what)), rows, "{what:?}");
        assert!(all(Format::Parquet, what).ends_with(b"PAR1"), "{what:?}");
        assert!(lines(&all(Format::Influx, what)) >= rows, "{what:?}");
        assert!(lines(&all(Format::Eve, what)) >= rows, "{what:?}");
    }
    assert_eq!(lines(&all(Format::Zeek, What::Connections)), 4);
}

#[test]
fn conditions_hold_for_exports_too() {
    let stored = stored();
    let high = Asked { severity: Some("high".to_owned()), ..Asked::default() };
    assert_eq!(lines(&export(&stored, Format::Jsonl, What::Anomalies, &high, None)), 1);
    let windows = export(&stored, Format::Jsonl, What::Windows, &high, None);
    let window: serde_json::Value = serde_json::from_slice(windows.trim_ascii()).unwrap();
    assert_eq!(window["window_id"], 4);
    let early = Asked { to: Some("1700000020".to_owned()), ..Asked::default() };
    assert_eq!(lines(&export(&stored, Format::Jsonl, What::Windows, &early, None)), 2);
    let nobody = Asked { host: Some("203.0.113.0/24".to_owned()), ..Asked::default() };
    assert_eq!(lines(&export(&stored, Format::Jsonl, What::Connections, &nobody, None)), 0);
}

#[test]
fn no_address_is_left_and_equal_ones_stay_equal() {
    let stored = stored();
    let key = [7; 32];
    let text = |what| {
        let bytes = export(&stored, Format::Jsonl, what, &Asked::default(), Some(Anonymiser::new(&key)));
        String::from_utf8(bytes).unwrap()
    };
    let mapped = Anonymiser::new(&key).address("192.0.2.7".parse().unwrap()).to_string();
    for what in [What::Windows, What::Anomalies, What::Connections] {
        let text = text(what);
        assert!(!text.contains("192.0.2.7") && !text.contains("2001:db8::9"), "{text}");
        assert!(text.contains(&mapped), "{text}");
    }
}

#[test]
fn rows_that_cannot_be_read_end_with_an_error() {
    let stored = stored();
    for entry in std::fs::read_dir(stored.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
        std::fs::write(path, bytes).unwrap();
    }
    let filter = Filter::default();
    let export =
        Export { capture: stored.capture(), format: Format::Csv, what: What::Windows, filter, anonymiser: None };
    assert!(export.write(&stored.store, &stored.segments, &mut Vec::new()).is_err());
}

#[test]
fn file_names_say_what_is_inside() {
    let stored = stored();
    let name = |format, what| {
        let filter = Filter::default();
        Export { capture: stored.capture(), format, what, filter, anonymiser: None }.file_name()
    };
    assert_eq!(name(Format::Csv, What::Windows), "capture-c-windows.csv");
    assert_eq!(name(Format::Zeek, What::Connections), "capture-c-conn.log");
    assert_eq!(name(Format::Eve, What::Anomalies), "capture-c-anomalies-eve.json");
}
