//! The rules on small conversations, and any segments at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::packet::decoded::Segment;

const US: i64 = 1_000;
const PSH_ACK: u16 = 0x18;

struct Talk {
    pool: OpenSegments,
    stream: Stream,
}

/// A segment: microseconds, who sends, flags, sequence number, ACK number, payload.
type Line = (i64, Side, u16, u32, u32, u32);

use Side::{First as C, Second as S};

fn segment(flags: u16, seq: u32, ack: u32, len: u32, window: u16) -> Segment {
    let host = IpAddr::from([10, 0, 0, 1]);
    Segment {
        src: host,
        dst: host,
        src_port: 1,
        dst_port: 2,
        seq,
        ack,
        flags,
        window,
        window_scale: (flags & SYN != 0).then_some(2),
        len,
        analysed: true,
        complete: true,
    }
}

impl Talk {
    fn new() -> Self {
        Self { pool: OpenSegments::new(1_000_000), stream: Stream::default() }
    }

    fn say(&mut self, line: Line) -> Verdict {
        self.say_with(line, 9_000)
    }

    fn say_with(&mut self, (us, side, flags, seq, ack, len): Line, window: u16) -> Verdict {
        let segment = segment(flags, seq, ack, len, window);
        let reused = self.stream.is_replaced_by(side, &segment);
        if reused {
            self.stream.clear(&mut self.pool);
        }
        self.stream.take(&mut self.pool, side, us * US, &segment, reused)
    }

    /// After a handshake with 10 ms round trip; the next bytes are 1001 of the client and 5001 of the server.
    fn open() -> Self {
        let mut talk = Self::new();
        talk.say((1_000, C, SYN, 1_000, 0, 0));
        talk.say((10_000, S, SYN | ACK, 5_000, 1_001, 0));
        let ack = talk.say((11_000, C, ACK, 1_001, 5_001, 0));
        assert!(ack.first_initial_rtt);
        assert_eq!(talk.stream.initial_rtt_ns(), Some(10_000 * US));
        talk
    }
}

fn marks(lines: &[Line]) -> Vec<Marks> {
    let mut talk = Talk::open();
    lines.iter().map(|line| talk.say(*line).marks).collect()
}

#[test]
fn a_handshake_gives_both_halves_and_data_a_round_trip() {
    let mut talk = Talk::new();
    assert_eq!(talk.say((0, C, SYN, 1_000, 0, 0)).round_trip, None);
    let half = talk.say((9_000, S, SYN | ACK, 5_000, 1_001, 0));
    assert_eq!(half.round_trip, Some((RoundTrip::HandshakeServer, 9_000_000)));
    let half = talk.say((9_100, C, ACK, 1_001, 5_001, 0));
    assert_eq!(half.round_trip, Some((RoundTrip::HandshakeClient, 100_000)));
    talk.say((9_200, C, PSH_ACK, 1_001, 5_001, 50));
    let ack = talk.say((20_000, S, ACK, 5_001, 1_051, 0));
    assert_eq!(ack.round_trip, Some((RoundTrip::Ack, 10_800_000)));
    assert_eq!(ack.ack_rtt_ns, Some(10_800_000));
}

#[test]
fn a_repeated_syn_gives_no_half_of_the_handshake() {
    let mut talk = Talk::new();
    talk.say((0, C, SYN, 1_000, 0, 0));
    let again = talk.say((1_000_000, C, SYN, 1_000, 0, 0));
    assert_eq!(again.marks, Marks::RETRANSMISSION);
    assert!(again.retransmitted());
    let answer = talk.say((1_009_000, S, SYN | ACK, 5_000, 1_001, 0));
    assert_eq!((answer.round_trip, answer.ack_rtt_ns), (None, Some(1_009_000_000)), "tshark counts from the first SYN");
}

#[test]
fn a_syn_on_used_ports_begins_a_stream() {
    let mut talk = Talk::open();
    let syn = talk.say((50_000, C, SYN, 77_000, 0, 0));
    assert_eq!(syn.marks, Marks::REUSED_PORTS);
    assert_eq!(talk.stream.initial_rtt_ns(), None);
}

#[test]
fn karns_rule_takes_out_what_came_twice_and_what_waited_for_it() {
    let mut talk = Talk::open();
    talk.say((20_000, C, ACK, 1_001, 5_001, 100));
    talk.say((20_010, C, ACK, 1_101, 5_001, 100));
    let again = talk.say((320_000, C, ACK, 1_001, 5_001, 100));
    assert_eq!(again.marks, Marks::RETRANSMISSION);
    let ack = talk.say((330_000, S, ACK, 5_001, 1_201, 0));
    assert_eq!(ack.ack_rtt_ns, Some(309_990_000));
    assert_eq!(ack.round_trip, None);
}

#[test]
fn three_duplicate_acks_make_a_fast_retransmission() {
    let told = marks(&[
        (20_000, C, ACK, 1_001, 5_001, 100),
        (20_010, C, ACK, 1_101, 5_001, 100),
        (20_020, C, ACK, 1_201, 5_001, 100),
        (30_000, S, ACK, 5_001, 1_001, 0),
        (30_010, S, ACK, 5_001, 1_001, 0),
        (31_000, C, ACK, 1_001, 5_001, 100),
    ]);
    assert_eq!(told[3..5], [Marks::DUPLICATE_ACK; 2]);
    assert_eq!(told[5], Marks::FAST_RETRANSMISSION | Marks::RETRANSMISSION);
}

