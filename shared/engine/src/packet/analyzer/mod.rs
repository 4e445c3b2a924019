//! The analyzer: every packet is decoded, finds its flow, moves the sequence analysis of its stream, and is counted in
//! its window.

mod run;

use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;

use super::decode::Decoder;
use super::decoded::{Decoded, Transport};
use super::flow::{Flow, Found, Key, Roles, Table};
use super::raw::RawPacket;
use super::tcp::{ACK, OpenSegments, SYN};
use super::window::{FlowPart, Protocol, Seen, WindowMode, Windows};
use super::wire::{self, Tally, Wire};

pub use run::analyze;

/// Segments of all streams together that may wait for their ACK; 24 MB at the most.
const OPEN_SEGMENTS: usize = 1 << 20;

/// How windows come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Packets may go into any window until the end.
    File,
    /// Windows close one after another.
    Live {
        /// Beginning of window 0 in nanoseconds since 1970, when an earlier owner of the capture has settled it; else
        /// the first packet's time.
        origin: Option<i64>,
        /// Windows before this one were told by an earlier owner.
        first_window: u64,
    },
}

/// What an analysis found.
#[derive(Debug)]
pub struct Report {
    /// Windows that were not told before, in order.
    pub windows: Vec<Window>,
    /// Figures of the whole capture.
    pub summary: Summary,
    /// The figures to compare with tshark.
    pub wire: Wire,
    /// Connections that were not told before.
    pub connections: Vec<Connection>,
}

/// Analyses packets one by one.
#[derive(Debug)]
pub struct Analyzer {
    settings: AnalysisSettings,
    decoder: Decoder,
    decoded: Decoded,
    flows: Flows,
}

/// Everything that remembers packets.
#[derive(Debug)]
struct Flows {
    table: Table,
    open: OpenSegments,
    windows: Windows,
    tally: Tally,
    tcp_streams: u64,
    evicted: u64,
    exact: u64,
}

impl Analyzer {
    /// Without packets yet.
    #[must_use]
    pub fn new(settings: AnalysisSettings, mode: Mode) -> Self {
        let mode = match mode {
            Mode::File => WindowMode::File,
            Mode::Live { origin, first_window } => {
                WindowMode::Live { origin, first_window: i64::try_from(first_window).unwrap_or(i64::MAX) }
            }
        };
        let flows = Flows {
            table: Table::new(settings.flows),
            open: OpenSegments::new(OPEN_SEGMENTS),
            windows: Windows::new(&settings, mode),
            tally: Tally::default(),
            tcp_streams: 0,
            evicted: 0,
            exact: settings.exact,
        };
        Self { settings, decoder: Decoder::new(), decoded: Decoded::default(), flows }
    }

    /// Takes a packet.
    pub fn packet(&mut self, raw: &RawPacket<'_>) {
        self.decoder.decode(raw, &mut self.decoded);
        self.flows.packet(raw, &self.decoded);
    }

    /// Live: the windows that are over at a moment, of packets or of the wall clock, in nanoseconds since 1970: those
    /// whose end and lateness have passed.
    pub fn close_until(&mut self, now_ns: i64) -> Vec<Window> {
        let flows = &mut self.flows;
        let mut closed = Vec::new();
        while let Some(index) = flows.windows.due(now_ns) {
            for slot in flows.windows.active(index) {
                if let Some(flow) = flows.table.get_mut(slot) {
                    flows.windows.flush(&mut own_part(flow, slot));
                }
            }
            match flows.windows.close(index) {
                Some(window) => closed.push(window),
                None => break,
            }
        }
        closed
    }

    /// Live: adds packets that were dropped by the kernel, or refused by this program, since the last call.
    pub fn drops(&mut self, kernel: u64, app: u64) {
        self.flows.windows.drops(kernel, app);
    }

    /// Connections that ended, or had to make room, since the last call.
    pub fn connections(&mut self) -> Vec<Connection> {
        self.flows.windows.connections()
    }

    /// What was found, once no more packets come.
    #[must_use]
    pub fn finish(self) -> Report {
        self.finish_with(0)
    }

    fn finish_with(self, non_packet_records: u64) -> Report {
        let mut flows = self.flows;
        for slot in flows.table.by_age() {
            flows.end(slot);
        }
        let approximate = flows.approximate();
        let finished = flows.windows.finish();
        let mut summary = finished.summary;
        summary.tcp_streams = flows.tcp_streams;
        summary.evicted_flows = flows.evicted;
        for note in approximate {
            summary.approximate = Some(match summary.approximate.take() {
                Some(others) => format!("{others}; {note}"),
                None => note.to_owned(),
            });
        }
        let wire = wire::report(flows.tally, &summary, &finished.windows, self.settings.window_ns, non_packet_records);
        Report { windows: finished.windows, summary, wire, connections: finished.connections }
    }
}

impl Flows {
    fn packet(&mut self, raw: &RawPacket<'_>, decoded: &Decoded) {
        self.tally.packet(raw, decoded);
        let seen = Seen {
            time_ns: raw.time_ns,
            wire_len: raw.wire_len,
            captured: u32::try_from(raw.data.len()).unwrap_or(u32::MAX),
        };
        let outermost = Key::outermost(decoded).map(|key| self.flow(&key, decoded.vlan));
        match outermost {
            Some(found) => self.conversation(seen, decoded, found),
            None => self.windows.packet(seen, decoded, None),
        }
        let own = |protocol| outermost.filter(|_| decoded.transport == protocol);
        if decoded.segment.is_some() {
            let untunnelled = own(Transport::Tcp).filter(|_| decoded.tcp_layers == 1);
            self.segment(raw.time_ns.unwrap_or(0), decoded, untunnelled);
        }
        if decoded.udp.first().is_some_and(Option::is_some) {
            self.datagram(decoded, own(Transport::Udp));
        }
    }

