//! A dump restores to an equal store, and only a whole one restores at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::store::kv::{Batch, KeyRange, Pair};
use crate::store::segment::{Committed, Frame, FrameMeta, Scanned, SegmentDir, SegmentLog, SegmentOptions};
use crate::store::{SEGMENT_FOLDER, Store};

/// The folder of visits beside a store.
fn visits(folder: &Path) -> std::path::PathBuf {
    folder.with_file_name(format!("{}-visits", folder.file_name().unwrap().display()))
}

/// A store with keys of all bytes and three segment files, one of them with an erased frame at its end.
fn filled(folder: &Path) -> (Store, SegmentDir, Committed) {
    let visits = visits(folder);
    std::fs::create_dir_all(visits.join("parts/a.example")).unwrap();
    std::fs::write(visits.join("parts/a.example/1"), vec![7; 1_100_000]).unwrap();
    std::fs::write(visits.join("log"), [vec![9; 10], vec![0; 1_100_000]].concat()).unwrap();
    std::fs::write(visits.join("empty"), b"").unwrap();
    std::fs::write(visits.join("keys"), [5; 1 << 20]).unwrap();
    std::fs::write(visits.join("salts"), b"must not be kept").unwrap();
    let store = Store::open(folder).unwrap();
    let mut batch = Batch::new();
    for number in 0..=255_u8 {
        batch.put([number, 0, number], vec![number; usize::from(number) * 8]);
    }
    store.commit_blocking(batch).unwrap();
    let segments = folder.join(SEGMENT_FOLDER);
    let mut log = SegmentLog::open(&segments, Committed::default(), SegmentOptions { max_file_bytes: 10_000 }).unwrap();
    let meta = FrameMeta { count: 1, ..FrameMeta::default() };
    let payload = [7; 4_000];
    let locations = log.append(&[Frame { meta: &meta, payload: &payload }; 6]).unwrap();
    log.sync().unwrap();
    let committed = log.position();
    log.append(&[Frame { meta: &meta, payload: b"not committed" }]).unwrap();
    let dir = SegmentDir::new(&segments);
    dir.erase(&[locations[1], locations[2]]).unwrap();
    (store, dir, committed)
}

fn dumped(folder: &Path) -> Vec<u8> {
    let (store, segments, committed) = filled(folder);
    let mut bytes = Vec::new();
    dump(&store, &segments, committed, &visits(folder), &mut bytes).unwrap();
    bytes
}

fn restored(mut dump: &[u8], folder: &Path) -> Result<DumpCounts, DumpError> {
    restore(&mut dump, folder, &visits(folder))
}

fn content(folder: &Path) -> (Vec<Pair>, Vec<Scanned>) {
    let store = Store::open(folder).unwrap();
    let pairs = store.scan(KeyRange::all(), false).map(|pair| pair.unwrap()).collect();
    let segments = SegmentDir::new(&folder.join(SEGMENT_FOLDER));
    let files = segments.files().unwrap();
    let frames = files.into_iter().flat_map(|file| segments.scan(file, None).unwrap()).map(|frame| frame.unwrap());
    (pairs, frames.collect())
}

#[test]
fn a_restored_store_equals_the_dumped_one() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let dump = dumped(&from);
    std::fs::create_dir(&to).unwrap();
    assert_eq!(restored(&dump, &to).unwrap(), DumpCounts { keys: 256, frames: 6, pieces: 6 });
    let (pairs, mut frames) = content(&from);
    let uncommitted = frames.pop().unwrap();
    assert_eq!(uncommitted.frame.unwrap().payload, b"not committed");
    assert_eq!(frames.iter().filter(|scanned| scanned.frame.is_none()).count(), 2);
    assert_eq!(content(&to), (pairs, frames));
    let (from, to) = (visits(&from), visits(&to));
    for path in ["parts/a.example/1", "log", "empty", "keys"] {
        assert!(std::fs::read(from.join(path)).unwrap() == std::fs::read(to.join(path)).unwrap(), "{path}");
    }
    assert!(!to.join("salts").exists());
}

