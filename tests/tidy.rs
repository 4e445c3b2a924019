//! The house rules of the source tree, as a test that names every violation at once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "test code")]

mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// What the root of the project may hold, beside files whose names begin with a dot.
const TOP_LEVEL: [&str; 15] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "clippy.toml",
    "config",
    "scripts",
    "shared",
    "coordinator",
    "worker",
    "tests",
    // Made by builds and runs, and ignored by git.
    "target",
    "data",
];

/// A crate and the only places that may name it, as beginnings of paths.
const HOMES: [(&str, &[&str]); 7] = [
    ("sled", &["coordinator/src/store/sled_kv.rs"]),
    (
        "async_nats",
        &[
            "shared/broker",
            "coordinator/src/dispatch",
            "worker/src/intake",
            "worker/src/outbox",
            "worker/src/heartbeat",
            "worker/src/control",
            "tests/",
            "coordinator/tests/",
        ],
    ),
    ("poem", &["coordinator/src/http", "coordinator/src/systems"]),
    ("poem_openapi", &["coordinator/src/http", "coordinator/src/systems"]),
    ("actix", &["worker/src/runtime", "worker/src/supervisor", "worker/src/actors"]),
    ("actix_rt", &["worker/src/runtime", "worker/src/supervisor", "worker/src/actors"]),
    ("pcap", &["worker/src/io"]),
];

/// Files that may hold `unsafe`, each with a reason beside its `allow`. There is none.
const UNSAFE_HOMES: [&str; 0] = [];

const LONGEST_FILE: usize = 500;
const LONG_FILE: usize = 350;
const MEDIAN_FILE: usize = 150;
const LONGEST_FUNCTION: usize = 60;
const LONG_FUNCTION: usize = 35;

struct File {
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All text files below the root that belong to the project.
fn files() -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            if ["target", "data", ".git", ".tools"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(File { path: name, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[test]
fn the_house_rules_hold() {
    let files = files();
    let rust: Vec<&File> = files.iter().filter(|file| file.path.ends_with(".rs")).collect();
    assert!(rust.len() > 20, "the source tree was not found");
    let mut faults = top_level();
    faults.extend(separate_processes(&files));
    faults.extend(machine_paths(&files));
    faults.extend(file_sizes(&rust));
    let mut function_lengths = Vec::new();
    for file in rust {
        if !file.text.starts_with("//!") {
            faults.push(format!("{}: the first line must be `//!` and say what the file is", file.path));
        }
        let code = source::code_only(&file.text);
        faults.extend(homes(&file.path, &code));
        for function in source::functions(&code) {
            if function.lines > LONGEST_FUNCTION {
                let source::Function { name, line, lines } = &function;
                faults.push(format!("{}:{line}: `{name}` has {lines} lines, more than {LONGEST_FUNCTION}", file.path));
            }
            function_lengths.push(function.lines);
        }
    }
    let most = share(&mut function_lengths, 9, 10);
    if most > LONG_FUNCTION {
        faults.push(format!("nine of ten functions should have at most {LONG_FUNCTION} lines, they have {most}"));
    }
    assert!(faults.is_empty(), "{} violations:\n  {}", faults.len(), faults.join("\n  "));
}

/// The value that `part` of `whole` of all values do not exceed.
fn share(values: &mut [usize], part: usize, whole: usize) -> usize {
    values.sort_unstable();
    let index = (values.len() * part).div_ceil(whole).saturating_sub(1);
    values.get(index).copied().unwrap_or(0)
}

fn top_level() -> Vec<String> {
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strange =
        names.filter(|name| !name.starts_with('.') && !name.ends_with(".log") && !TOP_LEVEL.contains(&name.as_str()));
    strange.map(|name| format!("{name}: does not belong at the top level")).collect()
}

/// Coordinator and worker meet only in `shared::protocol`.
fn separate_processes(files: &[File]) -> Vec<String> {
    let pairs = [("coordinator/Cargo.toml", "worker"), ("worker/Cargo.toml", "coordinator")];
    let mut faults = Vec::new();
    for (manifest, other) in pairs {
        let file = files.iter().find(|file| file.path == manifest).unwrap();
        let names =
            |line: &str| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("trafficlab-{other}"));
        if file.text.lines().any(|line| names(line.trim_start())) {
            faults.push(format!("{manifest}: must not depend on the {other}"));
        }
    }
    faults
}

/// Paths of one machine. They are put together here, so that this file does not hold them.
fn machine_paths(files: &[File]) -> Vec<String> {
    let paths = ["work", "farm", "root", "home"].map(|folder| format!("/{folder}/"));
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.path != "Cargo.lock") {
        for (number, line) in file.text.lines().enumerate() {
            for path in paths.iter().filter(|path| begins_path(line, path)) {
                faults.push(format!("{}:{}: names the machine path `{path}`", file.path, number + 1));
            }
        }
    }
    faults
}

/// Whether `path` stands in the line as the beginning of an absolute path, not within another one.
fn begins_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| source::is_word(c) || ".-/}{".contains(c))
    })
}

