//! The key-value store on a disk that fills up: it stops writing, says so, and loses nothing it answered.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::Path;
use std::process::Command;

use super::commit::Store;
use super::kv::{Batch, StoreError};

const CHILD_FOLDER: &str = "TRAFFICLAB_TEST_FULL_STORE";

/// The test starts itself again under a file size limit of the system, which a write meets as it meets a full disk.
#[test]
fn a_full_disk_makes_the_store_read_only_and_loses_nothing_answered() {
    if let Ok(folder) = std::env::var(CHILD_FOLDER) {
        fill_up(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The shell counts in blocks of 512 bytes. The signal is ignored so that the write answers an error.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "store::full_disk_tests::a_full_disk_makes_the_store_read_only_and_loses_nothing_answered"])
        .arg("--nocapture")
        .env(CHILD_FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answered: u32 = fs::read_to_string(folder.path().join("answered")).unwrap().parse().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    for key in 0..answered {
        assert!(store.get(&key.to_be_bytes()).unwrap().is_some(), "{key} was answered and is lost");
    }
}

fn fill_up(folder: &Path) {
    let store = Store::open(&folder.join("store")).unwrap();
    let mut key: u32 = 0;
    let error = loop {
        let mut batch = Batch::new();
        let noise: Vec<u8> = (0..20_000_u32).map(|at| at.wrapping_mul(key | 1).to_be_bytes()[1]).collect();
        batch.put(key.to_be_bytes(), noise);
        match store.commit_blocking(batch) {
            Ok(()) => key += 1,
            Err(error) => break error,
        }
        assert!(key < 2_000, "the limit was never met");
    };
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    let mut batch = Batch::new();
    batch.put("k", "v");
    assert_eq!(store.apply(batch).unwrap_err(), error);
    assert!(store.read_only().is_some());
    assert!(store.get(&0_u32.to_be_bytes()).unwrap().is_some());
    fs::write(folder.join("answered"), key.to_string()).unwrap();
}