#[test]
fn a_dump_of_the_first_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let dump = String::from_utf8(dumped(&folder.path().join("from"))).unwrap();
    let before = |line: &&str| !line.contains("\"file\":{") && !line.contains("\"end\"");
    let mut text: String = dump.lines().filter(before).map(|line| format!("{line}\n")).collect();
    text = text.replacen("\"version\":2", "\"version\":1", 1);
    let sha256 = hex(&<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()));
    text += &format!("{{\"end\":{{\"keys\":256,\"frames\":6,\"sha256\":\"{sha256}\"}}}}\n");
    let counts = restored(text.as_bytes(), &folder.path().join("to")).unwrap();
    assert_eq!(counts, DumpCounts { keys: 256, frames: 6, pieces: 0 });
}

#[test]
fn a_dump_of_a_restored_store_is_the_same_text() {
    let folder = tempfile::tempdir().unwrap();
    let dump_one = dumped(&folder.path().join("from"));
    let to = folder.path().join("to");
    restored(&dump_one, &to).unwrap();
    let segments = SegmentDir::new(&to.join(SEGMENT_FOLDER));
    let mut dump_two = Vec::new();
    dump(&Store::open(&to).unwrap(), &segments, segments.end().unwrap(), &visits(&to), &mut dump_two).unwrap();
    assert!(dump_one == dump_two);
}

#[test]
fn a_folder_with_content_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dump = dumped(&folder.path().join("from"));
    let to = folder.path().join("to");
    std::fs::create_dir(&to).unwrap();
    std::fs::write(to.join("mine"), "kept").unwrap();
    assert!(matches!(restored(&dump, &to), Err(DumpError::NotEmpty { .. })));
    assert_eq!(std::fs::read(to.join("mine")).unwrap(), b"kept");
}

#[test]
fn a_cut_or_altered_dump_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dump = dumped(&folder.path().join("from"));
    let to = folder.path().join("to");
    let text = String::from_utf8(dump.clone()).unwrap();
    let without_line = |skip: usize| {
        let lines = text.lines().enumerate().filter(|(number, _)| *number != skip);
        lines.map(|(_, line)| format!("{line}\n")).collect::<String>().into_bytes()
    };
    let last = text.lines().count() - 1;
    let first_frame = text.lines().position(|line| line.contains("segment")).unwrap();
    let check = |dump: &[u8], expected: fn(&DumpError) -> bool| {
        let error = restored(dump, &to).unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert!(!to.exists() && !folder.path().join("to.restoring").exists());
        assert!(!visits(&to).exists() && !folder.path().join("to-visits.restoring").exists());
    };
    check(b"", |error| matches!(error, DumpError::Truncated { line: 0 }));
    check(b"{}\n", |error| matches!(error, DumpError::UnknownFormat));
    check(&dump[..dump.len() - 1], |error| matches!(error, DumpError::Truncated { .. }));
    check(&dump[..dump.len() / 2], |error| matches!(error, DumpError::Truncated { .. }));
    check(&without_line(last), |error| matches!(error, DumpError::Truncated { .. }));
    check(&without_line(5), |error| matches!(error, DumpError::Damaged { .. }));
    check(&without_line(first_frame), |error| matches!(error, DumpError::Damaged { .. }));
    check(&[dump.as_slice(), b"more"].concat(), |error| matches!(error, DumpError::Damaged { .. }));
    restored(&dump, &to).unwrap();
}

#[test]
fn what_a_killed_restore_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let dump = dumped(&folder.path().join("from"));
    let left = folder.path().join("to.restoring/segments");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("0000000000.seg"), "half").unwrap();
    restored(&dump, &folder.path().join("to")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_changed_byte_is_noticed(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let folder = tempfile::tempdir().unwrap();
        let mut dump = dumped(&folder.path().join("from"));
        let at = at.index(dump.len());
        dump[at] ^= flip;
        let to = folder.path().join("to");
        prop_assert!(restored(&dump, &to).is_err(), "byte {}", at);
        prop_assert!(!to.exists());
    }
}
