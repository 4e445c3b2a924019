//! What every engine behind `Kv` must do, run on each of them.
#![allow(clippy::unwrap_used, reason = "test code")]

use super::generations::Generations;
use super::kv::{Batch, KeyRange, Kv, MAX_VALUE_BYTES, StoreError, scan};
use super::mem_kv::MemKv;

/// Runs a check on every engine.
fn on_each(check: impl Fn(&dyn Kv)) {
    check(&MemKv::new());
    let folder = tempfile::tempdir().unwrap();
    check(&Generations::open(folder.path()).unwrap());
}

fn put(kv: &dyn Kv, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put(key, value);
    kv.apply(batch).unwrap();
}

fn keys(kv: &dyn Kv, range: KeyRange, reverse: bool) -> Vec<Vec<u8>> {
    scan(kv, range, reverse).map(|pair| pair.unwrap().0).collect()
}

#[test]
fn a_batch_is_visible_at_once_and_the_last_change_of_a_key_wins() {
    on_each(|kv| {
        put(kv, b"gone", b"1");
        let mut batch = Batch::new();
        batch.delete("gone");
        batch.delete("never-there");
        batch.put("key", "first");
        batch.put("key", "second");
        batch.put("empty", "");
        kv.apply(batch).unwrap();
        assert_eq!(kv.get(b"gone").unwrap(), None);
        assert_eq!(kv.get(b"key").unwrap().as_deref(), Some(b"second".as_slice()));
        assert_eq!(kv.get(b"empty").unwrap().as_deref(), Some(b"".as_slice()));
        kv.flush().unwrap();
        assert_eq!(kv.get(b"key").unwrap().as_deref(), Some(b"second".as_slice()));
        assert_eq!(kv.read_only(), None);
    });
}

#[test]
fn a_refused_batch_changes_nothing() {
    on_each(|kv| {
        let mut batch = Batch::new();
        batch.put("small", "1");
        batch.put("large", vec![0; MAX_VALUE_BYTES + 1]);
        assert!(matches!(kv.apply(batch), Err(StoreError::TooLarge { .. })));
        assert_eq!(kv.get(b"small").unwrap(), None);
        put(kv, b"large", &[9; MAX_VALUE_BYTES]);
        assert_eq!(kv.get(b"large").unwrap().map(|value| value.len()), Some(MAX_VALUE_BYTES));
    });
}

#[test]
fn scans_answer_in_byte_order_within_their_bounds() {
    on_each(|kv| {
        for key in [b"b".as_slice(), b"a", b"a\0", b"a\xff", b"\xff\xff", b"c"] {
            put(kv, key, key);
        }
        let all: [&[u8]; 6] = [b"a", b"a\0", b"a\xff", b"b", b"c", b"\xff\xff"];
        assert_eq!(keys(kv, KeyRange::all(), false), all);
        assert!(keys(kv, KeyRange::all(), true).iter().rev().eq(all.iter()));
        assert_eq!(keys(kv, KeyRange::prefix(b"a"), false), [b"a".as_slice(), b"a\0", b"a\xff"]);
        assert_eq!(keys(kv, KeyRange::prefix(b"\xff"), false), [b"\xff\xff"]);
        let half_open = KeyRange { start: b"a\0".to_vec(), end: Some(b"c".to_vec()) };
        assert_eq!(keys(kv, half_open, true), [b"b".as_slice(), b"a\xff", b"a\0"]);
        let reversed = KeyRange { start: b"c".to_vec(), end: Some(b"a".to_vec()) };
        assert!(keys(kv, reversed, false).is_empty());
        let nothing = KeyRange { start: b"d".to_vec(), end: Some(b"e".to_vec()) };
        assert!(keys(kv, nothing, true).is_empty());
    });
}

#[test]
fn a_scan_of_many_chunks_misses_and_repeats_nothing() {
    on_each(|kv| {
        let mut batch = Batch::new();
        for number in 0..3_000_u32 {
            batch.put(number.to_be_bytes(), vec![1; usize::try_from(number % 4_000).unwrap()]);
        }
        kv.apply(batch).unwrap();
        let expected: Vec<Vec<u8>> = (0..3_000_u32).map(|number| number.to_be_bytes().to_vec()).collect();
        assert_eq!(keys(kv, KeyRange::all(), false), expected);
        let backwards: Vec<Vec<u8>> = expected.into_iter().rev().collect();
        assert_eq!(keys(kv, KeyRange::all(), true), backwards);
        assert!(kv.size().unwrap() > 0);
    });
}

#[test]
fn a_chunk_is_bounded_in_pairs_and_bytes() {
    on_each(|kv| {
        for number in 0..20_u8 {
            put(kv, &[number], &[0; MAX_VALUE_BYTES]);
        }
        assert_eq!(kv.chunk(&KeyRange::all(), false, 3).unwrap().len(), 3);
        assert!(kv.chunk(&KeyRange::all(), true, 256).unwrap().len() < 20);
    });
}

#[test]
fn a_scan_goes_on_beside_writes() {
    on_each(|kv| {
        for number in 0..1_000_u32 {
            put(kv, &number.to_be_bytes(), b"x");
        }
        let mut seen = 0;
        for pair in scan(kv, KeyRange::all(), false) {
            let (key, _) = pair.unwrap();
            let mut batch = Batch::new();
            batch.delete(key);
            kv.apply(batch).unwrap();
            seen += 1;
        }
        assert_eq!(seen, 1_000);
        assert!(keys(kv, KeyRange::all(), false).is_empty());
    });
}

#[test]
fn compaction_keeps_what_is_there_and_forgets_the_rest() {
    on_each(|kv| {
        for number in 0..2_000_u32 {
            put(kv, &number.to_be_bytes(), &[7; 500]);
        }
        put(kv, b"kept", b"old");
        kv.flush().unwrap();
        let mut batch = Batch::new();
        for number in 0..1_990_u32 {
            batch.delete(number.to_be_bytes());
        }
        kv.apply(batch).unwrap();
        put(kv, b"kept", b"new");
        let before: Vec<_> = scan(kv, KeyRange::all(), false).map(|pair| pair.unwrap()).collect();
        for _ in 0..2 {
            kv.compact().unwrap();
            let after: Vec<_> = scan(kv, KeyRange::all(), false).map(|pair| pair.unwrap()).collect();
            assert_eq!(after, before);
        }
        put(kv, b"later", b"1");
        kv.flush().unwrap();
        assert_eq!(kv.get(b"kept").unwrap().as_deref(), Some(b"new".as_slice()));
        assert_eq!(keys(kv, KeyRange::all(), false).len(), 12);
    });
}
