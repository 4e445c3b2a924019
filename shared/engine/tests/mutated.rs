//! Damaged captures: nothing panics, the analysis ends, and the same bytes always say the same.
//!
//! A short run of what `cargo run --release -p trafficlab-engine --example mutate -- 1000000` does at length.
#![allow(clippy::unwrap_used, clippy::tests_outside_test_module, clippy::print_stdout, reason = "test code")]

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use trafficlab_engine::packet::analyze;
use trafficlab_engine::packet::craft::{Mutator, samples};
use trafficlab_engine::packet::file::CaptureReader;
use trafficlab_shared::model::capture::settings::AnalysisSettings;

/// Damaged copies of each crafted capture.
const COPIES: u64 = 60;
/// Damaged copies of each real capture, of those up to this many bytes.
const REAL_COPIES: u64 = 2;
const REAL_BYTES: u64 = 30_000;

/// What the analysis says, as text, or why there is nothing to say.
fn told(bytes: &[u8]) -> String {
    let reader = match CaptureReader::open(Cursor::new(bytes.to_vec())) {
        Ok(reader) => reader,
        Err(fault) => return format!("{fault:?}"),
    };
    let report = analyze(reader, AnalysisSettings::default(), &mut |_| ControlFlow::Continue(()));
    let wire = serde_json::to_value(&report.wire).unwrap();
    let number = |name: &str| wire.get(name).and_then(serde_json::Value::as_u64).unwrap();
    let in_windows: u64 = report.windows.iter().map(|window| window.packets).sum();
    assert_eq!(in_windows + number("without_timestamp"), number("packets"), "every packet is in one window");
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        assert!(number("captured_bytes") <= u64::try_from(bytes.len()).unwrap(), "more bytes than there are");
    }
    format!("{:?}{:?}{wire}", report.summary, report.windows)
}

fn damage(bytes: &[u8], seed: u64) {
    let mut damaged = bytes.to_vec();
    Mutator::new(seed).mutate(&mut damaged);
    assert_eq!(told(&damaged), told(&damaged), "seed {seed}");
}

#[test]
fn damaged_captures_made_by_code() {
    for (sample, bytes) in (0..).zip(samples()) {
        assert!(!told(&bytes).contains("Damaged"), "sample {sample} is whole");
        for copy in 0..COPIES {
            damage(&bytes, sample * 1_000_000 + copy);
        }
    }
}

#[test]
fn damaged_real_captures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no captures in `{}`", folder.display());
        return;
    };
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap()).filter(|entry| entry.metadata().unwrap().len() < REAL_BYTES).collect();
    files.sort_by_key(fs::DirEntry::file_name);
    for (file, entry) in (0..).zip(files) {
        let bytes = fs::read(entry.path()).unwrap();
        for copy in 0..REAL_COPIES {
            damage(&bytes, file * 1_000 + copy);
        }
    }
}
