//! Every figure of `wire` equals what tshark says, over all captures of the set beside the project.
//!
//! The differences that remain are listed in `testdata/tshark_differences.txt`, each with its reason. The test fails for
//! a difference that is not listed, and for a listed one that is gone. `ACCURACY_CAPTURES=DIR` looks at the captures of
//! another folder, made with the same `make_expected.py`, where nothing may differ.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "test code"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trafficlab_engine::packet::analyze;
use trafficlab_engine::packet::file::{CaptureReader, FileFaultKind};
use trafficlab_shared::model::capture::settings::AnalysisSettings;

/// Members whose own members are compared one by one.
const DEEPER: [&str; 3] = ["conversations", "tcp", "scan"];

/// Members that say nothing about the analysis, and those that the product does not promise.
const LEFT_OUT: [&str; 6] = ["file", "file_bytes", "tshark", "any_layer", "streams", "streams_cut"];

#[test]
fn figures_equal_those_of_tshark() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (folder, listed) = match std::env::var_os("ACCURACY_CAPTURES") {
        Some(folder) => (PathBuf::from(folder), BTreeSet::new()),
        None => (manifest.join("../../../shared/captures"), listed(&manifest.join("testdata/tshark_differences.txt"))),
    };
    let captures = captures(&folder);
    if captures.is_empty() {
        println!("skipped: no captures in `{}`", folder.display());
        return;
    }
    let mut found = BTreeSet::new();
    for capture in &captures {
        let name = capture.file_name().unwrap().to_str().unwrap().to_owned();
        for (field, expected, told) in differences(capture) {
            let known = if listed.contains(&(name.clone(), field.clone())) { "listed" } else { "NEW" };
            println!("{known}: {name} {field}\n  tshark {expected}\n  ours   {told}");
            found.insert((name.clone(), field));
        }
    }
    let files: BTreeSet<_> = found.iter().map(|(name, _)| name).collect();
    println!("{} captures, {} with differences", captures.len(), files.len());
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "not listed: {new:?}\nlisted and gone: {gone:?}");
    assert!(files.len() <= 3, "more than three captures differ");
}

/// Captures that have expected values.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = paths.filter(|path| expected_path(path).is_file()).collect();
    all.sort();
    all
}

fn expected_path(capture: &Path) -> PathBuf {
    let mut name = capture.as_os_str().to_owned();
    name.push(".expected.json");
    name.into()
}

/// Capture and field of each line; the third column is the reason.
fn listed(path: &Path) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let [name, field, reason] = line.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
            assert!(!reason.trim().is_empty(), "{name} {field} needs a reason");
            (name.to_owned(), field.to_owned())
        })
        .collect()
}

/// Field, tshark's value, ours.
fn differences(capture: &Path) -> Vec<(String, Value, Value)> {
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected_path(capture)).unwrap()).unwrap();
    let (told, faulty) = told(capture, &expected);
    let mut all = Vec::new();
    let refused = expected["tshark"]["exit_code"] != 0;
    if refused != faulty {
        all.push(("fault".to_owned(), expected["tshark"].clone(), faulty.into()));
    }
    for (field, expected) in fields(&expected) {
        let ours = fields(&told).into_iter().find(|(name, _)| *name == field).map_or(Value::Null, |(_, value)| value);
        let ours = like(&expected, ours);
        if ours != expected {
            let (expected, ours) = first_difference(expected, ours);
            all.push((field, expected, ours));
        }
    }
    all
}

/// The object `wire` of a capture, and whether the file has a fault.
fn told(capture: &Path, expected: &Value) -> (Value, bool) {
    let file = File::open(capture).unwrap();
    let reader = match CaptureReader::open(file) {
        Ok(reader) => reader,
        Err(fault) => {
            assert_eq!(expected["packets"], 0, "`{}` was refused at once: {fault}", capture.display());
            // To tshark a file without a single byte is a capture without packets, to us a mistake of the caller.
            return (expected.clone(), fault.kind != FileFaultKind::Empty);
        }
    };
    let report = analyze(reader, AnalysisSettings::default(), &mut |_| ControlFlow::Continue(()));
    (serde_json::to_value(&report.wire).unwrap(), report.summary.fault.is_some())
}

fn fields(object: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (name, value) in object.as_object().unwrap() {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        match value.as_object().filter(|_| DEEPER.contains(&name.as_str())) {
            Some(members) => {
                all.extend(members.iter().map(|(member, value)| (format!("{name}.{member}"), value.clone())))
            }
            None => all.push((name.clone(), value.clone())),
        }
    }
    all
}

/// Floats and integers of the same value are one number: Python writes `3.0` where JSON allows `3`.
fn like(expected: &Value, ours: Value) -> Value {
    match (expected, ours) {
        (Value::Number(number), Value::Number(own)) if number.as_f64() == own.as_f64() => expected.clone(),
        (Value::Array(expected), Value::Array(ours)) if expected.len() == ours.len() => {
            Value::Array(expected.iter().zip(ours).map(|(expected, own)| like(expected, own)).collect())
        }
        (Value::Object(expected), Value::Object(ours)) => ours
            .into_iter()
            .map(|(name, own)| match expected.get(&name) {
                Some(value) => (name, like(value, own)),
                None => (name, own),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (_, ours) => ours,
    }
}

/// The first members of two lists that differ, so that a message stays readable.
fn first_difference(expected: Value, ours: Value) -> (Value, Value) {
    let (Value::Array(theirs), Value::Array(own)) = (&expected, &ours) else { return (expected, ours) };
    if theirs.len() != own.len() {
        return (
            format!("{} members: {expected}", theirs.len()).into(),
            format!("{} members: {ours}", own.len()).into(),
        );
    }
    match theirs.iter().zip(own).find(|(a, b)| a != b) {
        Some((a, b)) => (a.clone(), b.clone()),
        None => (expected, ours),
    }
}
