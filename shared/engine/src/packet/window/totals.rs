//! Sums over all windows of a capture.

use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::{Connections, Window};

use crate::packet::connection::{Name, Tracker, record};

use super::close::{Closed, Services, named_states, service_list, talkers};
use super::flow::{Ends, Protocol, Seen};
use super::open::{HostSums, Hosts, Open};
use super::samples::{Kind, Samples, distribution};
use super::tally::Tally;

/// What is known of the whole capture besides its windows.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) tally: Tally,
    pub(super) hosts: Hosts,
    pub(super) services: Services,
    /// Round trips of windows that are gone.
    pub(super) samples: Samples,
    /// Addresses that had no room.
    unlisted_hosts: u64,
    pub(super) without_timestamp: u64,
    pub(super) first_ns: Option<i64>,
    pub(super) range_ns: Option<(i64, i64)>,
    windows: u64,
    connections: Connections,
    states: [u64; Name::ALL.len()],
    conversations: [u64; 2],
    told: Vec<Connection>,
    told_count: u64,
    most_told: u64,
    untold: u64,
    next_id: u64,
    pub(super) kernel_drops: u64,
    pub(super) app_drops: u64,
}

impl Totals {
    pub(super) fn new(connections: u32) -> Self {
        Self { most_told: u64::from(connections), ..Self::default() }
    }

    /// The number of a connection that begins.
    pub(super) fn begins(&mut self, ends: &Ends, tracker: &mut Tracker) {
        tracker.id = Some(self.next_id);
        self.next_id += 1;
        if tracker.generation > 0 {
            return;
        }
        match ends.protocol {
            Protocol::Tcp => self.conversations[0] += 1,
            Protocol::Udp => self.conversations[1] += 1,
            Protocol::Icmp => {}
        }
    }

    /// A connection is over, or its flow had to make room.
    pub(super) fn ended(&mut self, ends: &Ends, tracker: &Tracker) {
        let state = tracker.state(ends.protocol);
        if ends.protocol == Protocol::Tcp
            && let Some(count) = self.states.get_mut(usize::from(state as u8))
        {
            *count += 1;
        }
        if self.told_count < self.most_told {
            self.told_count += 1;
            self.told.push(record(ends, tracker));
        } else {
            self.untold += 1;
        }
    }

    /// Connections that ended since the last call.
    pub(super) fn connections(&mut self) -> Vec<Connection> {
        std::mem::take(&mut self.told)
    }

    /// Adds a window that is told.
    pub(super) fn closed(&mut self, closed: &Closed, tally: &Tally, room: usize) {
        self.tally.add(tally);
        self.windows += 1;
        self.lists(closed, room);
    }

    /// Adds its talkers, services and connections.
    pub(super) fn lists(&mut self, closed: &Closed, room: usize) {
        for (&addr, &sums) in &closed.hosts {
            if self.hosts.len() >= room && !self.hosts.contains_key(&addr) {
                self.unlisted_hosts += 1;
                continue;
            }
            add(self.hosts.entry(addr).or_default(), sums);
        }
        for (&key, &(bytes, packets)) in &closed.services {
            let sums = self.services.entry(key).or_default();
            *sums = (sums.0 + bytes, sums.1 + packets);
        }
        self.connections.opened += closed.window.connections.opened;
        self.connections.closed += closed.window.connections.closed;
    }

    /// Moves a window's round trips here.
    pub(super) fn keep_samples(&mut self, open: &mut Open) {
        self.samples.absorb(std::mem::take(&mut open.samples));
    }

    /// Keeps round trips of packets without a time.
    pub(super) fn keep_timeless(&mut self, samples: Samples) {
        if self.samples.exact.is_empty() && !self.samples.approximate() {
            self.samples = samples;
        } else {
            self.samples.absorb(samples);
        }
    }

    /// A packet that belongs to no window any more.
    pub(super) fn late(&mut self, seen: Seen) {
        self.tally.packets += 1;
        self.tally.bytes += u64::from(seen.wire_len);
        self.tally.captured_bytes += u64::from(seen.captured);
    }

    fn addresses(&self, wanted: impl Fn(&HostSums) -> bool) -> u64 {
        let count = self.hosts.values().filter(|sums| wanted(sums)).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// What is said of the whole capture; the file's own figures are the reader's to fill in.
    pub(super) fn summary<'a>(&'a self, windows: impl Iterator<Item = &'a Open> + Clone, notes: &[String]) -> Summary {
        let [tcp, udp] = self.conversations;
        let protocols = [("tcp", tcp), ("udp", udp)].into_iter().filter(|(_, count)| *count > 0);
        let samples = windows.map(|open| &open.samples).chain(std::iter::once(&self.samples));
        let latency = distribution(samples, &[Kind::Ack, Kind::Server, Kind::Client]);
        Summary {
            packets: self.tally.packets,
            wire_bytes: self.tally.bytes,
            captured_bytes: self.tally.captured_bytes,
            first_ns: self.first_ns,
            min_ns: self.range_ns.map(|(min, _)| min),
            max_ns: self.range_ns.map(|(_, max)| max),
            without_timestamp: self.without_timestamp,
            windows: self.windows,
            network: self.tally.network,
            transport: self.tally.transport,
            services: service_list(&self.services),
            top_src: talkers(&self.hosts, |sums| sums.sent),
            top_dst: talkers(&self.hosts, |sums| sums.received),
            distinct_src: self.addresses(|sums| sums.sent.1 > 0),
            distinct_dst: self.addresses(|sums| sums.received.1 > 0),
            tcp: self.tally.flags(),
            segments: self.tally.segments,
            latency,
            connections: Connections {
                total: tcp + udp,
                protocols: protocols.map(|(name, count)| (name.to_owned(), count)).collect(),
                states: named_states(&self.states),
                ..self.connections.clone()
            },
            tcp_conversations: tcp,
            udp_conversations: udp,
            connections_untold: self.untold,
            kernel_drops: self.kernel_drops,
            app_drops: self.app_drops,
            approximate: self.approximate(notes),
            ..Summary::default()
        }
    }

    fn approximate(&self, notes: &[String]) -> Option<String> {
        let mut notes = notes.to_vec();
        if self.unlisted_hosts > 0 {
            notes.push("top talkers leave out addresses first seen when there was no room for more".to_owned());
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

fn add(sums: &mut HostSums, more: HostSums) {
    sums.sent = (sums.sent.0 + more.sent.0, sums.sent.1 + more.sent.1);
    sums.received = (sums.received.0 + more.received.0, sums.received.1 + more.received.1);
}

/// Says in a window what of it is not exact.
pub(super) fn note(window: &mut Window, text: &str) {
    let notes = window.approximate.get_or_insert_default();
    if !notes.is_empty() {
        notes.push_str("; ");
    }
    notes.push_str(text);
}
