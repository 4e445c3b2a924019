//! Blocks of pcapng: sections, interfaces, every kind of packet, and the checks that end a file.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::io::Cursor;

use super::CaptureReader;

/// Time, length on the wire, captured bytes, link type.
type Told = (Option<i64>, u32, usize, u16);

/// Builds a file block by block in one byte order.
struct File {
    big: bool,
    bytes: Vec<u8>,
}

impl File {
    fn new(big: bool) -> Self {
        let mut file = Self { big, bytes: Vec::new() };
        file.section();
        file
    }

    fn word(&self, word: u32) -> [u8; 4] {
        if self.big { word.to_be_bytes() } else { word.to_le_bytes() }
    }

    fn half(&self, half: u16) -> [u8; 2] {
        if self.big { half.to_be_bytes() } else { half.to_le_bytes() }
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(4), 0);
        let length = self.word(u32::try_from(padded.len() + 12).unwrap());
        let kind = self.word(kind);
        self.bytes.extend([&kind, &length, padded.as_slice(), &length].concat());
        self
    }

    fn section(&mut self) -> &mut Self {
        let body = [&self.word(0x1a2b_3c4d)[..], &self.half(1), &self.half(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(&mut self, link: u16, snap_len: u32, options: &[u8]) -> &mut Self {
        let body = [&self.half(link)[..], &[0, 0], &self.word(snap_len), options].concat();
        self.block(1, &body)
    }

    fn packet(&mut self, interface: u32, time: u32, data: &[u8], options: &[u8]) -> &mut Self {
        let length = u32::try_from(data.len()).unwrap();
        let mut body = [interface, 0, time, length, length + 1].map(|word| self.word(word)).concat();
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(options);
        self.block(6, &body)
    }

    /// Times, lengths and links of the packets, records without a packet, and the place of the fault.
    fn read(&self) -> (Vec<Told>, u64, Option<u64>) {
        let mut reader = CaptureReader::open(Cursor::new(self.bytes.clone())).unwrap();
        let mut told = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(packet)) => told.push((packet.time_ns, packet.wire_len, packet.data.len(), packet.link.0)),
                Ok(None) => return (told, reader.non_packet_records(), None),
                Err(fault) => return (told, reader.non_packet_records(), Some(fault.offset)),
            }
        }
    }
}

#[test]
fn sections_have_interfaces_of_their_own() {
    for big in [false, true] {
        let mut file = File::new(big);
        file.interface(1, 0, &[]).interface(101, 0, &[]).packet(1, 5, &[0x45; 6], &[]).packet(0, 6, &[1; 3], &[]);
        file.big = !big;
        file.section().interface(113, 0, &[]).packet(0, 7, &[2; 16], &[]);
        let expected = vec![(Some(5_000), 7, 6, 101), (Some(6_000), 4, 3, 1), (Some(7_000), 17, 16, 113)];
        assert_eq!(file.read(), (expected, 0, None));
        let at = file.bytes.len() as u64;
        file.packet(1, 8, &[0], &[]);
        assert_eq!(file.read().2, Some(at), "the second section has one interface");
    }
}

#[test]
fn simple_and_obsolete_packets() {
    let mut file = File::new(true);
    file.interface(1, 10, &[]);
    file.block(3, &[&20_u32.to_be_bytes()[..], &[9; 10], &[0; 2]].concat());
    let old = [&[0, 0, 0, 3][..], &[0, 0, 0, 0], &[0, 0, 0, 9], &[0, 0, 0, 5], &[0, 0, 0, 8], &[1; 5]].concat();
    file.block(2, &old);
    assert_eq!(file.read(), (vec![(None, 20, 10, 1), (Some(9_000), 8, 5, 1)], 0, None));
}

#[test]
fn other_blocks_are_passed_over_and_some_are_counted() {
    let mut file = File::new(false);
    file.interface(1, 0, &[]).block(0x1234_5678, &[0; 12]).block(0xbad, &[1; 8]).block(0x4000_0bad, &[1; 4]);
    file.block(5, &[0; 12]).block(4, &[1, 0, 6, 0, 192, 0, 2, 1, b'a', 0, 0, 0, 0, 0, 0, 0]);
    file.block(10, &[&[0; 4][..], &[4, 0, 0, 0], &[7; 4]].concat()).block(9, &[b'x'; 40]);
    file.packet(0, 1, &[0; 4], &[]);
    assert_eq!(file.read(), (vec![(Some(1_000), 5, 4, 1)], 3, None));
}

/// The place of the fault when a block follows one good packet; none when there is no fault.
fn fault_of(add: impl Fn(&mut File)) -> Option<u64> {
    let mut file = File::new(false);
    file.interface(1, 0, &[]).packet(0, 1, &[0; 4], &[]);
    let at = file.bytes.len() as u64;
    add(&mut file);
    let (told, _, fault) = file.read();
    assert!(!told.is_empty(), "the packet before comes first");
    fault.inspect(|&fault| assert_eq!(fault, at))
}

#[test]
fn damage_is_found_where_it_begins() {
    let breaks = |add: &dyn Fn(&mut File)| fault_of(add).is_some();
    // Interfaces, packets and their options.
    assert!(
        breaks(&|file| {
            file.packet(0, 1, &[0; 4], &[2, 0, 3, 0, 1, 1, 1, 0]);
        }),
        "flags have four bytes"
    );
    assert!(!breaks(&|file| {
        file.packet(0, 1, &[0; 4], &[2, 0, 4, 0, 1, 1, 1, 0]);
    }));
    assert!(
        breaks(&|file| {
            file.packet(0, 1, &[0; 4], &[1, 0, 9, 0, 1, 1, 1, 0]);
        }),
        "longer than the block"
    );
    assert!(
        !breaks(&|file| {
            file.packet(0, 1, &[0; 4], &[0, 0, 0, 0, 9, 9, 9, 9]);
        }),
        "nothing counts behind the end"
    );
    assert!(
        breaks(&|file| {
            file.interface(1, 0, &[11, 0, 0, 0]);
        }),
        "an empty filter"
    );
    assert!(
        breaks(&|file| {
            file.block(4, &[1, 0, 3, 0, 1, 1, 1, 0]);
        }),
        "a name without an address"
    );
    assert!(
        breaks(&|file| {
            file.block(6, &[0; 16]);
        }),
        "too short for a packet"
    );
    // Lengths: too long for any block, unequal ones, and a packet that leaves its block.
    assert!(breaks(&|file| file.bytes.extend([1, 2, 3, 4, 0xff, 0xff, 0xff, 0x7f])));
    assert!(breaks(&|file| {
        file.packet(0, 1, &[0; 4], &[]);
        let last = file.bytes.len() - 4;
        file.bytes[last] ^= 4;
    }));
    assert!(breaks(&|file| {
        file.block(6, &[&[0; 12][..], &[9, 0, 0, 0], &[9, 0, 0, 0], &[0; 8]].concat());
    }));
}

#[test]
fn a_link_type_nobody_knows_is_handed_on() {
    let mut file = File::new(false);
    file.interface(281, 0, &[]).packet(0, 1, &[0; 4], &[]);
    assert_eq!(file.read(), (vec![(Some(1_000), 5, 4, 281)], 0, None));
}
