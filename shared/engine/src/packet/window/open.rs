//! A window that still takes packets.

use std::net::IpAddr;

use hashbrown::HashMap;
use trafficlab_shared::model::capture::window::{LongLived, Window};

use super::flow::Seen;
use super::piece::Piece;
use super::samples::Samples;
use super::tally::Tally;

/// Sums of an address: bytes and packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HostSums {
    pub(super) sent: (u64, u64),
    pub(super) received: (u64, u64),
}

/// Sums by address.
pub(super) type Hosts = HashMap<IpAddr, HostSums, foldhash::fast::RandomState>;

/// Adds bytes and packets that went from one address to another.
pub(super) fn add_hosts(hosts: &mut Hosts, src: IpAddr, dst: IpAddr, bytes: u64, packets: u64) {
    if packets == 0 {
        return;
    }
    let sent = &mut hosts.entry(src).or_default().sent;
    *sent = (sent.0 + bytes, sent.1 + packets);
    let received = &mut hosts.entry(dst).or_default().received;
    *received = (received.0 + bytes, received.1 + packets);
}

/// Everything gathered of one window. Flows add their part when they leave it.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    pub(super) index: i64,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
    pub(super) tally: Tally,
    pub(super) pieces: Vec<Piece>,
    pub(super) samples: Samples,
    /// Packets that belong to no flow.
    pub(super) hosts: Hosts,
    pub(super) long_lived: Vec<LongLived>,
    pub(super) late_packets: u64,
    pub(super) kernel_drops: u64,
    pub(super) app_drops: u64,
    /// Live: flows that have sums for this window.
    pub(super) active: Vec<u32>,
    /// What was told of it when its flows had to make room; later packets move its plain counters only.
    pub(super) sealed: Option<Box<Window>>,
}

impl Open {
    pub(super) fn new(index: i64) -> Self {
        Self { index, first_ns: i64::MAX, last_ns: i64::MIN, ..Self::default() }
    }

    /// Takes what was dropped, or came late, while no window was at hand.
    pub(super) fn take_drops(&mut self, other: &mut Self) {
        self.late_packets += std::mem::take(&mut other.late_packets);
        self.kernel_drops += std::mem::take(&mut other.kernel_drops);
        self.app_drops += std::mem::take(&mut other.app_drops);
    }

    /// Counts a packet.
    pub(super) fn packet(&mut self, time_ns: i64, seen: Seen, decoded: &crate::packet::decoded::Decoded) {
        self.first_ns = self.first_ns.min(time_ns);
        self.last_ns = self.last_ns.max(time_ns);
        self.tally.packet(seen, decoded);
    }
}