fn file_sizes(rust: &[&File]) -> Vec<String> {
    let mut lengths: Vec<usize> = rust.iter().map(|file| file.text.lines().count()).collect();
    let mut faults = Vec::new();
    for (file, length) in rust.iter().zip(&lengths).filter(|(_, length)| **length > LONGEST_FILE) {
        faults.push(format!("{}: {length} lines, more than {LONGEST_FILE}", file.path));
    }
    for (name, limit, part, whole) in
        [("nine of ten files", LONG_FILE, 9, 10), ("half of the files", MEDIAN_FILE, 1, 2)]
    {
        let length = share(&mut lengths, part, whole);
        if length > limit {
            faults.push(format!("{name} should have at most {limit} lines, they have {length}"));
        }
    }
    faults
}

/// Imports, `unsafe` and ignored tests of one file.
fn homes(path: &str, code: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, places) in HOMES {
        let at_home = places.iter().any(|place| path.starts_with(place));
        if source::names_crate(code, name) && !at_home {
            faults.push(format!("{path}: `{name}` may be named in {} only", places.join(", ")));
        }
    }
    if path.ends_with("service.rs") && (source::names_crate(code, "poem") || source::names_crate(code, "poem_openapi"))
    {
        faults.push(format!("{path}: a service knows nothing of HTTP"));
    }
    if source::words(code, "unsafe").next().is_some() && !UNSAFE_HOMES.contains(&path) {
        faults.push(format!("{path}: `unsafe` is not allowed here"));
    }
    if code.contains("#[ignore") {
        faults.push(format!("{path}: a test that is ignored tests nothing"));
    }
    faults
}

#[test]
fn violations_are_found() {
    let long = File { path: "a.rs".into(), text: "\n".repeat(501) };
    assert_eq!(file_sizes(&[&long]).len(), 3);
    assert_eq!(homes("coordinator/src/x.rs", "use sled::Db; unsafe {} #[ignore]").len(), 3);
    assert_eq!(homes("coordinator/src/systems/a/service.rs", "use poem::Route;").len(), 1);
    assert_eq!(homes("coordinator/src/store/sled_kv.rs", "use sled::Db;").len(), 0);
    let path = ["", "root", "x"].join("/");
    let file = |text: String| [File { path: "b".into(), text }];
    assert_eq!(machine_paths(&file(format!("see {path}"))).len(), 1);
    assert_eq!(machine_paths(&file(format!("https://a.example{path}"))).len(), 0);
    assert_eq!(share(&mut [5, 1, 3, 2, 4, 6, 7, 8, 9, 10], 9, 10), 9);
    assert_eq!(share(&mut [3, 1, 2], 1, 2), 2);
}