#[test]
fn what_was_acknowledged_already_is_spurious() {
    let told = marks(&[
        (20_000, C, ACK, 1_001, 5_001, 100),
        (30_000, S, ACK, 5_001, 1_101, 0),
        (400_000, C, ACK, 1_001, 5_001, 100),
    ]);
    assert_eq!(told[2], Marks::SPURIOUS_RETRANSMISSION | Marks::RETRANSMISSION);
}

#[test]
fn a_hole_filled_soon_was_only_overtaken() {
    let told = marks(&[
        (20_000, C, ACK, 1_001, 5_001, 100),
        (20_010, C, ACK, 1_201, 5_001, 100),
        (20_020, C, ACK, 1_101, 5_001, 100),
    ]);
    assert_eq!(told[1..], [Marks::LOST_SEGMENT, Marks::OUT_OF_ORDER]);
    let told = marks(&[
        (20_000, C, ACK, 1_001, 5_001, 100),
        (20_010, C, ACK, 1_201, 5_001, 100),
        (90_000, C, ACK, 1_101, 5_001, 100),
    ]);
    assert_eq!(told[2], Marks::RETRANSMISSION, "not after a round trip");
}

#[test]
fn an_ack_of_what_was_not_captured_is_said_once() {
    let told = marks(&[
        (30_000, S, ACK, 5_001, 1_501, 10),
        (30_010, S, ACK, 5_011, 1_501, 10),
        (30_020, S, ACK, 5_021, 1_501, 10),
    ]);
    assert_eq!(told, [Marks::ACK_LOST_SEGMENT, Marks::NONE, Marks::NONE]);
}

#[test]
fn keep_alives_are_no_retransmissions() {
    let told = marks(&[
        (20_000, C, ACK, 1_001, 5_001, 100),
        (30_000, S, ACK, 5_001, 1_101, 0),
        (9_000_000, C, ACK, 1_100, 5_001, 1),
        (9_010_000, S, ACK, 5_001, 1_101, 0),
    ]);
    assert_eq!(told[2..], [Marks::KEEP_ALIVE, Marks::KEEP_ALIVE_ACK]);
}

#[test]
fn windows_close_fill_and_open() {
    let mut talk = Talk::new();
    talk.say_with((1_000, C, SYN, 1_000, 0, 0), 100);
    talk.say_with((10_000, S, SYN | ACK, 5_000, 1_001, 0), 100);
    talk.say_with((11_000, C, ACK, 1_001, 5_001, 0), 100);
    // The window is scaled by two bits: 100 means 400 bytes, but not before the server's first ACK.
    assert_eq!(talk.say_with((20_000, C, ACK, 1_001, 5_001, 100), 100).marks, Marks::WINDOW_FULL);
    assert_eq!(talk.say_with((20_010, C, ACK, 1_101, 5_001, 300), 100).marks, Marks::NONE);
    let closed = talk.say_with((21_000, S, ACK, 5_001, 1_401, 0), 0);
    assert_eq!(closed.marks, Marks::ZERO_WINDOW);
    let probe = talk.say_with((300_000, C, ACK, 1_401, 5_001, 1), 100);
    assert_eq!(probe.marks, Marks::ZERO_WINDOW_PROBE);
    let answer = talk.say_with((301_000, S, ACK, 5_001, 1_401, 0), 0);
    assert!(answer.marks.has(Marks::ZERO_WINDOW) && !answer.marks.has(Marks::DUPLICATE_ACK));
    let opened = talk.say_with((500_000, S, ACK, 5_001, 1_401, 0), 100);
    assert_eq!(opened.marks, Marks::WINDOW_UPDATE);
    let full = talk.say_with((501_000, C, ACK, 1_401, 5_001, 400), 100);
    assert_eq!(full.marks, Marks::WINDOW_FULL);
}

#[test]
fn segments_without_all_options_move_the_state_and_show_nothing() {
    let mut talk = Talk::open();
    talk.say((20_000, C, ACK, 1_001, 5_001, 100));
    let cut = Segment { complete: false, ..segment(ACK, 1_001, 5_001, 100, 100) };
    let verdict = talk.stream.take(&mut talk.pool, C, 400_000 * US, &cut, false);
    assert_eq!((verdict.marks, verdict.retransmitted()), (Marks::NONE, true));
}

fn any_line() -> impl Strategy<Value = (i64, bool, u16, u32, u32, u32, u16)> {
    let near = || prop_oneof![0..2_000_u32, any::<u32>(), (u32::MAX - 1_000)..=u32::MAX];
    (
        any::<i32>().prop_map(i64::from),
        any::<bool>(),
        0..0x40_u16,
        near(),
        near(),
        prop_oneof![0..3_u32, 0..70_000_u32],
        0..4_u16,
    )
}

proptest! {
    #[test]
    fn any_segments_are_taken_and_cleared(lines in proptest::collection::vec(any_line(), 0..200)) {
        let mut talk = Talk::new();
        for (us, client, flags, seq, ack, len, window) in lines {
            talk.say_with((us, if client { C } else { S }, flags, seq, ack, len), window);
        }
        talk.stream.clear(&mut talk.pool);
        prop_assert_eq!(talk.pool.used(), 0);
    }
}
