//! A connection as it is told when it ends.

use trafficlab_shared::model::capture::connection::{Connection, Direction};

use super::tracker::{Sums, Tracker};
use crate::packet::service;
use crate::packet::window::{Ends, Protocol};

/// The record of a connection. Its originator is who sent the SYN, where one was seen.
pub(crate) fn record(ends: &Ends, tracker: &Tracker) -> Connection {
    let turned = tracker.flipped;
    let [first, second] = [0, 1].map(|direction: usize| direction_of(tracker, direction));
    let (src, dst) = ((ends.src, ends.src_port), (ends.dst, ends.dst_port));
    let ((src, src_port), (dst, dst_port)) = if turned { (dst, src) } else { (src, dst) };
    let (sent, received) = if turned { (second, first) } else { (first, second) };
    Connection {
        id: tracker.id.unwrap_or_default(),
        protocol: ends.protocol.as_str().to_owned(),
        src,
        src_port,
        dst,
        dst_port,
        vlan: ends.vlan,
        first_ns: tracker.first_ns,
        last_ns: tracker.last_ns,
        service: match ends.protocol {
            Protocol::Icmp => None,
            protocol => service::of(protocol, src_port, dst_port).map(str::to_owned),
        },
        state: tracker.state(ends.protocol).as_str().to_owned(),
        history: tracker.history.text(),
        sent,
        received,
        initial_rtt_ns: tracker.initial_rtt_ns,
    }
}

fn direction_of(tracker: &Tracker, direction: usize) -> Direction {
    let sums = tracker.sums.get(direction).copied().unwrap_or_else(Sums::default);
    Direction {
        packets: sums.packets,
        ip_bytes: sums.ip_bytes,
        payload: sums.payload,
        data_segments: u64::from(sums.data),
        retransmitted: u64::from(sums.retransmitted),
        missed_bytes: tracker.gaps.get(direction).map_or(0, super::gaps::Gaps::missed),
    }
}
