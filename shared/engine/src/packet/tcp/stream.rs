//! One TCP stream: the state of both directions, and what each segment changes.

use super::open::{OpenSegments, Queue, before};
use super::verdict::{Marks, RoundTrip, Verdict};
use super::{ACK, FIN, RST, SYN, marks, repeats};
use crate::packet::decoded::Segment;

/// Which end of a stream sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The end that comes first in the flow's key.
    First,
    /// The other.
    Second,
}

/// Shift of the windows one direction announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Scale {
    /// No handshake was seen.
    #[default]
    Unknown,
    /// The handshake was seen and does without.
    Unused,
    /// Bits.
    By(u8),
}

/// One direction. Sequence number 0 stands for "not seen yet" where Wireshark does so too: a quirk of one segment in
/// four billion, kept for the sake of equal verdicts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    /// Highest sequence number behind a segment.
    pub(super) next: u32,
    /// The same without holes before it.
    pub(super) contiguous: u32,
    /// Last ACK number it sent.
    pub(super) last_ack: u32,
    /// Duplicate ACKs it sent in a row; `u32::MAX` after an ACK of something that was not captured.
    pub(super) duplicate_acks: u32,
    /// Its initial sequence number, or what stands for it.
    base: Option<u32>,
    /// Last window it announced, unscaled; `u32::MAX` before the first.
    pub(super) window: u32,
    /// When `next` was raised.
    pub(super) next_ns: i64,
    /// When its last segment came.
    pub(super) last_ns: i64,
    /// What waits for ACKs of the other direction.
    pub(super) open: Queue,
    /// Marks of its last segment.
    pub(super) last_marks: Marks,
    pub(super) scale: Scale,
    /// Its SYN was seen and no ACK since: its window is not scaled yet.
    pub(super) before_first_ack: bool,
    /// Bytes in flight are known, which only decides whether tshark shows the initial round trip.
    in_flight_known: bool,
}

impl Default for Direction {
    fn default() -> Self {
        Self {
            next: 0,
            contiguous: 0,
            last_ack: 0,
            duplicate_acks: 0,
            base: None,
            window: u32::MAX,
            next_ns: 0,
            last_ns: 0,
            open: Queue::default(),
            last_marks: Marks::NONE,
            scale: Scale::Unknown,
            before_first_ack: false,
            in_flight_known: true,
        }
    }
}

/// One segment on its way through the rules.
pub(super) struct Case<'a> {
    pub(super) segment: &'a Segment,
    pub(super) time_ns: i64,
    pub(super) initial_rtt_ns: i64,
    pub(super) marks: Marks,
}

impl Case<'_> {
    pub(super) const fn has(&self, flags: u16) -> bool {
        self.segment.flags & flags != 0
    }
}

/// A TCP stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stream {
    first: Direction,
    second: Direction,
    /// The latest SYN without ACK; 0 is none.
    syn_ns: i64,
    /// First ACK minus latest SYN; 0 is unknown.
    initial_rtt_ns: i64,
    initial_rtt_shown: bool,
}

impl Stream {
    /// First ACK minus latest SYN in nanoseconds, once known.
    #[must_use]
    pub const fn initial_rtt_ns(&self) -> Option<i64> {
        if self.initial_rtt_ns == 0 { None } else { Some(self.initial_rtt_ns) }
    }

    /// Whether this segment is a SYN of another connection than the one known here.
    #[must_use]
    pub fn is_replaced_by(&self, side: Side, segment: &Segment) -> bool {
        let base = match side {
            Side::First => self.first.base,
            Side::Second => self.second.base,
        };
        segment.flags & (SYN | ACK) == SYN && base.is_some_and(|base| base != segment.seq)
    }

    /// Begins anew, for a SYN that [replaces](Self::is_replaced_by) the stream.
    pub fn clear(&mut self, pool: &mut OpenSegments) {
        self.first.open.clear(pool);
        self.second.open.clear(pool);
        *self = Self::default();
    }

