//! Parts come back as they were written, or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::visit::column::{ColumnSet, Traffic};
use crate::visit::data::{Columns, DAY_MS, DataFault, SLICES, Slices};
use crate::visit::memory::Memory;
use crate::visit::samples::{DAY, Sample, check_columns, expected, held, pack, visits};

fn part_of(samples: &[Sample]) -> (Vec<u8>, PartSummary) {
    let (packer, rows) = pack(samples);
    let mut bytes = Vec::new();
    let summary = write(DAY, &rows, &packer.dictionaries(), &mut bytes).unwrap();
    (bytes, summary)
}

fn open(samples: &[Sample]) -> Part<Vec<u8>> {
    Part::open(part_of(samples).0).unwrap()
}

fn some_samples() -> Vec<Sample> {
    let texts = [
        "/page",
        "Firefox",
        "Desktop",
        "crawler",
        "Google",
        "",
        "DE",
        "pageview",
        "{\"a\":\"b\"}",
        "anna",
        "",
        "",
        "EUR",
    ];
    (0..7_u8)
        .map(|at| Sample {
            time_ms: DAY * DAY_MS + i64::from(at) * 1_000,
            visitor: u64::from(at % 3) << 60 | u64::from(at % 2),
            texts: (0..)
                .zip(texts)
                .map(|(place, text)| if (at + place) % 3 == 0 { text } else { "" }.to_owned())
                .collect(),
            traffic: u8::from(at > 4),
            revenue_micros: i64::from(at) * 1_000_000,
            event_id: 9,
        })
        .collect()
}

/// Everything that can be read, or the first fault.
fn read_all(bytes: Vec<u8>) -> Result<Vec<String>, DataFault> {
    let part = Part::open(bytes)?;
    let mut columns = Columns::default();
    for slice in (0..SLICES).flat_map(u8::try_from) {
        part.load(slice, ColumnSet::all(), &mut columns)?;
    }
    Dict::ALL.into_iter().try_for_each(|dict| part.dictionary(dict).map(drop))?;
    Ok(held(&part))
}

proptest! {
    #[test]
    fn rows_come_back_in_order(samples in visits()) {
        let (bytes, summary) = part_of(&samples);
        let part = Part::open(bytes.clone()).unwrap();
        prop_assert_eq!(held(&part), expected(&samples));
        check_columns(&part);
        prop_assert_eq!(part.summary(), summary);
        let count = |kind| u64::try_from(samples.iter().filter(|sample| sample.visit().traffic == kind).count()).unwrap();
        prop_assert_eq!(summary.traffic, [count(Traffic::Real), count(Traffic::Synthetic), count(Traffic::Unverified)]);
        let bots = samples.iter().filter(|sample| sample.traffic == 0 && !sample.visit().agent.bot.is_empty()).count();
        prop_assert_eq!((summary.bots, summary.bytes), (u64::try_from(bots).unwrap(), u64::try_from(bytes.len()).unwrap()));
        let times = samples.iter().map(|sample| sample.time_ms);
        prop_assert_eq!(part.time_range(), times.clone().min().zip(times.max()));
    }

    #[test]
    fn memory_holds_the_same(samples in visits()) {
        let (packer, rows) = pack(&samples);
        let other = crate::visit::column::Row { codes: [9; 11], ..Default::default() };
        let memory = Memory::new(rows.iter().chain([&other]), 1, packer.dictionaries());
        prop_assert_eq!(held(&memory), expected(&samples));
        check_columns(&memory);
        let part = open(&samples);
        prop_assert_eq!((memory.rows(), memory.time_range()), (part.rows(), part.time_range()));
    }

    #[test]
    fn merging_pieces_gives_the_whole(samples in visits(), cuts in prop::collection::vec(0..60_usize, 0..5)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(samples.len())).chain([0, samples.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|cut| open(&samples[cut[0]..cut[1]])).collect();
        let mut bytes = Vec::new();
        let summary = merge(&pieces.iter().collect::<Vec<_>>(), |_| true, &mut bytes).unwrap();
        let merged = Part::open(bytes).unwrap();
        prop_assert_eq!(held(&merged), expected(&samples));
        let whole = open(&samples).summary();
        prop_assert_eq!(PartSummary { bytes: 0, ..summary }, PartSummary { bytes: 0, ..whole });
    }

    #[test]
    fn what_is_not_kept_leaves_no_text(samples in visits(), gone in 0..3_u64) {
        let keep = |visitor: u64| visitor & 3 != gone;
        let mut bytes = Vec::new();
        let (first, second) = samples.split_at(samples.len() / 2);
        merge(&[&open(first), &open(second)], |row| keep(row.visitor()), &mut bytes).unwrap();
        let left: Vec<Sample> = samples.into_iter().filter(|sample| keep(sample.visitor)).collect();
        let (merged, fresh) = (Part::open(bytes).unwrap(), open(&left));
        prop_assert_eq!(held(&merged), expected(&left));
        for dict in Dict::ALL {
            let texts = |part: &Part<Vec<u8>>| {
                let mut texts: Vec<String> = part.dictionary(dict).unwrap().iter().map(str::to_owned).collect();
                texts.sort();
                texts
            };
            prop_assert_eq!(texts(&merged), texts(&fresh));
        }
    }

    #[test]
    fn any_bytes_are_opened_without_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..300), length in 0..300_u32) {
        let footer = usize::try_from(length).unwrap().min(bytes.len());
        let begin = bytes.len() - footer;
        bytes.extend_from_slice(&u32::try_from(footer).unwrap().to_le_bytes());
        let sum = crc32fast::hash(&bytes[begin..]);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        drop(read_all(bytes));
    }

    #[test]
    fn a_changed_footer_with_a_right_checksum_is_read_without_harm(at in 0..2000_usize, byte in any::<u8>()) {
        let (mut bytes, _) = part_of(&some_samples());
        let tail = bytes.len() - TAIL;
        let length = usize::try_from(u32::from_le_bytes(bytes[tail..tail + 4].try_into().unwrap())).unwrap();
        let begin = tail - length;
        bytes[begin + at % length] = byte;
        let sum = crc32fast::hash(&bytes[begin..tail + 4]).to_le_bytes();
        bytes[tail + 4..tail + 8].copy_from_slice(&sum);
        drop(read_all(bytes));
    }
}

