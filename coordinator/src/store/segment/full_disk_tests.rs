//! A disk that fills up in the middle of a write.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::process::Command;

use super::tests::{append_one, meta, open, payload, sequences};
use super::*;

const CHILD_FOLDER: &str = "TRAFFICLAB_TEST_FULL_FOLDER";
const FILE_LIMIT: u64 = 64 * 1024;

/// The test starts itself again under a file size limit of the system, which a write meets as it meets a full disk: part
/// of it is written, then it fails.
#[test]
fn a_full_disk_leaves_the_log_at_its_last_good_length() {
    if let Ok(folder) = std::env::var(CHILD_FOLDER) {
        fill_up(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The shell counts in blocks of 512 bytes. The signal is ignored so that the write answers an error.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::segment::full_disk_tests::a_full_disk_leaves_the_log_at_its_last_good_length",
            "--nocapture",
        ])
        .env(CHILD_FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(folder.path().join("done")).unwrap(), b"yes");
}

fn fill_up(folder: &Path) {
    let dir = SegmentDir::new(folder);
    let mut log = open(folder, Committed::default(), FILE_LIMIT - 1_000);
    let mut number = 0;
    while log.position().len < 40_000 {
        append_one(&mut log, number, 10_000).unwrap();
        number += 1;
    }
    let good = log.position();
    let before: Vec<_> = sequences(&dir, 0);

    // A group that fits into this file first, and then needs a new file which cannot take it.
    let (meta, fits, long) = (meta(99), payload(1, 5_000), payload(2, 100_000));
    let frames = [Frame { meta: &meta, payload: &fits }, Frame { meta: &meta, payload: &long }];
    let error = log.append(&frames).unwrap_err();
    assert!(error.is_full(), "{error}");
    assert_eq!((log.position(), dir.files().unwrap()), (good, vec![0]));
    assert_eq!(fs::metadata(file_path(folder, 0)).unwrap().len(), good.len);
    assert_eq!(sequences(&dir, 0), before);

    // The same within one file.
    let mut log = SegmentLog::open(folder, good, SegmentOptions::default()).unwrap();
    assert!(append_one(&mut log, 98, 30_000).unwrap_err().is_full());
    assert_eq!(fs::metadata(file_path(folder, 0)).unwrap().len(), good.len);
    append_one(&mut log, number, 10_000).unwrap();
    log.sync().unwrap();
    assert_eq!(sequences(&dir, 0).last(), Some(&Some(number)));
    fs::write(folder.join("done"), "yes").unwrap();
}