    /// Takes one segment. `reused` tells that the stream was just cleared for it. A packet without time counts as
    /// captured at 0.
    pub fn take(
        &mut self,
        pool: &mut OpenSegments,
        side: Side,
        time_ns: i64,
        segment: &Segment,
        reused: bool,
    ) -> Verdict {
        let mut case = Case { segment, time_ns, initial_rtt_ns: self.initial_rtt_ns, marks: Marks::NONE };
        if reused {
            case.marks |= Marks::REUSED_PORTS;
        }
        let (forward, reverse) = match side {
            Side::First => (&mut self.first, &mut self.second),
            Side::Second => (&mut self.second, &mut self.first),
        };
        let same_syn = forward.handshake(&mut case);
        let mut verdict = Verdict { data: segment.len > 0 && segment.analysed, ..Verdict::default() };
        let mut remembered = same_syn;
        if segment.analysed {
            forward.set_bases(reverse, segment);
            remembered |= forward.analyse(reverse, pool, &mut case, &mut verdict);
        }
        verdict.resent = case.marks.has(Marks::RETRANSMISSION) && !case.marks.has(Marks::SPURIOUS_RETRANSMISSION);
        verdict.marks = case.marks;
        self.after(side, &case, remembered, &mut verdict);
        verdict
    }

    /// What tshark does behind the sequence analysis: the initial round trip, window scales, and whether it shows
    /// anything at all.
    fn after(&mut self, side: Side, case: &Case<'_>, remembered: bool, verdict: &mut Verdict) {
        let segment = case.segment;
        if segment.flags & (SYN | ACK) == SYN {
            self.syn_ns = case.time_ns;
        }
        if segment.flags & (SYN | ACK) == ACK && self.syn_ns != 0 && self.initial_rtt_ns == 0 {
            self.initial_rtt_ns = case.time_ns.wrapping_sub(self.syn_ns);
        }
        let (forward, reverse) = match side {
            Side::First => (&mut self.first, &mut self.second),
            Side::Second => (&mut self.second, &mut self.first),
        };
        if case.has(SYN) {
            forward.before_first_ack = true;
        } else if case.has(ACK) {
            forward.before_first_ack = false;
        }
        if segment.complete {
            forward.learn_scale(reverse, segment);
            if remembered && self.initial_rtt_ns != 0 && !self.initial_rtt_shown {
                self.initial_rtt_shown = true;
                verdict.first_initial_rtt = true;
            }
        } else {
            verdict.marks = Marks::NONE;
            verdict.ack_rtt_ns = None;
        }
    }
}

impl Direction {
    /// What SYNs do before the analysis. True for a SYN that came before.
    fn handshake(&mut self, case: &mut Case<'_>) -> bool {
        let Some(base) = self.base else { return false };
        match case.segment.flags & (SYN | ACK) {
            SYN => {
                // The connection begins again where it was: an RST may have moved `next` meanwhile.
                self.next = self.contiguous;
                true
            }
            flags if flags == SYN | ACK && base != case.segment.seq => {
                self.base = Some(case.segment.seq);
                case.marks |= Marks::REUSED_PORTS;
                true
            }
            _ => false,
        }
    }

    fn set_bases(&mut self, reverse: &mut Self, segment: &Segment) {
        if self.base.is_none() {
            let syn = segment.flags & SYN != 0;
            self.base = Some(if syn { segment.seq } else { segment.seq.wrapping_sub(1) });
        }
        if reverse.base.is_none() && segment.flags & ACK != 0 {
            reverse.base = Some(segment.ack.wrapping_sub(1));
        }
    }

