//! Blocks survive the round trip, stay small, and bear any damage.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::fmt::Write;
use std::path::PathBuf;

use proptest::prelude::*;
use trafficlab_shared::model::content::{ContentSpec, RtbSpec};

use super::*;
use crate::traffic::content::Content;
use crate::traffic::rng::EntryKey;
use crate::traffic::simulate::simulate;

fn block_of(entries: &[PackedEntry]) -> Vec<u8> {
    let mut writer = BlockWriter::new();
    assert!(entries.iter().all(|entry| writer.push(entry)));
    assert_eq!(writer.len(), entries.len());
    writer.finish()
}

fn simulated(count: u32) -> Vec<PackedEntry> {
    let spec = ContentSpec { rtb: Some(RtbSpec::default()), ..ContentSpec::default() };
    let content = Content::new(&spec).unwrap();
    let key = |k| EntryKey { seed: 1, shard: 0, slot: k / 500, k: k % 500 };
    (0..count).map(|k| simulate(&content, key(k))).collect()
}

#[test]
fn simulated_entries_take_at_most_16_bytes() {
    let entries = simulated(4_000);
    let block = block_of(&entries);
    assert!(block.len() <= 16 * entries.len(), "{} bytes for {}", block.len(), entries.len());
    assert_eq!(BlockReader::read_all(&block).unwrap(), entries);
}

#[test]
fn the_size_hint_is_of_the_right_order() {
    let mut writer = BlockWriter::new();
    simulated(4_000).iter().for_each(|entry| assert!(writer.push(entry)));
    let hint = writer.encoded_size_hint();
    let real = writer.finish().len();
    assert!(hint / 2 <= real && real <= hint * 2, "{hint} {real}");
}

#[test]
fn an_empty_and_a_full_block() {
    assert_eq!(BlockReader::read_all(&BlockWriter::new().finish()).unwrap(), []);
    let mut writer = BlockWriter::new();
    while writer.push(&PackedEntry::default()) {}
    assert_eq!(writer.len(), MAX_BLOCK_ENTRIES);
    assert_eq!(BlockReader::new(&writer.finish()).unwrap().count(), MAX_BLOCK_ENTRIES);
}

#[test]
fn the_longest_entries_fit() {
    let entry = PackedEntry {
        mode: EntryMode::Http,
        status: u16::MAX,
        success: true,
        error: ErrorKind::Template,
        response_us: 0,
        service_us: u32::MAX,
        bytes_in: u32::MAX,
        bytes_out: u32::MAX,
        attempt: u16::MAX,
        auction: Some(AuctionRecord {
            outcome: AuctionOutcome::Conversion,
            bids: 255,
            seat: 255,
            deal: 255,
            price_micros: u32::MAX,
            bid_micros: 0,
        }),
        ..PackedEntry::default()
    };
    let far = PackedEntry { slot: u32::MAX, k: u32::MAX, ..entry };
    let entries: Vec<PackedEntry> = (0..500).map(|index| if index % 2 == 0 { entry } else { far }).collect();
    assert_eq!(BlockReader::read_all(&block_of(&entries)).unwrap(), entries);
}

#[test]
fn false_claims_are_refused() {
    let mut block = block_of(&simulated(3));
    assert_eq!(BlockReader::new(&[]).unwrap_err(), BlockError::Compression);
    block[1] = 200;
    assert!(matches!(BlockReader::new(&block), Err(BlockError::Compression | BlockError::Column(_))));
    block.splice(1..2, [0xff, 0xff, 0xff, 0x7f]);
    assert!(matches!(BlockReader::new(&block), Err(BlockError::Count(_))));
    block[0] = 9;
    assert_eq!(BlockReader::new(&block).unwrap_err(), BlockError::Version(9));
    // A frame that would grow to a gigabyte.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let block = [&[BLOCK_VERSION, 3][..], &bomb].concat();
    assert_eq!(BlockReader::new(&block).unwrap_err(), BlockError::Compression);
}

/// Columns by hand, so that damage behind the compression is reached as well.
fn damaged(count: u8, plain: &[u8]) -> Vec<u8> {
    [&[BLOCK_VERSION, count][..], &zstd::bulk::compress(plain, 1).unwrap()].concat()
}

fn entry_strategy() -> impl Strategy<Value = PackedEntry> {
    let auction = (0u8..5, any::<[u8; 3]>(), any::<u32>(), any::<u32>()).prop_map(
        |(outcome, [bids, seat, deal], price_micros, bid_micros)| AuctionRecord {
            outcome: AuctionOutcome::from_code(outcome).unwrap(),
            bids,
            seat,
            deal,
            price_micros,
            bid_micros,
        },
    );
    let head = (any::<u32>(), any::<u32>(), any::<bool>(), any::<u16>(), any::<bool>(), 0u8..11);
    let sizes = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u16>());
    (head, sizes, proptest::option::of(auction)).prop_map(
        |(
            (slot, k, http, status, success, error),
            (response_us, service_us, bytes_in, bytes_out, attempt),
            auction,
        )| PackedEntry {
            slot,
            k,
            mode: if http { EntryMode::Http } else { EntryMode::Simulate },
            status,
            success,
            error: ErrorKind::from_code(error).unwrap(),
            response_us,
            service_us,
            bytes_in,
            bytes_out,
            attempt,
            auction,
        },
    )
}

