//! What was answered as committed is there after the process is gone.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test code")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::commit::Store;
use super::kv::Batch;

fn one(key: u32) -> Batch {
    let mut batch = Batch::new();
    batch.put(key.to_be_bytes(), "x");
    batch
}

#[test]
fn a_copy_of_the_folder_holds_every_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("live")).unwrap();
    for key in 0..20 {
        store.commit_blocking(one(key)).unwrap();
    }
    store.apply(one(99)).unwrap();
    let copy = folder.path().join("copy");
    copy_folder(&folder.path().join("live"), &copy);
    let copied = Store::open(&copy).unwrap();
    for key in 0..20_u32 {
        assert!(copied.get(&key.to_be_bytes()).unwrap().is_some(), "{key} is lost");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

const CHILD_FOLDER: &str = "TRAFFICLAB_TEST_COMMIT_FOLDER";
const ANSWERED: &str = "answered ";

/// The test starts itself again as a child that commits from four threads until it is killed.
#[test]
fn a_killed_process_loses_nothing_it_answered() {
    if let Ok(folder) = std::env::var(CHILD_FOLDER) {
        commit_until_killed(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::commit_crash_tests::a_killed_process_loses_nothing_it_answered", "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The kill may cut a line off; only whole numbers, marked by the final dot, count.
        let line = line.unwrap();
        let number = line.split_once(ANSWERED).and_then(|(_, rest)| rest.strip_suffix('.')?.parse::<u32>().ok());
        answered.extend(number);
        if answered.len() == 200 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(answered.len() >= 200, "only {} commits", answered.len());
    let store = Store::open(folder.path()).unwrap();
    for key in answered {
        assert!(store.get(&key.to_be_bytes()).unwrap().is_some(), "{key} was answered and is lost");
    }
}

fn commit_until_killed(folder: &Path) {
    let store = Store::open(folder).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let store = &store;
            scope.spawn(move || {
                // The end only bounds a child whose parent is gone.
                for number in 0..100_000 {
                    let key = number * 4 + thread;
                    store.commit_blocking(one(key)).unwrap();
                    println!("\n{ANSWERED}{key}.");
                }
            });
        }
    });
}