    /// The sequence analysis. Whether tshark keeps anything about this segment.
    fn analyse(
        &mut self,
        reverse: &mut Self,
        pool: &mut OpenSegments,
        case: &mut Case<'_>,
        verdict: &mut Verdict,
    ) -> bool {
        if case.has(ACK) {
            reverse.in_flight_known = true;
        }
        marks::before_data(self, reverse, case);
        if case.marks.has(Marks::LOST_SEGMENT) {
            self.in_flight_known = false;
        }
        let repeats = repeats::judge(self, reverse, case);
        let room = self.open.has_room();
        if room {
            self.remember(pool, case, repeats);
        }
        self.advance(case, room);
        let segment = case.segment;
        self.last_ack = segment.ack;
        self.last_ns = case.time_ns;
        self.last_marks = case.marks;
        let acked = reverse.acknowledge(pool, case, verdict);
        let in_flight = segment.len != 0 && self.in_flight_known && !self.open.is_empty();
        acked || in_flight || !case.marks.is_empty()
    }

    /// Keeps data, SYN and FIN until they are acknowledged.
    fn remember(&mut self, pool: &mut OpenSegments, case: &Case<'_>, repeats: bool) {
        let segment = case.segment;
        if segment.len == 0 && !case.has(SYN | FIN) {
            return;
        }
        let end = case.end();
        if repeats {
            self.open.mark_repeated(pool, segment.seq, end);
        }
        self.open.add(pool, segment.seq, end, case.time_ns, repeats, case.has(SYN));
    }

    /// Moves `next` and `contiguous`. A SYN or FIN counts as one byte only while there is room to remember it; so it is
    /// in Wireshark.
    fn advance(&mut self, case: &Case<'_>, room: bool) {
        self.window = u32::from(case.segment.window);
        if case.marks.has(Marks::ZERO_WINDOW_PROBE) {
            return;
        }
        let end = if room { case.end() } else { case.segment.seq.wrapping_add(case.segment.len) };
        if before(self.next, end) || self.next == 0 {
            self.next = end;
            self.next_ns = case.time_ns;
        }
        if case.segment.seq == self.contiguous || self.contiguous == 0 {
            self.contiguous = self.next;
        }
    }

    /// What the other side's segment acknowledges of this direction. Whether it is the end of one exactly.
    fn acknowledge(&mut self, pool: &mut OpenSegments, case: &Case<'_>, verdict: &mut Verdict) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let acked = self.open.acknowledge(pool, case.segment.ack);
        let Some(open) = acked.exact else { return false };
        let elapsed = case.time_ns.wrapping_sub(open.time_ns);
        verdict.ack_rtt_ns = (elapsed != 0).then_some(elapsed);
        if let (Ok(elapsed), false, true, false) =
            (u64::try_from(elapsed), acked.any_repeated, case.has(ACK), case.has(RST))
        {
            let kind = match (open.syn, case.has(SYN)) {
                (false, false) => Some(RoundTrip::Ack),
                (true, true) => Some(RoundTrip::HandshakeServer),
                (true, false) => Some(RoundTrip::HandshakeClient),
                (false, true) => None,
            };
            verdict.round_trip = kind.filter(|_| elapsed > 0).map(|kind| (kind, elapsed));
        }
        true
    }

    /// Keeps the shift of the windows; a handshake in which one side has none does without.
    fn learn_scale(&mut self, reverse: &mut Self, segment: &Segment) {
        if let Some(shift) = segment.window_scale {
            self.scale = Scale::By(shift.min(14));
        }
        if segment.flags & SYN == 0 {
            return;
        }
        if self.scale == Scale::Unknown {
            self.scale = Scale::Unused;
            reverse.scale = Scale::Unused;
        } else if segment.flags & ACK != 0 && reverse.scale == Scale::Unused {
            self.scale = Scale::Unused;
        }
    }
}

impl Case<'_> {
    /// The sequence number behind the segment, SYN or FIN counted.
    pub(super) const fn end(&self) -> u32 {
        let end = self.segment.seq.wrapping_add(self.segment.len);
        if self.has(SYN | FIN) { end.wrapping_add(1) } else { end }
    }
}
