//! Files byte by byte: formats, byte orders, and where damage is found.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{CaptureReader, FileFault, FileFaultKind, PcapWriter};
use crate::packet::craft::{Capture, udp};
use crate::packet::raw::LinkType;

/// Time, length on the wire, captured bytes, link type.
type Told = (Option<i64>, u32, Vec<u8>, u16);

fn read(bytes: &[u8]) -> (Vec<Told>, Option<FileFault>) {
    let mut reader = match CaptureReader::open(Cursor::new(bytes.to_vec())) {
        Ok(reader) => reader,
        Err(fault) => return (Vec::new(), Some(fault)),
    };
    let mut told = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(packet)) => told.push((packet.time_ns, packet.wire_len, packet.data.to_vec(), packet.link.0)),
            Ok(None) => return (told, None),
            Err(fault) => {
                assert!(reader.next().unwrap().is_none(), "nothing comes after a fault");
                return (told, Some(fault));
            }
        }
    }
}

fn capture() -> Capture {
    let mut capture = Capture::new();
    for (place, port) in (0..).zip(1_000..1_005) {
        let frame = udp(([192, 0, 2, 1], port).into(), ([192, 0, 2, 2], 53).into(), &vec![7; place * 3]);
        capture.at(1_700_000_000_123_456_789 + i64::try_from(place).unwrap(), &frame);
    }
    capture
}

/// A file header and records of a pcap file: numbers of four bytes, then data.
fn pcap(order: fn(u32) -> [u8; 4], magic: u32, version: [u8; 4], network: u32, records: &[(&[u32], &[u8])]) -> Vec<u8> {
    let mut out = order(magic).to_vec();
    out.extend(version);
    for word in [0, 0, 65_535, network] {
        out.extend(order(word));
    }
    for (head, data) in records {
        for &word in *head {
            out.extend(order(word));
        }
        out.extend(*data);
    }
    out
}

const LITTLE: fn(u32) -> [u8; 4] = u32::to_le_bytes;
const BIG: fn(u32) -> [u8; 4] = u32::to_be_bytes;
const V2_4: [u8; 4] = [2, 0, 4, 0];

#[test]
fn both_formats_give_back_what_was_written() {
    let capture = capture();
    let expected: Vec<Told> = capture
        .packets
        .iter()
        .map(|packet| (Some(packet.time_ns), u32::try_from(packet.bytes.len()).unwrap(), packet.bytes.clone(), 1))
        .collect();
    assert_eq!(read(&capture.pcap()), (expected.clone(), None));
    assert_eq!(read(&capture.pcapng()), (expected, None));
    let cut = read(&capture.cut(50)).0;
    assert_eq!((cut[4].1, cut[4].2.len()), (54, 50));
}

#[test]
fn pcap_of_both_orders_and_both_resolutions() {
    let record: (&[u32], &[u8]) = (&[5, 7, 2, 9], &[1, 2]);
    let told = |nanos: i64| (vec![(Some(5_000_000_000 + nanos), 9, vec![1, 2], 1)], None);
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 1, &[record])), told(7_000));
    assert_eq!(read(&pcap(BIG, 0xa1b2_c3d4, [0, 2, 0, 4], 1, &[record])), told(7_000));
    assert_eq!(read(&pcap(BIG, 0xa1b2_3c4d, [0, 2, 0, 4], 1, &[record])), told(7));
    // Bits of the frame check sequence above the link type are no part of it.
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 0x2400_0001, &[record])), told(7_000));
    // Before version 2.3 the lengths stood the other way round.
    let old: (&[u32], &[u8]) = (&[5, 7, 9, 2], &[1, 2]);
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, [2, 0, 2, 0], 1, &[old])), told(7_000));
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, [2, 0, 3, 0], 1, &[old])), told(7_000));
}

#[test]
fn records_with_longer_headers_are_recognised() {
    let head: &[u32] = &[5, 7, 2, 9, 4, 0x0800];
    let records = [(head, &[1_u8, 2][..]); 4];
    let (told, fault) = read(&pcap(LITTLE, 0xa1b2_cd34, V2_4, 1, &records));
    assert_eq!((told.len(), fault), (4, None));
    assert_eq!(told[3], (Some(5_000_007_000), 9, vec![1, 2], 1));
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 1, &records)).0.len(), 4, "the same under the usual number");
    let nokia: &[u32] = &[5, 7, 2, 9, 0x0102_0304];
    assert_eq!(read(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 1, &[(nokia, &[1, 2][..]); 4])).0.len(), 4);
}

