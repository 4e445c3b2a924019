//! Plain counters of a window or of a whole capture.

use trafficlab_shared::model::capture::counts::{NetworkCounts, TcpFlags, TransportCounts};
use trafficlab_shared::model::capture::window::Segments;

use crate::packet::decoded::{Decoded, Network, Transport};
use crate::packet::tcp::Verdict;

use super::flow::Seen;

/// Counters that every packet moves, indexed by enum so that counting is one addition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) captured_bytes: u64,
    pub(super) network: NetworkCounts,
    pub(super) transport: TransportCounts,
    pub(super) transport_bytes: TransportCounts,
    marks: [u64; 14],
    pub(super) segments: Segments,
}

impl Tally {
    /// Counts a packet.
    pub(super) fn packet(&mut self, seen: Seen, decoded: &Decoded) {
        self.packets += 1;
        self.bytes += u64::from(seen.wire_len);
        self.captured_bytes += u64::from(seen.captured);
        *network(&mut self.network, decoded.network) += 1;
        *transport(&mut self.transport, decoded.transport) += 1;
        *transport(&mut self.transport_bytes, decoded.transport) += u64::from(seen.wire_len);
    }

    /// Counts a segment.
    pub(super) fn verdict(&mut self, verdict: &Verdict) {
        if verdict.data {
            self.segments.data += 1;
            self.segments.retransmitted += u64::from(verdict.retransmitted());
        }
        let mut bits = verdict.marks.bits();
        while bits != 0 {
            let place = usize::try_from(bits.trailing_zeros()).unwrap_or(usize::MAX);
            if let Some(count) = self.marks.get_mut(place) {
                *count += 1;
            }
            bits &= bits - 1;
        }
    }

    /// Adds another's counts.
    pub(super) fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.captured_bytes += other.captured_bytes;
        add_network(&mut self.network, &other.network);
        add_transport(&mut self.transport, &other.transport);
        add_transport(&mut self.transport_bytes, &other.transport_bytes);
        for (sum, more) in self.marks.iter_mut().zip(other.marks) {
            *sum += more;
        }
        self.segments.data += other.segments.data;
        self.segments.retransmitted += other.segments.retransmitted;
    }

    /// The marks by name, in the order of their bits.
    pub(super) fn flags(&self) -> TcpFlags {
        let [
            retransmission,
            fast_retransmission,
            spurious_retransmission,
            out_of_order,
            duplicate_ack,
            lost_segment,
            ack_lost_segment,
            zero_window,
            zero_window_probe,
            window_full,
            window_update,
            keep_alive,
            keep_alive_ack,
            reused_ports,
        ] = self.marks;
        TcpFlags {
            retransmission,
            fast_retransmission,
            spurious_retransmission,
            out_of_order,
            duplicate_ack,
            lost_segment,
            ack_lost_segment,
            zero_window,
            zero_window_probe,
            window_full,
            window_update,
            keep_alive,
            keep_alive_ack,
            reused_ports,
        }
    }
}

fn network(counts: &mut NetworkCounts, which: Network) -> &mut u64 {
    match which {
        Network::Ipv4 => &mut counts.ipv4,
        Network::Ipv6 => &mut counts.ipv6,
        Network::Arp => &mut counts.arp,
        Network::Other => &mut counts.other,
    }
}

fn transport(counts: &mut TransportCounts, which: Transport) -> &mut u64 {
    match which {
        Transport::Tcp => &mut counts.tcp,
        Transport::Udp => &mut counts.udp,
        Transport::Icmp => &mut counts.icmp,
        Transport::Icmpv6 => &mut counts.icmpv6,
        Transport::Sctp => &mut counts.sctp,
        Transport::Gre => &mut counts.gre,
        Transport::Other => &mut counts.other,
    }
}

fn add_network(sum: &mut NetworkCounts, more: &NetworkCounts) {
    sum.ipv4 += more.ipv4;
    sum.ipv6 += more.ipv6;
    sum.arp += more.arp;
    sum.other += more.other;
}

fn add_transport(sum: &mut TransportCounts, more: &TransportCounts) {
    sum.tcp += more.tcp;
    sum.udp += more.udp;
    sum.icmp += more.icmp;
    sum.icmpv6 += more.icmpv6;
    sum.sctp += more.sctp;
    sum.gre += more.gre;
    sum.other += more.other;
}
