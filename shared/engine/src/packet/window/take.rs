//! Taking packets and verdicts: the hot path.

use std::net::IpAddr;

use trafficlab_shared::model::capture::window::LongLived;

use super::close::flow_ends;
use super::flow::{Ends, FlowPart, FlowSlice, Protocol, Seen};
use super::piece::Piece;
use super::samples::{Kind, Sample};
use super::store::{MOST_LONG, TIMELESS, Windows};
use crate::packet::connection::{Attempt, Changes, Tracker};
use crate::packet::decoded::Decoded;
use crate::packet::scan::{Moment, Target};
use crate::packet::tcp::{RoundTrip, Verdict};

impl Windows {
    /// Takes a packet, with the conversation of its outermost headers when it belongs to one.
    pub fn packet(&mut self, seen: Seen, decoded: &Decoded, flow: Option<FlowPart<'_>>) {
        let Some(time_ns) = self.place(seen) else { return };
        self.current.packet(time_ns, seen, decoded);
        let Some(mut part) = flow else {
            if let Some((src, dst)) = decoded.hosts {
                self.without_flow(src, dst, seen.wire_len);
            }
            return;
        };
        self.turn(&mut part);
        let direction = part.direction();
        if let Some(bytes) = part.slice.bytes.get_mut(direction) {
            *bytes += u64::from(seen.wire_len);
        }
        if let Some(packets) = part.slice.packets.get_mut(direction) {
            *packets = packets.saturating_add(1);
        }
        if let Some(tracker) = part.connection {
            let changes = tracker.take(time_ns, direction, decoded, part.ends);
            if changes.any() {
                self.changed(time_ns, part.ends, part.slice, tracker, changes);
            }
        }
    }

    /// Takes what the sequence analysis says of the packet that was taken last, with the stream it belongs to.
    pub fn segment(&mut self, mut flow: FlowPart<'_>, verdict: &Verdict) {
        self.current.tally.verdict(verdict);
        let direction = flow.direction();
        if verdict.data {
            self.turn(&mut flow);
            count(&mut flow.slice.data, direction);
            if verdict.retransmitted() {
                count(&mut flow.slice.retransmitted, direction);
            }
        }
        if let Some(tracker) = &mut flow.connection {
            tracker.verdict(direction, verdict);
        }
        if verdict.round_trip.is_some() || verdict.ack_rtt_ns.is_some() {
            // The samples refer to the flow's sums of this window, which tell its ends.
            self.turn(&mut flow);
            self.round_trips(flow.ends.serial, direction, verdict);
        }
    }

    /// A SYN begins another connection on the same ends; to be called before that packet is taken.
    pub fn reused(&mut self, mut flow: FlowPart<'_>) {
        self.flush(&mut flow);
        if let Some(tracker) = flow.connection.take() {
            self.over(flow.ends, tracker);
            tracker.restart();
        }
    }

    /// The flow makes room for others, or the capture is over.
    pub fn ended(&mut self, mut flow: FlowPart<'_>) {
        self.flush(&mut flow);
        if let Some(tracker) = flow.connection.take() {
            self.over(flow.ends, tracker);
            tracker.restart();
        }
    }

    /// Moves the flow's sums into their window.
    pub fn flush(&mut self, flow: &mut FlowPart<'_>) {
        if !flow.slice.used {
            return;
        }
        let (generation, state) = match flow.connection.as_deref() {
            Some(tracker) if flow.ends.protocol == Protocol::Tcp => {
                (tracker.generation, Some(tracker.state(Protocol::Tcp)))
            }
            Some(tracker) => (tracker.generation, None),
            None => (0, None),
        };
        let piece = Piece::new(flow.ends, flow.slice, generation, state);
        let index = flow.slice.window;
        *flow.slice = FlowSlice::default();
        if let Some(open) = self.open_mut(index) {
            open.pieces.push(piece);
            self.pieces_held += 1;
        }
    }

    /// Makes the packet's window the current one; its time, or the last packet's when it has none. Nothing for
    /// packets that come too late.
    fn place(&mut self, seen: Seen) -> Option<i64> {
        let Some(time_ns) = seen.time_ns else {
            self.totals.without_timestamp += 1;
            self.enter(TIMELESS);
            return Some(self.last_time_ns);
        };
        if time_ns < self.bounds.0 || time_ns >= self.bounds.1 {
            let index = self.index(time_ns);
            self.totals.first_ns.get_or_insert(time_ns);
            if index < self.open_from {
                self.late(seen);
                return None;
            }
            self.enter(index);
        }
        if time_ns > self.last_time_ns || self.totals.range_ns.is_none() {
            self.last_time_ns = time_ns;
        }
        let range = self.totals.range_ns.get_or_insert((time_ns, time_ns));
        *range = (range.0.min(time_ns), range.1.max(time_ns));
        if self.scans.due(time_ns) {
            self.scans.pass(time_ns);
        }
        Some(time_ns)
    }

