//! Damaged and cut segment files: what is whole is read, the first damage is told with its place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::fs;

use proptest::prelude::*;

use super::tests::{append_one, open, sequences};
use super::*;

#[test]
fn damage_is_found_and_its_place_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 1 << 20);
    let locations: Vec<_> = (0..3).map(|number| append_one(&mut log, number, 100).unwrap()).collect();
    let path = file_path(folder.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    let place = locations[1].offset;
    bytes[usize::try_from(place).unwrap() + 60] ^= 1;
    fs::write(&path, bytes).unwrap();
    let dir = SegmentDir::new(folder.path());
    let is_damage =
        |error: &SegmentError| matches!(error, SegmentError::Damaged { file: 0, offset, .. } if *offset == place);
    assert!(is_damage(&dir.read(locations[1]).unwrap_err()));
    let scanned: Vec<_> = dir.scan(0, None).unwrap().collect();
    assert_eq!(scanned.len(), 2);
    assert_eq!(scanned[0].as_ref().unwrap().location, locations[0]);
    assert!(is_damage(scanned[1].as_ref().unwrap_err()));
    assert!(dir.read(locations[2]).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_cut_anywhere_gives_a_prefix(
        lengths in prop::collection::vec(0..400_usize, 1..12),
        cut in any::<prop::sample::Index>(),
        junk in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(folder.path(), Committed::default(), 1 << 20);
        let mut ends = Vec::new();
        for (number, len) in (0..).zip(&lengths) {
            append_one(&mut log, number, *len).unwrap();
            ends.push(log.position().len);
        }
        let path = file_path(folder.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        let cut = cut.index(bytes.len() + 1);
        bytes.truncate(cut);
        bytes.extend(&junk);
        fs::write(&path, &bytes).unwrap();

        let cut = u64::try_from(cut).unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let scanned: Vec<_> = SegmentDir::new(folder.path()).scan(0, None).unwrap().collect();
        let good: Vec<_> = scanned.iter().map_while(|scanned| scanned.as_ref().ok()).collect();
        prop_assert_eq!(good.len(), whole);
        for (number, scanned) in (0..).zip(&good) {
            prop_assert_eq!(scanned.frame.as_ref().unwrap().meta.first_sequence, number);
        }
        let committed = whole.checked_sub(1).map_or(0, |last| ends[last]);
        let mut log = open(folder.path(), Committed { file: 0, len: committed }, 1 << 20);
        append_one(&mut log, 77, 5).unwrap();
        let expected: Vec<_> = (0..u64::try_from(whole).unwrap()).chain([77]).map(Some).collect();
        prop_assert_eq!(sequences(&SegmentDir::new(folder.path()), 0), expected);
    }
}
