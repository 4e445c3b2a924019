//! Compaction takes old bytes off the disk, and whenever it is stopped a whole store is there.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::generations::{Generations, Step};
use super::kv::{Batch, KeyRange, Kv, StoreError, scan};

const SECRET: &[u8] = b"ada.lovelace@example.com";

fn put(kv: &dyn Kv, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
    let mut batch = Batch::new();
    batch.put(key, value);
    kv.apply(batch).unwrap();
}

fn content(kv: &dyn Kv) -> BTreeMap<Vec<u8>, Vec<u8>> {
    scan(kv, KeyRange::all(), false).map(|pair| pair.unwrap()).collect()
}

/// 2 MB in 10 000 keys, so that a copy takes many chunks, and a secret that was replaced.
fn filled(folder: &Path) -> Generations {
    let kv = Generations::open(folder).unwrap();
    put(&kv, "person", SECRET);
    kv.flush().unwrap();
    for number in 0..10_000_u32 {
        put(&kv, number.to_be_bytes(), vec![number.to_be_bytes()[3]; 200]);
    }
    put(&kv, "person", "anonymised");
    kv.flush().unwrap();
    kv
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

/// Whether any file below a folder holds the bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds(&path, bytes)
        } else {
            fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
        }
    })
}

fn folders(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("kv")).collect();
    names.sort();
    names
}

// checklist 79
#[test]
fn what_was_replaced_is_readable_before_and_gone_after() {
    let folder = tempfile::tempdir().unwrap();
    let kv = filled(folder.path());
    let before = content(&kv);
    assert!(holds(folder.path(), SECRET), "the test could not fail");
    kv.compact().unwrap();
    assert!(!holds(folder.path(), SECRET));
    assert_eq!(content(&kv), before);
    drop(kv);
    assert_eq!(folders(folder.path()), ["kv-000002"]);
    assert_eq!(content(&Generations::open(folder.path()).unwrap()), before);
    assert!(!holds(folder.path(), SECRET));
}

#[test]
fn stopped_at_any_step_a_whole_store_is_opened_and_the_rest_removed() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let kv = filled(&live);
    let before = content(&kv);
    let mut steps = Vec::new();
    kv.compact_watched(&mut |step| {
        if steps.last() != Some(&step) {
            // What a killed process would leave.
            copy_folder(&live, &folder.path().join(format!("{step:?}")));
            steps.push(step);
        }
    })
    .unwrap();
    assert_eq!(steps, [Step::Copying, Step::Copied, Step::Prepared, Step::Pointed, Step::Removed]);
    for step in steps {
        let copy = folder.path().join(format!("{step:?}"));
        let kept = if step < Step::Pointed { "kv" } else { "kv-000002" };
        let left = folders(&copy).len();
        assert_eq!(left, if step == Step::Removed { 1 } else { 2 }, "{step:?}");
        let opened = Generations::open(&copy).unwrap();
        assert_eq!(folders(&copy), [kept], "{step:?}");
        assert!(!copy.join("CURRENT.new").exists());
        assert_eq!(content(&opened), before, "{step:?}");
        // It can be compacted as if nothing had happened.
        opened.compact().unwrap();
        assert_eq!(content(&opened), before, "{step:?}");
        assert!(!holds(&copy, SECRET), "{step:?}");
    }
}

#[test]
fn writers_go_on_and_nothing_of_theirs_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let kv = filled(folder.path());
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_u8)
            .map(|writer| {
                scope.spawn({
                    let (kv, done) = (&kv, &done);
                    move || write_until(kv, writer, done)
                })
            })
            .collect();
        for _ in 0..3 {
            kv.compact().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let check = |kv: &dyn Kv| {
        for (writer, last) in written.iter().enumerate() {
            let key = |slot: u32| [b"w", &[u8::try_from(writer).unwrap()][..], &slot.to_be_bytes()].concat();
            for number in last.saturating_sub(49)..=*last {
                let expected = (number % 7 != 0).then(|| number.to_be_bytes().to_vec());
                assert_eq!(kv.get(&key(number % 50)).unwrap(), expected, "{writer} {number} of {last}");
            }
        }
    };
    check(&kv);
    kv.flush().unwrap();
    drop(kv);
    check(&Generations::open(folder.path()).unwrap());
}

/// Writes numbers round and round over 50 keys, every seventh as a removal; answers the last number.
fn write_until(kv: &dyn Kv, writer: u8, done: &AtomicBool) -> u32 {
    let mut number = 0;
    loop {
        let key = [b"w", &[writer][..], &(number % 50_u32).to_be_bytes()].concat();
        let mut batch = Batch::new();
        if number % 7 == 0 {
            batch.delete(key)
        } else {
            batch.put(key, number.to_be_bytes())
        }
        kv.apply(batch).unwrap();
        if number > 100 && done.load(Ordering::SeqCst) {
            return number;
        }
        number += 1;
    }
}

#[test]
fn a_store_is_opened_once_and_never_made_anew_in_place_of_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    let kv = Generations::open(folder.path()).unwrap();
    assert!(matches!(Generations::open(folder.path()).err(), Some(StoreError::Open { .. })));
    kv.compact().unwrap();
    assert!(matches!(Generations::open(folder.path()).err(), Some(StoreError::Open { .. })));
    drop(kv);
    fs::rename(folder.path().join("kv-000002"), folder.path().join("elsewhere")).unwrap();
    let missing = Generations::open(folder.path()).err().unwrap();
    assert!(missing.to_string().contains("`kv-000002`"), "{missing}");
    fs::write(folder.path().join("CURRENT"), "../elsewhere\n").unwrap();
    assert!(matches!(Generations::open(folder.path()).err(), Some(StoreError::Open { .. })));
}

#[test]
fn a_compaction_that_fails_leaves_the_store_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let kv = filled(folder.path());
    let before = content(&kv);
    // A folder where the pointer should be written: the rename onto it fails.
    fs::create_dir_all(folder.path().join("CURRENT.new/full")).unwrap();
    assert!(matches!(kv.compact(), Err(StoreError::Engine { what: "compact", .. })));
    assert_eq!(folders(folder.path()), ["kv"]);
    assert_eq!(kv.read_only(), None);
    put(&kv, "still", "written");
    fs::remove_dir_all(folder.path().join("CURRENT.new")).unwrap();
    kv.compact().unwrap();
    assert_eq!(content(&kv).len(), before.len() + 1);
    assert_eq!(folders(folder.path()), ["kv-000002"]);
}
