//! One connection while it lasts.

use super::gaps::Gaps;
use super::history::{History, Step};
use super::machine::{ACK, Machine, Name, RST, SYN};
use crate::packet::decoded::{Decoded, Segment, Transport};
use crate::packet::service;
use crate::packet::tcp::{Marks, Verdict};
use crate::packet::window::{Ends, Protocol};

const SECOND: i64 = 1_000_000_000;
/// Open this long, a connection is long-lived for the first time; then at 30 minutes, an hour, and each doubling.
const FIRST_MILESTONE: i64 = 600 * SECOND;
const SECOND_MILESTONE: i64 = 1_800 * SECOND;
/// Silence after which a conversation without a handshake counts as a new one (Zeek's inactivity timeout of UDP).
const UDP_SILENCE: i64 = 60 * SECOND;

/// Sums of one direction; index 0 of pairs of them is the direction of the first packet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) packets: u64,
    pub(super) ip_bytes: u64,
    pub(super) payload: u64,
    pub(super) data: u32,
    pub(super) retransmitted: u32,
    /// Holes and zero windows noted so far, for the history.
    holes: u32,
    shut: u32,
}

/// What became of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// A SYN went out.
    Begun,
    /// It was answered.
    Answered,
    /// It was refused, or reset before any data.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Trial {
    #[default]
    None,
    Waiting,
    /// Answered, no data yet.
    Quiet,
    Done,
}

/// State of a connection that the analyzer keeps in its flow.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// Counts connections in the order of their first packets; none until the first packet.
    pub(crate) id: Option<u64>,
    /// Connections of the same flow before this one.
    pub(crate) generation: u16,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    since_ns: i64,
    crossing_ns: i64,
    syn_ns: i64,
    pub(super) initial_rtt_ns: Option<u64>,
    /// Whether the first packet came from the responder.
    pub(super) flipped: bool,
    trial: Trial,
    machine: Machine,
    pub(super) history: History,
    pub(super) sums: [Sums; 2],
    pub(super) gaps: [Gaps; 2],
}

/// What a packet changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changes {
    /// The first packet of its connection.
    pub(crate) opened: bool,
    /// Ended by it.
    pub(crate) closed: bool,
    /// The attempt to connect.
    pub(crate) attempt: Option<Attempt>,
    /// The greatest milestone of its length that it crossed, and how long it has been open, in nanoseconds.
    pub(crate) long: Option<(i64, i64)>,
}

impl Changes {
    /// Whether there is anything to do.
    pub(crate) fn any(&self) -> bool {
        self.opened || self.closed || self.attempt.is_some() || self.long.is_some()
    }
}

impl Tracker {
    /// Whether the flow's first packet came from the responder.
    pub(crate) fn turned(&self) -> bool {
        self.flipped
    }

    /// Takes a packet that goes `direction` (0 is the way of the flow's first packet).
    pub(crate) fn take(&mut self, time_ns: i64, direction: usize, decoded: &Decoded, ends: &Ends) -> Changes {
        let protocol = ends.protocol;
        let mut changes = Changes::default();
        if self.sums.iter().all(|sums| sums.packets == 0) {
            changes.opened = true;
            self.begin(time_ns, decoded, ends);
        }
        if protocol != Protocol::Tcp && time_ns.saturating_sub(self.last_ns) > UDP_SILENCE {
            self.since_ns = time_ns;
            self.crossing_ns = time_ns.saturating_add(FIRST_MILESTONE);
        }
        self.last_ns = self.last_ns.max(time_ns);
        if let Some(sums) = self.sums.get_mut(direction) {
            sums.packets += 1;
            sums.ip_bytes += u64::from(decoded.ip_len);
            sums.payload += u64::from(decoded.payload_len);
        }
        let from = direction ^ usize::from(self.flipped);
        match (protocol, decoded.outer_tcp_flags) {
            (Protocol::Tcp, Some(flags)) => self.segment(time_ns, from, flags, decoded, &mut changes),
            _ => self.history.datagram(from),
        }
        // Datagrams that nobody answers are no connection.
        let answered = protocol == Protocol::Tcp || self.sums.iter().all(|sums| sums.packets > 0);
        if time_ns >= self.crossing_ns && answered && !self.machine.over() {
            changes.long = Some(self.crossed(time_ns));
        }
        changes
    }

    /// Takes what the sequence analysis said of the packet.
    pub(crate) fn verdict(&mut self, direction: usize, verdict: &Verdict) {
        let from = direction ^ usize::from(self.flipped);
        let Some(sums) = self.sums.get_mut(direction) else { return };
        if verdict.data {
            sums.data = sums.data.saturating_add(1);
            if verdict.retransmitted() {
                sums.retransmitted = sums.retransmitted.saturating_add(1);
                self.history.repeated(from, b'T', sums.retransmitted);
            }
        }
        if verdict.marks.has(Marks::ZERO_WINDOW) {
            sums.shut = sums.shut.saturating_add(1);
            self.history.repeated(from, b'W', sums.shut);
        }
    }

    /// Makes room for the next connection on the same ends.
    pub(crate) fn restart(&mut self) {
        let generation = self.generation.wrapping_add(1);
        *self = Self { generation, ..Self::default() };
    }