#[test]
fn every_cut_is_seen() {
    let (bytes, _) = part_of(&some_samples());
    for length in 0..bytes.len() {
        let Err(fault) = Part::open(bytes[..length].to_vec()) else { panic!("{length} bytes were taken for a part") };
        assert!(matches!(fault, DataFault::Damaged(_)), "{length}: {fault}");
    }
}

#[test]
fn every_flipped_bit_is_seen() {
    let (bytes, _) = part_of(&some_samples());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(matches!(read_all(changed), Err(DataFault::Damaged(_))), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn long_slices_are_read_column_by_column() {
    let sample = |number: u32| Sample {
        time_ms: DAY * DAY_MS + i64::from(number),
        visitor: u64::from(number / 300),
        texts: vec![
            format!("/{}", number % 700),
            String::new(),
            String::new(),
            String::new(),
            format!("source {number}"),
        ],
        ..Sample::default()
    };
    let samples: Vec<Sample> = (0..70_000).map(sample).collect();
    let mut file = tempfile::tempfile().unwrap();
    let (packer, rows) = pack(&samples);
    write(DAY, &rows, &packer.dictionaries(), &mut file).unwrap();
    let part = Part::open_with(file, Arc::new(Recent::new(64 << 20))).unwrap();
    assert_eq!(held(&part), expected(&samples));
    check_columns(&part);
    let page = part.dictionary(Dict::Page).unwrap();
    assert!(Arc::ptr_eq(&page, &part.dictionary(Dict::Page).unwrap()), "it is read once");
}

#[test]
fn rows_of_another_day_or_other_dictionaries_are_refused() {
    let (packer, rows) = pack(&some_samples());
    let refused =
        |fault: DataFault| matches!(fault, DataFault::Io(error) if error.kind() == io::ErrorKind::InvalidInput);
    assert!(refused(write(DAY + 1, &rows, &packer.dictionaries(), &mut Vec::new()).unwrap_err()));
    assert!(refused(write(DAY, &rows, &Default::default(), &mut Vec::new()).unwrap_err()));
    assert!(refused(merge(&[] as &[&Part<Vec<u8>>], |_| true, &mut Vec::new()).unwrap_err()));
}

/// A part of version 1 is written and read like this for ever. Its texts are too short to be compressed, so that the
/// bytes do not depend on a version of zstd. `UPDATE_GOLDEN=1` writes the file; never after a release.
#[test]
fn parts_of_version_1_stay_readable() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/visit_part_v1.txt");
    let (bytes, summary) = part_of(&some_samples());
    assert!(memchr::memmem::find(&bytes, b"\x08pageview").is_some(), "not compressed");
    let mut text = bytes.chunks(32).fold(String::new(), |mut text, line| {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text + "\n"
    });
    writeln!(text, "{summary:?}").unwrap();
    held(&Part::open(bytes).unwrap()).iter().for_each(|visit| writeln!(text, "{visit}").unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
}
