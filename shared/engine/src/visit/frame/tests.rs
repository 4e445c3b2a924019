//! Frames come back as they were written, or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::visit::pack::{Marks, Packer};
use crate::visit::samples::{Sample, visits};

/// A log of the samples in frames of `length` rows, where each frame ends, and its rows.
fn log(samples: &[Sample], length: usize) -> (Vec<u8>, Vec<usize>, Vec<Row>) {
    let (mut packer, mut marks, mut log, mut ends, mut all) =
        (Packer::default(), Marks::default(), Vec::new(), vec![0], Vec::new());
    for chunk in samples.chunks(length) {
        let rows: Vec<Row> = chunk.iter().map(|sample| packer.row(&sample.visit()).unwrap()).collect();
        encode(chunk[0].time_ms, &packer.fresh(&marks), &rows, &mut log).unwrap();
        marks = packer.marks();
        ends.push(log.len());
        all.extend(rows);
    }
    (log, ends, all)
}

/// Rows and number of frames up to the end, and what the end was.
fn read(log: &[u8]) -> (Vec<Row>, usize, Result<(), FrameEnd>) {
    let (mut reader, mut packer, mut rows, mut frames) = (FrameReader::default(), Packer::default(), Vec::new(), 0);
    loop {
        match reader.next(log) {
            Ok(Some(frame)) => {
                packer.absorb(&frame).unwrap();
                rows.extend(frame.rows);
                frames += 1;
            }
            Ok(None) => return (rows, frames, Ok(())),
            Err(end) => return (rows, frames, Err(end)),
        }
    }
}

fn some_samples() -> Vec<Sample> {
    (0..5_u8)
        .map(|at| Sample {
            time_ms: 1_700_000_000_000 + i64::from(at) * 50,
            visitor: u64::from(at % 2) << 60 | 7,
            texts: ["/page", "Firefox", "Desktop", "", "Google", "", "DE", "pageview"]
                .map(|text| format!("{text}{at}"))
                .into(),
            traffic: at % 3,
            revenue_micros: i64::from(at) * -5,
            event_id: u64::from(at) << 50,
        })
        .collect()
}

proptest! {
    #[test]
    fn rows_and_texts_come_back(samples in visits(), length in 1..20_usize) {
        let (log, ends, rows) = log(&samples, length);
        prop_assert_eq!(read(&log), (rows, ends.len() - 1, Ok(())));
        let (mut reader, mut packer) = (FrameReader::default(), Packer::default());
        while let Some(frame) = reader.next(&log).unwrap() {
            packer.absorb(&frame).unwrap();
        }
        let mut again = Packer::default();
        samples.iter().try_for_each(|sample| again.row(&sample.visit()).map(|_| ())).unwrap();
        prop_assert_eq!(packer.dictionaries(), again.dictionaries());
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut frame = MAGIC.to_vec();
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        frame.extend_from_slice(&length);
        frame.extend_from_slice(&checksum(length, &bytes).to_le_bytes());
        frame.extend_from_slice(&bytes);
        let damaged = matches!(FrameReader::default().next(&frame), Err(FrameEnd::Damaged { offset: 0, .. }));
        prop_assert!(damaged);
    }

    #[test]
    fn a_changed_body_with_a_right_checksum_is_read_without_harm(at in 0..1000_usize, byte in any::<u8>()) {
        let (mut log, ends, _) = log(&some_samples(), 5);
        let at = HEAD + at % (ends[1] - HEAD);
        log[at] = byte;
        let sum = checksum(log[4..8].try_into().unwrap(), &log[HEAD..]).to_le_bytes();
        log[8..12].copy_from_slice(&sum);
        if let Ok(Some(frame)) = FrameReader::default().next(&log) {
            // It may say something else now, but nothing that does not fit together.
            drop(Packer::default().absorb(&frame));
        }
    }
}

#[test]
fn a_log_cut_anywhere_keeps_its_whole_frames() {
    let (log, ends, rows) = log(&some_samples(), 2);
    for length in 0..=log.len() {
        let mut padded = log[..length].to_vec();
        // Zeros follow where the file was made longer ahead of the writing, and may be the very bytes that are missing.
        for zeros in [0, 4096] {
            padded.resize(length + zeros, 0);
            let same = |end: &&usize| padded.get(..**end).is_some_and(|front| *front == log[..**end]);
            let whole = ends.iter().filter(same).count() - 1;
            let offset = ends[whole];
            let (found, frames, end) = read(&padded);
            assert_eq!((frames, found.as_slice()), (whole, &rows[..(whole * 2).min(5)]));
            let expected = if offset >= length { Ok(()) } else { Err(FrameEnd::Torn { offset }) };
            assert!(end == expected, "{length} {zeros}: {end:?}");
        }
    }
}

#[test]
fn every_flipped_bit_is_seen() {
    let (log, ends, rows) = log(&some_samples(), 2);
    for at in 0..log.len() {
        for bit in 0..8 {
            let mut changed = log.clone();
            changed[at] ^= 1 << bit;
            let before = ends.iter().filter(|end| **end <= at).count() - 1;
            let (found, frames, end) = read(&changed);
            assert_eq!((frames, found.as_slice()), (before, &rows[..before * 2]));
            match end.unwrap_err() {
                FrameEnd::Damaged { offset, .. } => assert_eq!(offset, ends[before]),
                FrameEnd::Torn { offset } => {
                    assert_eq!((offset, frames), (ends[2], 2), "only the last frame can be torn")
                }
            }
        }
    }
}

#[test]
fn a_write_that_failed_is_repeated_with_its_texts() {
    let samples = some_samples();
    let (mut packer, written, mut log) = (Packer::default(), Marks::default(), Vec::new());
    let lost = packer.row(&samples[0].visit()).unwrap();
    encode(1, &packer.fresh(&written), &[lost], &mut Vec::new()).unwrap();
    let kept = packer.row(&samples[1].visit()).unwrap();
    encode(2, &packer.fresh(&written), &[kept], &mut log).unwrap();
    assert_eq!(read(&log), (vec![kept], 1, Ok(())));
}

#[test]
fn frames_out_of_order_are_not_absorbed() {
    let (log, ends, _) = log(&some_samples(), 2);
    let mut packer = Packer::default();
    let second = FrameReader::default().next(&log[ends[1]..]).unwrap().unwrap();
    assert!(packer.absorb(&second).is_err());
    let bare = Frame { rows: second.rows, ..Frame::default() };
    assert!(Packer::default().absorb(&bare).is_err(), "its codes are unknown");
}

#[test]
fn a_newer_version_is_not_taken_for_a_torn_end() {
    let (mut log, _, _) = log(&some_samples(), 5);
    log[3] = VERSION + 1;
    assert!(matches!(FrameReader::default().next(&log), Err(FrameEnd::Damaged { offset: 0, .. })));
}

/// A frame of version 1 as it lies in logs is written and read like this for ever.
/// `UPDATE_GOLDEN=1` writes the file; never after a release.
#[test]
fn frames_of_version_1_stay_readable() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/visit_frame_v1.txt");
    let (log, _, rows) = log(&some_samples(), 3);
    let mut text = log.chunks(32).fold(String::new(), |mut text, line| {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text + "\n"
    });
    rows.iter().for_each(|row| writeln!(text, "{row:?}").unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
    assert_eq!(read(&log).0, rows);
}
