//! The way through the headers of one packet: what comes next, and what was seen so far.

use std::net::IpAddr;

use super::view::View;
use crate::packet::decoded::{Decoded, Network, Segment, Transport};

/// What the next bytes are taken to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next<'a> {
    /// The payload of this EtherType.
    EtherType(u16, View<'a>),
    /// An Ethernet header.
    Ethernet(View<'a>),
    /// An IEEE 802.2 header.
    Llc(View<'a>),
    /// PPP, with or without its address and control bytes.
    PppFramed(View<'a>),
    /// PPP from its protocol number on.
    Ppp(View<'a>),
    /// IEEE 802.11.
    Wlan(View<'a>),
    /// IPv4, or whatever stands where it should.
    Ipv4(View<'a>),
    /// IPv6.
    Ipv6(View<'a>),
    /// The payload of this IP protocol number.
    IpPayload(u8, View<'a>),
    /// A link type's first byte.
    Link(u16, View<'a>),
}

/// What was seen so far, beside what is in `into` already.
pub(super) struct Walk<'d> {
    pub(super) into: &'d mut Decoded,
    /// Addresses of the last IP header.
    pub(super) hosts: Option<(IpAddr, IpAddr)>,
    /// Whether the last IP header is that of a first fragment.
    pub(super) fragmented: bool,
    /// Whether the network protocol is known.
    network_seen: bool,
    /// Whether what follows the outermost IP header is still to come.
    transport_awaited: bool,
    udp_layers: usize,
}

impl<'d> Walk<'d> {
    pub(super) fn new(into: &'d mut Decoded) -> Self {
        into.network = Network::Other;
        into.transport = Transport::Other;
        into.hosts = None;
        into.ports = None;
        into.outer_tcp_flags = None;
        into.icmp = None;
        into.ip_len = 0;
        into.payload_len = 0;
        into.vlan = None;
        into.segment = None;
        into.tcp_layers = 0;
        // One by one, which writes a byte of each instead of the whole.
        for ends in &mut into.udp {
            *ends = None;
        }
        Self { into, hosts: None, fragmented: false, network_seen: false, transport_awaited: false, udp_layers: 0 }
    }

    /// A network protocol begins. The first one counts; a later one ends the wait for a transport protocol.
    /// Says whether it is the first.
    #[inline]
    pub(super) fn network(&mut self, network: Network) -> bool {
        self.hosts = None;
        self.fragmented = false;
        let first = !self.network_seen;
        if first {
            self.network_seen = true;
            self.into.network = network;
        }
        self.transport_awaited = first && network != Network::Arp;
        first
    }

    /// Both addresses of an IP header.
    #[inline]
    pub(super) fn addresses(&mut self, first: bool, src: IpAddr, dst: IpAddr) {
        self.hosts = Some((src, dst));
        if first {
            self.into.hosts = self.hosts;
        }
    }

    /// A transport protocol begins. Says whether it is the one behind the outermost IP header.
    #[inline]
    pub(super) fn transport(&mut self, transport: Transport) -> bool {
        let outer = self.transport_awaited;
        if outer {
            self.transport_awaited = false;
            self.into.transport = transport;
        }
        outer
    }

    #[inline]
    pub(super) fn vlan(&mut self, id: u16) {
        if self.into.vlan.is_none() {
            self.into.vlan = Some(id);
        }
    }

    #[inline]
    pub(super) fn segment(&mut self, segment: Segment) {
        self.into.segment = Some(segment);
    }

    /// Both ends of a UDP header; the innermost ones are left out when there are more than are kept.
    #[inline]
    pub(super) fn udp(&mut self, src_port: u16, dst_port: u16) {
        if let (Some((src, dst)), Some(place)) = (self.hosts, self.into.udp.get_mut(self.udp_layers)) {
            *place = Some((src, src_port, dst, dst_port));
            self.udp_layers += 1;
        }
    }
}