proptest! {
    #[test]
    fn any_entries_survive(entries in proptest::collection::vec(entry_strategy(), 0..60)) {
        prop_assert_eq!(BlockReader::read_all(&block_of(&entries)).unwrap(), entries);
    }

    #[test]
    fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..300), count in any::<u8>()) {
        let _read = BlockReader::read_all(&bytes);
        let _behind = BlockReader::read_all(&damaged(count & 0x7f, &bytes));
        let _fronted = BlockReader::read_all(&[&[BLOCK_VERSION], bytes.as_slice()].concat());
        let mut second = damaged(count & 0x7f, &bytes);
        second[0] = BLOB_BLOCK_VERSION;
        let _with_blobs = BlockReader::read_with_blobs(&second);
    }

    #[test]
    fn any_damage_is_borne(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        static BLOCK: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| block_of(&simulated(40)));
        let mut block = BLOCK.clone();
        block[place.index(BLOCK.len())] = byte;
        if let Ok(entries) = BlockReader::read_all(&block) {
            prop_assert!(entries.len() <= MAX_BLOCK_ENTRIES);
        }
        static BLOBS: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
            blob_of(&simulated(40).into_iter().map(|entry| (entry, Some(vec![7; 30].into()))).collect::<Vec<_>>())
        });
        let mut blobs = BLOBS.clone();
        blobs[place.index(BLOBS.len())] = byte;
        if let Ok(entries) = BlockReader::read_with_blobs(&blobs) {
            prop_assert!(entries.iter().all(|(_, blob)| blob.as_ref().is_none_or(|blob| blob.len() <= MAX_BLOB)));
        }
        block.truncate(cut.index(BLOCK.len()));
        prop_assert!(BlockReader::read_all(&block).is_err());
    }
}

fn blob_of(entries: &[WithBlob]) -> Vec<u8> {
    let mut writer = BlockWriter::new();
    assert!(entries.iter().all(|(entry, blob)| writer.push_with(entry, blob.as_deref())));
    writer.finish()
}

#[test]
fn blobs_travel_with_their_entries_and_only_then_layout_2_is_written() {
    let with = |entry: PackedEntry| {
        (entry, entry.k.is_multiple_of(3).then(|| format!("answer {}", entry.k).into_bytes().into()))
    };
    let entries: Vec<WithBlob> = simulated(50).into_iter().map(with).collect();
    let block = blob_of(&entries);
    assert_eq!(block[0], BLOB_BLOCK_VERSION);
    assert_eq!(BlockReader::read_with_blobs(&block).unwrap(), entries);
    let plain: Vec<PackedEntry> = entries.iter().map(|(entry, _)| *entry).collect();
    assert_eq!(BlockReader::read_all(&block).unwrap(), plain);
    assert_eq!(block_of(&plain)[0], BLOCK_VERSION);
    assert!(BlockReader::read_with_blobs(&block_of(&plain)).unwrap().iter().all(|(_, blob)| blob.is_none()));
}

#[test]
fn blobs_are_bounded() {
    let mut writer = BlockWriter::new();
    let (entry, long) = (PackedEntry::default(), vec![0; MAX_BLOB + 1]);
    assert!(!writer.push_with(&entry, Some(&long)) && writer.is_empty());
    let mut taken = 0;
    while writer.push_with(&entry, long.get(1..)) {
        taken += 1;
    }
    assert_eq!(taken, MAX_BLOCK_BLOBS / MAX_BLOB);
    assert!(writer.has_room(0) && writer.push(&entry));
    assert_eq!(BlockReader::read_with_blobs(&writer.finish()).unwrap().len(), taken + 1);
}

fn golden_entries() -> Vec<PackedEntry> {
    let mut entries = simulated(20);
    let late = PackedEntry {
        slot: 40,
        k: 7,
        mode: EntryMode::Http,
        status: 302,
        success: true,
        response_us: 70_000,
        service_us: 50_000,
        bytes_in: 300,
        bytes_out: 90,
        attempt: 2,
        ..PackedEntry::default()
    };
    entries.push(late);
    entries.extend((1..=10).map(|code| PackedEntry {
        slot: 40 - u32::from(code),
        k: 100 / u32::from(code),
        status: 0,
        success: false,
        error: ErrorKind::from_code(code).unwrap(),
        ..late
    }));
    entries
}

fn text_of(entries: &[PackedEntry]) -> String {
    let mut text = String::new();
    entries.iter().for_each(|entry| writeln!(text, "{entry:?}").unwrap());
    text
}

/// A block of version 1 as it lies in segment files decodes to the same entries for ever.
/// `UPDATE_GOLDEN=1` writes the files; never after a release.
#[test]
fn blocks_of_version_1_stay_readable() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let (block, text) = (folder.join("block_v1.bin"), folder.join("block_v1.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&block, block_of(&golden_entries())).unwrap();
        std::fs::write(&text, text_of(&golden_entries())).unwrap();
    }
    let entries = BlockReader::read_all(&std::fs::read(block).unwrap()).unwrap();
    assert_eq!(text_of(&entries), std::fs::read_to_string(text).unwrap());
}

/// The same for blocks with blobs.
#[test]
fn blocks_of_version_2_stay_readable() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let (block, text) = (folder.join("block_v2.bin"), folder.join("block_v2.txt"));
    let texts = ["{}", "{\"id\":\"a\"}", ""];
    let blob = |place: usize| texts.get(place % 4).map(|text| text.as_bytes().into());
    let entries: Vec<WithBlob> =
        golden_entries().into_iter().enumerate().map(|(place, entry)| (entry, blob(place))).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&block, blob_of(&entries)).unwrap();
        std::fs::write(&text, format!("{entries:?}\n")).unwrap();
    }
    let read = BlockReader::read_with_blobs(&std::fs::read(block).unwrap()).unwrap();
    assert_eq!(format!("{read:?}\n"), std::fs::read_to_string(text).unwrap());
}
