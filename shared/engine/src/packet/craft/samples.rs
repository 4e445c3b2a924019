//! A handful of small captures that together use every format and most headers: where damage is tried out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::capture::Capture;
use super::conversation::{Conversation, Side};
use super::frame::{Frame, arp, icmp, ip, udp};
use crate::packet::raw::LinkType;

/// 2023-11-14T22:13:20Z.
const START: i64 = 1_700_000_000_000_000_000;

/// Whole files, pcap and pcapng, of about one to eight kilobytes each.
#[must_use]
pub fn samples() -> Vec<Vec<u8>> {
    let mut talk = Capture::new();
    talk.conversation(&conversation(v4(1), v4(2))).conversation(&conversation(v6(1), v6(2)));
    let mut tunnels = Capture::new();
    for (place, frame) in (0..).zip(tunnelled()) {
        tunnels.at(START + place * 1_000_000, &frame);
    }
    let mut files = vec![talk.pcap(), talk.pcapng(), talk.cut(60), tunnels.pcap(), tunnels.pcapng()];
    files.extend(other_links(&tunnels));
    files
}

fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

fn v6(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))
}

/// With lost, repeated and reordered segments, a reset and a port used again.
fn conversation(client: IpAddr, server: IpAddr) -> Conversation {
    let mut talk = Conversation::new(SocketAddr::new(client, 40_000), SocketAddr::new(server, 443), START);
    talk.syn().handshake().exchange(Side::Client, 200).data(Side::Server, 500).retransmit(Side::Server);
    talk.unseen(Side::Server, 100).data(Side::Server, 100).ack(Side::Client).ack(Side::Client);
    talk.wait(300_000_000).retransmit(Side::Server).close();
    talk = talk.sequence(9_000_000, 70);
    talk.wait(15_000_000_000).handshake().data(Side::Client, 1).reset(Side::Server);
    talk
}

fn tunnelled() -> Vec<Frame> {
    let name = udp(SocketAddr::new(v4(3), 5_353), SocketAddr::new(v4(4), 53), &[0; 30]);
    let inner = conversation(v4(5), v4(6)).first_frame();
    let six = icmp(v6(3), v6(4), 128, 0, &[0; 8]);
    let port = |port| SocketAddr::new(v4(8), port);
    vec![
        arp(v4(1), v4(2)),
        name.vlan(7),
        name.tagged(0x88a8, 9).vlan(8),
        inner.mpls(1_000).vlan(3),
        inner.pppoe(),
        six.pppoe(),
        inner.gre(v4(1), v4(2)).gre(v4(3), v4(4)),
        six.in_ip(v4(1), v4(2)),
        inner.in_ip(v6(1), v6(2)),
        inner.vlan(5).vxlan(port(50_000), port(4_789), 12),
        udp(port(2_152), port(2_152), &gtp(&inner.bytes)),
        udp(port(3_544), port(50_001), &six.bytes),
        udp(port(50_002), port(6_081), &geneve(&inner)),
        icmp(v4(1), v4(2), 3, 1, &[&[0; 4], inner.bytes.as_slice()].concat()),
        // Hop-by-hop, routing, fragment, destination options and authentication before UDP.
        ip(v6(5), v6(6), 0, &extended()),
        ip(v4(1), v4(2), 132, &[0; 20]),
    ]
}

fn gtp(packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x36, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0];
    bytes.extend(packet);
    bytes
}

fn geneve(frame: &Frame) -> Vec<u8> {
    let mut bytes = vec![1, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 0, 0, 0];
    bytes.extend(frame.ethernet());
    bytes
}

fn extended() -> Vec<u8> {
    let mut bytes = vec![43, 0, 1, 4, 0, 0, 0, 0];
    bytes.extend([44, 0, 4, 0, 0, 0, 0, 0]);
    bytes.extend([60, 0, 0, 1, 0, 0, 0, 1]);
    bytes.extend([51, 0, 1, 4, 0, 0, 0, 0]);
    bytes.extend([17, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4]);
    bytes.extend([0x14, 0xe9, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
    bytes
}

/// The same packets behind the headers of other link types.
fn other_links(ethernet: &Capture) -> Vec<Vec<u8>> {
    let radiotap: &[u8] = &[0, 0, 9, 0, 2, 0, 0, 0, 0];
    let wlan = [radiotap, &[0x08, 0], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0]].concat();
    let netfilter: &[u8] = &[2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0x40, 0, 9, 0];
    // Link type, header, and from where on the Ethernet frame follows it: its type or its payload.
    let links: [(u16, &[u8], usize); 10] = [
        (0, &[2, 0, 0, 0], 14),
        (9, &[0xff, 3, 0, 0x21], 14),
        (10, &[&[0x50; 13][..], &[0xaa, 0xaa, 3, 0, 0, 0]].concat(), 12),
        (101, &[], 14),
        (104, &[0x0f, 0], 12),
        (107, &[0x18, 0x41, 0x03, 0xcc], 14),
        (113, &[0; 14], 12),
        (127, &wlan, 12),
        (239, netfilter, 14),
        (276, &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], 14),
    ];
    let file = |(link, head, from): (u16, &[u8], usize)| {
        let mut capture = Capture { link: LinkType(link), packets: ethernet.packets.clone() };
        for packet in &mut capture.packets {
            packet.bytes = [head, packet.bytes.get(from..).unwrap_or_default()].concat();
        }
        capture.pcap()
    };
    links.into_iter().map(file).collect()
}