#[test]
fn faults_of_the_header_name_their_kind() {
    let kind = |bytes: &[u8]| read(bytes).1.map(|fault| fault.kind);
    assert_eq!(kind(&[]), Some(FileFaultKind::Empty));
    assert_eq!(kind(b"hello, this is no capture at all"), Some(FileFaultKind::NotACapture));
    assert_eq!(kind(&[0xd4, 0xc3]), Some(FileFaultKind::NotACapture));
    assert_eq!(kind(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 281, &[])), Some(FileFaultKind::UnsupportedLink));
    assert_eq!(kind(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 0x0001_0001, &[])), Some(FileFaultKind::Damaged));
    assert_eq!(kind(&pcap(LITTLE, 0xa1b2_c3d4, [1, 0, 0, 0], 1, &[])), Some(FileFaultKind::Damaged));
    assert_eq!(kind(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 1, &[])[..20]), Some(FileFaultKind::Damaged));
    assert_eq!(kind(&pcap(LITTLE, 0xa1b2_c3d4, V2_4, 1, &[])), None, "a header alone is a capture without packets");
}

#[test]
fn packets_before_damage_come_first_and_the_offset_is_that_of_the_damaged_record() {
    for whole in [capture().pcap(), capture().pcapng()] {
        let packets = read(&whole).0;
        let last = whole.len() - if whole.starts_with(&[10]) { 88 } else { 70 };
        for cut in last + 1..whole.len() {
            let (told, fault) = read(&whole[..cut]);
            let fault = fault.unwrap();
            assert_eq!(
                (told.len(), fault.offset, fault.kind),
                (4, last as u64, FileFaultKind::Damaged),
                "cut at {cut}"
            );
        }
        assert_eq!(read(&whole[..last]), (packets[..4].to_vec(), None));
    }
    let records: [(&[u32], &[u8]); 2] = [(&[5, 7, 2, 9], &[1, 2]), (&[5, 7, 262_145, 262_145], &[0; 50])];
    let (told, fault) = read(&pcap(LITTLE, 0xa1b2_3c4d, V2_4, 1, &records));
    assert_eq!((told.len(), fault.unwrap().offset), (1, 42));
}

#[test]
fn gzip_members_are_one_file_and_damage_keeps_what_came_before() {
    let whole = capture().pcap();
    let pack = |part: &[u8]| {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(part).unwrap();
        out.finish().unwrap()
    };
    let members = [pack(&whole[..100]), pack(&whole[100..])].concat();
    assert_eq!(read(&members), read(&whole));
    assert_eq!(CaptureReader::open(Cursor::new(members.clone())).unwrap().format(), "pcap (gzip)");
    let (told, fault) = read(&members[..members.len() - 9]);
    assert_eq!(fault.map(|fault| fault.kind), Some(FileFaultKind::Damaged));
    assert!(told.len() <= 5);
    let mut damaged = members;
    let last = damaged.len() - 1;
    damaged[last - 6] ^= 1;
    let fault = read(&damaged).1.unwrap();
    assert!(fault.message.contains("checksum"), "{fault}");
    // A plain part may follow, as tshark reads it.
    assert_eq!(read(&[pack(&whole[..100]), whole[100..].to_vec()].concat()), read(&whole));
}

#[test]
fn what_unpacks_to_too_much_is_a_fault() {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(&capture().pcap()).unwrap();
    out.write_all(&vec![0; 4_000_000]).unwrap();
    let packed = out.finish().unwrap();
    let fault = CaptureReader::open_limited(Cursor::new(packed.clone()), 10).unwrap_err();
    assert_eq!(fault.kind, FileFaultKind::TooLarge, "{fault}");
    // Packets within the limit come first.
    let mut reader = CaptureReader::open_limited(Cursor::new(packed), 90).unwrap();
    assert!(reader.next().unwrap().is_some());
    let fault = reader.next().unwrap_err();
    assert_eq!((fault.kind, fault.offset), (FileFaultKind::TooLarge, 24 + 16 + 42), "{fault}");
}

#[test]
fn the_writer_counts_and_cuts() {
    let mut out = PcapWriter::new(Vec::new(), LinkType(101), 4).unwrap();
    out.packet(1_000_000_001, 60, &[1; 60]).unwrap();
    assert_eq!(out.written(), 24 + 16 + 4);
    assert_eq!(read(&out.finish().unwrap()).0, [(Some(1_000_000_001), 60, vec![1; 4], 101)]);
}