    /// The flow of a key, made when it is new.
    #[inline]
    fn flow(&mut self, key: &Key, vlan: Option<u16>) -> Found {
        let hash = self.table.hash(key);
        if let Some(found) = self.table.find(key, hash) {
            return found;
        }
        if self.table.is_full() {
            for slot in self.table.oldest() {
                self.end(slot);
                self.table.remove(slot);
                self.evicted += 1;
            }
        }
        self.table.add(key, hash, vlan)
    }

    /// A packet of a conversation of the outermost headers.
    fn conversation(&mut self, seen: Seen, decoded: &Decoded, found: Found) {
        let Some(flow) = self.table.get_mut(found.slot) else { return };
        if flow.roles.add(Roles::CONVERSATION) {
            match flow.ends.protocol {
                Protocol::Tcp => self.tally.conversations.tcp += 1,
                Protocol::Udp => self.tally.conversations.udp += 1,
                Protocol::Icmp => {}
            }
        }
        flow.totals.add(seen.time_ns, seen.wire_len);
        if let Some(flags) = decoded.outer_tcp_flags
            && flags & SYN != 0
        {
            flow.roles.add(match (flags & ACK != 0, found.forward) {
                (false, true) => Roles::SYN_FORWARD,
                (false, false) => Roles::SYN_BACK,
                (true, true) => Roles::SYN_ACK_FORWARD,
                (true, false) => Roles::SYN_ACK_BACK,
            });
            let reused = decoded
                .segment
                .filter(|_| decoded.tcp_layers == 1)
                .is_some_and(|segment| flow.stream.is_replaced_by(found.side(), &segment));
            if reused {
                self.windows.reused(part(flow, found, true));
            }
        }
        self.windows.packet(seen, decoded, Some(part(flow, found, true)));
    }

    /// The innermost TCP segment of a packet; `untunnelled` is its flow when that is the packet's conversation.
    fn segment(&mut self, time_ns: i64, decoded: &Decoded, untunnelled: Option<Found>) {
        let Some(segment) = &decoded.segment else { return };
        let found = match untunnelled {
            Some(found) => found,
            None => self.flow(&Key::stream(segment), decoded.vlan),
        };
        let Some(flow) = self.table.get_mut(found.slot) else { return };
        let reused = flow.stream.is_replaced_by(found.side(), segment);
        if reused {
            flow.stream.clear(&mut self.open);
        }
        self.tcp_streams += u64::from(flow.roles.add(Roles::STREAM) || reused);
        let verdict = flow.stream.take(&mut self.open, found.side(), time_ns, segment, reused);
        self.tally.verdict(&verdict, self.windows.current_index(), self.exact);
        self.windows.segment(part(flow, found, untunnelled.is_some()), &verdict);
    }

    /// The UDP headers of a packet; `outermost` is the flow of the first when that is the packet's conversation.
    fn datagram(&mut self, decoded: &Decoded, outermost: Option<Found>) {
        let headers = decoded.udp.iter().flatten();
        for (place, ends) in headers.enumerate() {
            let found = match outermost {
                Some(found) if place == 0 => found,
                _ => self.flow(&Key::udp(*ends), decoded.vlan),
            };
            if let Some(flow) = self.table.get_mut(found.slot)
                && flow.roles.add(Roles::STREAM)
            {
                self.tally.conversations.udp_streams += 1;
            }
        }
    }

    /// Tells what is known of a flow that goes, or stays no longer than the capture.
    fn end(&mut self, slot: u32) {
        let Some(flow) = self.table.get_mut(slot) else { return };
        flow.stream.clear(&mut self.open);
        self.tally.flow(flow);
        self.windows.ended(own_part(flow, slot));
    }

    /// What is not exact.
    fn approximate(&mut self) -> Vec<&'static str> {
        self.tally.conversations.tcp_streams = self.tcp_streams;
        let mut notes = Vec::new();
        if self.evicted > 0 {
            notes.push("flows that had to make room and came back are counted again");
        }
        if self.open.refused() > 0 {
            notes.push("round trips of some segments are missing, since more than a million waited for their ACK");
        }
        if self.tally.rtts_left_out() > 0 {
            notes.push("`wire.tcp.ack_rtt` is of the first samples only");
        }
        notes
    }
}

/// The flow as windows want it.
#[inline]
fn part(flow: &mut Flow, found: Found, conversation: bool) -> FlowPart<'_> {
    FlowPart {
        ends: &flow.ends,
        slice: &mut flow.slice,
        connection: conversation.then_some(&mut flow.tracker),
        slot: found.slot,
        forward: found.forward,
    }
}

/// The flow by itself, without a packet.
fn own_part(flow: &mut Flow, slot: u32) -> FlowPart<'_> {
    let conversation = flow.roles.has(Roles::CONVERSATION);
    part(flow, Found { slot, forward: true }, conversation)
}

#[cfg(test)]
mod tests;