    /// Its state by Zeek's names.
    pub(crate) fn state(&self, protocol: Protocol) -> Name {
        if protocol == Protocol::Tcp {
            let data = self.sums.iter().any(|sums| sums.payload > 0);
            return self.machine.name(data, self.history.syn_then_reset());
        }
        let active = self.sums.each_ref().map(|sums| sums.packets > 0);
        match active {
            _ if protocol == Protocol::Icmp => Name::Oth,
            [true, true] => Name::Sf,
            [true, false] => Name::S0,
            [false, true] => Name::Shr,
            [false, false] => Name::Oth,
        }
    }

    /// Whether it is still open.
    pub(crate) fn open(&self) -> bool {
        self.machine.open()
    }

    /// Packets of both directions.
    pub(crate) fn packets(&self) -> u64 {
        self.sums.iter().map(|sums| sums.packets).sum()
    }

    /// Bytes of both directions from the IP header on.
    pub(crate) fn ip_bytes(&self) -> u64 {
        self.sums.iter().map(|sums| sums.ip_bytes).sum()
    }

    fn begin(&mut self, time_ns: i64, decoded: &Decoded, ends: &Ends) {
        self.first_ns = time_ns;
        self.last_ns = time_ns;
        self.since_ns = time_ns;
        self.crossing_ns = time_ns.saturating_add(FIRST_MILESTONE);
        if let Some(flags) = decoded.outer_tcp_flags {
            // The answer to a SYN that was not captured, or traffic of a server in the middle of a connection.
            let answer = flags & (SYN | ACK) == SYN | ACK;
            let known = |port| service::by_port(ends.protocol, port).is_some();
            self.flipped = answer || (flags & SYN == 0 && known(ends.src_port) && !known(ends.dst_port));
            if self.flipped {
                self.history.flipped();
            }
        }
    }

    fn segment(&mut self, time_ns: i64, from: usize, flags: u16, decoded: &Decoded, changes: &mut Changes) {
        let (was_over, payload) = (self.machine.over(), decoded.payload_len);
        let own = outer_segment(decoded);
        let seq = own.map_or(0, |segment| segment.seq);
        self.history.step(Step { from, flags, seq, len: payload });
        changes.attempt = self.attempt(from, flags, payload);
        self.round_trip(time_ns, from, flags);
        self.machine.take(from, flags, payload);
        changes.closed = !was_over && self.machine.over();
        let Some(segment) = own.filter(|segment| segment.analysed && flags & RST == 0) else { return };
        let direction = from ^ usize::from(self.flipped);
        let length = payload + u32::from(flags & SYN != 0) + u32::from(flags & 1);
        // A keep-alive carries a byte before the next one; it neither opens nor fills a hole.
        let opened = length > 0 && self.gaps.get_mut(direction).is_some_and(|gaps| gaps.take(segment.seq, length));
        if opened && let Some(sums) = self.sums.get_mut(direction) {
            sums.holes = sums.holes.saturating_add(1);
            self.history.repeated(from, b'G', sums.holes);
        }
    }

    /// First ACK without SYN minus the latest SYN before it.
    fn round_trip(&mut self, time_ns: i64, from: usize, flags: u16) {
        if flags & SYN != 0 {
            if from == 0 && flags & ACK == 0 {
                self.syn_ns = time_ns;
            }
        } else if self.initial_rtt_ns.is_none() && self.syn_ns != 0 && from == 0 && flags & ACK != 0 {
            self.initial_rtt_ns = u64::try_from(time_ns.saturating_sub(self.syn_ns)).ok();
        }
    }

    fn attempt(&mut self, from: usize, flags: u16, payload: u32) -> Option<Attempt> {
        let (next, said) = match (self.trial, from) {
            (Trial::None, 0) if flags & (SYN | ACK | RST) == SYN && self.packets() == 1 => {
                (Trial::Waiting, Some(Attempt::Begun))
            }
            (Trial::None | Trial::Done, _) => return None,
            (Trial::Waiting, 1) if flags & SYN != 0 => (Trial::Quiet, Some(Attempt::Answered)),
            (Trial::Waiting, _) if flags & RST != 0 => (Trial::Done, Some(Attempt::Failed)),
            // Only one direction is captured: who goes on talking was answered.
            (Trial::Waiting, 0) if flags & SYN == 0 => (Trial::Quiet, Some(Attempt::Answered)),
            (Trial::Quiet, _) if payload > 0 && flags & RST == 0 => (Trial::Done, None),
            (Trial::Quiet, _) if flags & RST != 0 => (Trial::Done, Some(Attempt::Failed)),
            _ => return None,
        };
        self.trial = next;
        said
    }

    fn crossed(&mut self, time_ns: i64) -> (i64, i64) {
        let open = time_ns.saturating_sub(self.since_ns);
        let (mut milestone, mut next) = (FIRST_MILESTONE, SECOND_MILESTONE);
        while open >= next {
            milestone = next;
            next = next.saturating_mul(2);
        }
        self.crossing_ns = self.since_ns.saturating_add(next);
        (milestone, open)
    }
}

/// The outermost TCP header, when it is also the one that the sequence analysis takes.
fn outer_segment(decoded: &Decoded) -> Option<Segment> {
    let same = decoded.transport == Transport::Tcp && decoded.tcp_layers == 1;
    decoded.segment.filter(|_| same)
}