    /// Live: a packet of a window that is closed.
    fn late(&mut self, seen: Seen) {
        self.current.late_packets += 1;
        self.totals.late(seen);
    }

    /// Sees to it that the flow's sums are those of the current window.
    fn turn(&mut self, part: &mut FlowPart<'_>) {
        let index = self.current.index;
        if part.slice.used && part.slice.window == index {
            return;
        }
        self.flush(part);
        part.slice.window = index;
        part.slice.used = true;
        if self.live {
            self.current.active.push(part.slot);
        }
    }

    fn without_flow(&mut self, src: IpAddr, dst: IpAddr, bytes: u32) {
        let before = self.current.hosts.len();
        super::open::add_hosts(&mut self.current.hosts, src, dst, u64::from(bytes), 1);
        self.pieces_held += self.current.hosts.len() - before;
    }

    #[cold]
    fn changed(&mut self, time_ns: i64, ends: &Ends, slice: &mut FlowSlice, tracker: &mut Tracker, changes: Changes) {
        if changes.opened {
            self.totals.begins(ends, tracker);
            slice.opened = slice.opened.saturating_add(1);
        }
        if changes.closed {
            slice.closed = slice.closed.saturating_add(1);
        }
        if let Some(attempt) = changes.attempt {
            self.attempt(time_ns, ends, tracker, attempt);
        }
        if let Some((milestone, open_ns)) = changes.long
            && self.current.long_lived.len() < MOST_LONG
        {
            let positive = |ns: i64| u64::try_from(ns).unwrap_or(0);
            self.current.long_lived.push(LongLived {
                flow: flow_ends(ends, 0),
                milestone_ns: positive(milestone),
                open_ns: positive(open_ns),
                bytes: tracker.ip_bytes(),
            });
        }
    }

    fn attempt(&mut self, time_ns: i64, ends: &Ends, tracker: &Tracker, attempt: Attempt) {
        let (src, (dst, port)) = if tracker.turned() {
            (ends.dst, (ends.src, ends.src_port))
        } else {
            (ends.src, (ends.dst, ends.dst_port))
        };
        let target = Target { src, dst, port };
        let at = Moment { time_ns, window: self.current.index };
        match attempt {
            Attempt::Begun => self.scans.begun(target, at),
            Attempt::Answered => self.scans.answered(target),
            Attempt::Failed => self.scans.failed(target, at),
        }
    }

    fn round_trips(&mut self, serial: u32, direction: usize, verdict: &Verdict) {
        // An ACK measures the other direction, which sent what is acknowledged.
        let acked = u8::from(direction == 0);
        let own = verdict.round_trip.and_then(|(kind, ns)| Some((own_kind(kind), i64::try_from(ns).ok()?)));
        match (own, verdict.ack_rtt_ns) {
            (Some((kind, ns)), Some(theirs)) if ns == theirs => {
                self.sample(Sample::new(ns, serial, acked, &[kind, Kind::Wireshark]));
            }
            (own, theirs) => {
                if let Some((kind, ns)) = own {
                    self.sample(Sample::new(ns, serial, acked, &[kind]));
                }
                if let Some(ns) = theirs {
                    self.sample(Sample::new(ns, serial, acked, &[Kind::Wireshark]));
                }
            }
        }
    }

    fn sample(&mut self, sample: Sample) {
        let room = self.samples_held < self.room;
        self.samples_held += usize::from(self.current.samples.add(sample, room));
    }

    fn over(&mut self, ends: &Ends, tracker: &Tracker) {
        if tracker.packets() > 0 {
            self.totals.ended(ends, tracker);
            self.lengths.ended(ends, tracker);
        }
    }
}

const fn own_kind(kind: RoundTrip) -> Kind {
    match kind {
        RoundTrip::Ack => Kind::Ack,
        RoundTrip::HandshakeServer => Kind::Server,
        RoundTrip::HandshakeClient => Kind::Client,
    }
}

fn count(counts: &mut [u32; 2], direction: usize) {
    if let Some(count) = counts.get_mut(direction) {
        *count = count.saturating_add(1);
    }
}
