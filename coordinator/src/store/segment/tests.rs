//! The segment log as its callers see it: places, rotation, committed positions, erasing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::fs;

use super::*;

pub(super) fn meta(number: u64) -> FrameMeta {
    FrameMeta { kind: 1, job: [3; 16], shard: 2, first_sequence: number, count: 5, counters: b"delta".to_vec() }
}

/// A payload that no neighbour has, of any size.
pub(super) fn payload(number: u64, len: usize) -> Vec<u8> {
    number.to_le_bytes().iter().map(|byte| byte ^ 0xa5).cycle().take(len).collect()
}

pub(super) fn append_one(log: &mut SegmentLog, number: u64, len: usize) -> Result<Location> {
    log.append(&[Frame { meta: &meta(number), payload: &payload(number, len) }]).map(|locations| locations[0])
}

pub(super) fn open(folder: &Path, committed: Committed, max_file_bytes: u64) -> SegmentLog {
    SegmentLog::open(folder, committed, SegmentOptions { max_file_bytes }).unwrap()
}

pub(super) fn sequences(dir: &SegmentDir, file: u32) -> Vec<Option<u64>> {
    dir.scan(file, None).unwrap().map(|scanned| scanned.unwrap().frame.map(|frame| frame.meta.first_sequence)).collect()
}

#[test]
fn frames_are_read_where_they_were_put() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 1 << 20);
    let metas: Vec<_> = (0..3).map(meta).collect();
    let payloads: Vec<_> = [0, 1, 70_000].map(|len| payload(9, len)).into();
    let frames: Vec<_> = metas.iter().zip(&payloads).map(|(meta, payload)| Frame { meta, payload }).collect();
    let locations = log.append(&frames).unwrap();
    log.sync().unwrap();
    let dir = SegmentDir::new(folder.path());
    for ((location, meta), payload) in locations.iter().zip(metas).zip(payloads) {
        assert_eq!(dir.read(*location).unwrap(), FrameOwned { meta, payload });
    }
    assert_eq!(sequences(&dir, 0), [Some(0), Some(1), Some(2)]);
    assert!(dir.bytes().unwrap() >= 70_000);
    assert_eq!(dir.end().unwrap(), log.position());
}

#[test]
fn files_are_rotated_before_they_grow_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 1_000);
    let metas: Vec<_> = (0..8).map(meta).collect();
    let payload = payload(1, 300);
    let frames: Vec<_> = metas.iter().map(|meta| Frame { meta, payload: &payload }).collect();
    let locations = log.append(&frames[..5]).unwrap();
    let long = append_one(&mut log, 5, 5_000).unwrap();
    let after = log.append(&frames[6..]).unwrap();
    log.sync().unwrap();
    let files: Vec<u32> = locations.iter().chain([&long]).chain(&after).map(|location| location.file).collect();
    assert_eq!(files, [0, 0, 1, 1, 2, 3, 4, 4]);
    let dir = SegmentDir::new(folder.path());
    assert_eq!(dir.files().unwrap(), [0, 1, 2, 3, 4]);
    let all: Vec<_> = (0..5).flat_map(|file| sequences(&dir, file)).collect();
    assert_eq!(all, (0..8).map(Some).collect::<Vec<_>>());
    assert_eq!(dir.read(long).unwrap().payload.len(), 5_000);
}

#[test]
fn open_cuts_back_to_the_committed_position() {
    let folder = tempfile::tempdir().unwrap();
    let dir = SegmentDir::new(folder.path());
    let mut log = open(folder.path(), Committed::default(), 1_000);
    append_one(&mut log, 1, 300).unwrap();
    log.sync().unwrap();
    let committed = log.position();
    for number in 2..9 {
        append_one(&mut log, number, 300).unwrap();
    }
    drop(log);
    assert!(dir.files().unwrap().len() > 2);
    let mut log = open(folder.path(), committed, 1_000);
    assert_eq!((log.position(), dir.files().unwrap()), (committed, vec![0]));
    append_one(&mut log, 10, 300).unwrap();
    assert_eq!(sequences(&dir, 0), [Some(1), Some(10)]);

    let beyond = Committed { file: 0, len: 1 << 30 };
    let missing = SegmentLog::open(folder.path(), beyond, SegmentOptions::default()).err();
    assert!(matches!(missing, Some(SegmentError::Missing { file: 0, .. })), "{missing:?}");
}

#[test]
fn an_erased_frame_is_gone_and_its_neighbours_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 64 << 20);
    let locations: Vec<_> = (0..3).map(|number| append_one(&mut log, number, 1 << 20).unwrap()).collect();
    log.sync().unwrap();
    let dir = SegmentDir::new(folder.path());
    for _ in 0..2 {
        dir.erase(&[locations[1]]).unwrap();
    }
    let bytes = fs::read(file_path(folder.path(), 0)).unwrap();
    let wanted = payload(1, 64);
    assert!(!bytes.windows(64).any(|window| window == wanted), "the payload is still in the file");
    let gone = usize::try_from(locations[1].offset).unwrap() + frame::HEADER_BYTES;
    assert!(bytes[gone..gone + (1 << 20)].iter().all(|byte| *byte == 0));
    assert!(matches!(dir.read(locations[1]), Err(SegmentError::Erased { file: 0, .. })));
    assert_eq!(sequences(&dir, 0), [Some(0), None, Some(2)]);
    assert_eq!(dir.read(locations[2]).unwrap().payload, payload(2, 1 << 20));
    append_one(&mut log, 3, 10).unwrap();
    assert_eq!(sequences(&dir, 0), [Some(0), None, Some(2), Some(3)]);
}

#[test]
fn erasing_what_is_no_frame_touches_nothing_and_a_removed_file_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 1_000);
    let location = append_one(&mut log, 1, 700).unwrap();
    append_one(&mut log, 2, 700).unwrap();
    let dir = SegmentDir::new(folder.path());
    for wrong in [Location { offset: 1, ..location }, Location { len: location.len - 1, ..location }] {
        assert!(matches!(dir.erase(&[wrong]), Err(SegmentError::Damaged { .. })));
    }
    assert_eq!(dir.read(location).unwrap().payload, payload(1, 700));
    for _ in 0..2 {
        dir.remove_file(0).unwrap();
        dir.erase(&[location]).unwrap();
    }
    assert!(matches!(dir.read(location), Err(SegmentError::Io { .. })));
    assert_eq!(dir.files().unwrap(), [1]);
}

#[test]
fn a_frame_over_the_limits_is_refused_with_its_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), Committed::default(), 1 << 30);
    let (meta, long) = (meta(1), vec![0; frame::MAX_PAYLOAD_BYTES + 1]);
    let frames = [Frame { meta: &meta, payload: b"fits" }, Frame { meta: &meta, payload: &long }];
    assert!(matches!(log.append(&frames), Err(SegmentError::TooLarge { what: "payload", .. })));
    assert_eq!(log.position(), Committed::default());
    append_one(&mut log, 2, 10).unwrap();
    assert_eq!(sequences(&SegmentDir::new(folder.path()), 0), [Some(2)]);
}
