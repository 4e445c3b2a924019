//! What is said of crafted packets: the way through tunnels and link types, and what bad lengths end.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::net::{IpAddr, SocketAddr};

use super::Decoder;
use crate::packet::craft::{Frame, TcpHeader, arp, icmp, ip, tcp, tcp_flags, udp};
use crate::packet::decoded::{Decoded, Network, Transport};
use crate::packet::raw::{LinkType, RawPacket};

fn decode_as(link: u16, data: &[u8], wire_len: usize) -> Decoded {
    let mut into = Decoded { vlan: Some(99), tcp_layers: 7, ..Decoded::default() };
    let wire_len = u32::try_from(wire_len).unwrap();
    Decoder::new().decode(&RawPacket { time_ns: None, wire_len, data, link: LinkType(link) }, &mut into);
    into
}

fn decode(frame: &Frame) -> Decoded {
    let bytes = frame.ethernet();
    decode_as(1, &bytes, bytes.len())
}

fn a(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn six(last: u16) -> IpAddr {
    IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])
}

fn end(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}

fn segment() -> Frame {
    let options = vec![2, 4, 5, 0xb4, 1, 3, 3, 7];
    let header = TcpHeader { seq: 100, ack: 200, flags: tcp_flags::SYN, window: 300, options };
    tcp(end(a(1), 40_000), end(a(2), 443), &header, &[0; 11])
}

#[test]
fn a_plain_segment_is_told_whole() {
    let told = decode(&segment().vlan(5));
    assert_eq!((told.network, told.transport, told.hosts), (Network::Ipv4, Transport::Tcp, Some((a(1), a(2)))));
    assert_eq!((told.ports, told.outer_tcp_flags, told.vlan), (Some((40_000, 443)), Some(2), Some(5)));
    assert_eq!((told.ip_len, told.payload_len, told.tcp_layers), (59, 11, 1));
    let segment = told.segment.unwrap();
    assert_eq!((segment.seq, segment.ack, segment.window, segment.len), (100, 200, 300, 11));
    assert_eq!((segment.window_scale, segment.analysed, segment.complete), (Some(7), true, true));
}

#[test]
fn what_was_not_captured_is_known_from_the_lengths() {
    let bytes = segment().ethernet();
    for captured in 0..bytes.len() {
        let told = decode_as(1, &bytes[..captured], bytes.len());
        assert_eq!(told.network, if captured < 14 { Network::Other } else { Network::Ipv4 }, "{captured}");
        assert_eq!(told.hosts.is_some(), captured >= 14 + 20, "{captured}");
        assert_eq!(told.ports.is_some(), captured >= 14 + 20 + 4, "{captured}");
        let Some(segment) = told.segment else {
            assert!(captured < 14 + 20 + 16);
            continue;
        };
        assert_eq!((segment.len, segment.complete), (11, captured >= 14 + 20 + 28), "{captured}");
    }
}

#[test]
fn lengths_that_lie() {
    let mut bytes = segment().ethernet();
    // A total length of zero is that of a segment not yet cut by the card.
    (bytes[16], bytes[17]) = (0, 0);
    assert_eq!(decode_as(1, &bytes, bytes.len()).payload_len, 11);
    // Longer than the packet: the packet's own end counts.
    bytes[16] = 9;
    assert_eq!(decode_as(1, &bytes, bytes.len()).payload_len, 11);
    // Shorter than the header: not read any further.
    (bytes[16], bytes[17]) = (0, 19);
    let told = decode_as(1, &bytes, bytes.len());
    assert_eq!((told.network, told.transport, told.hosts), (Network::Ipv4, Transport::Other, None));
    // A TCP header that says it is longer than the segment.
    let mut bytes = segment().ethernet();
    bytes[46] = 0xf0;
    let told = decode_as(1, &bytes, bytes.len()).segment.unwrap();
    assert_eq!((told.len, told.analysed, told.complete), (0, false, false));
    // Padding behind the packet is not payload.
    let mut bytes = segment().ethernet();
    bytes.extend([0; 9]);
    assert_eq!(decode_as(1, &bytes, bytes.len()).payload_len, 11);
}

#[test]
fn fragments() {
    let mut bytes = segment().ethernet();
    bytes[20] = 0x20;
    let first = decode_as(1, &bytes, bytes.len());
    assert_eq!((first.transport, first.segment.unwrap().analysed), (Transport::Tcp, false));
    bytes[21] = 0x10;
    let second = decode_as(1, &bytes, bytes.len());
    assert_eq!((second.transport, second.hosts, second.segment), (Transport::Other, Some((a(1), a(2))), None));
    // IPv6: the header of an unfragmented packet, of a first and of a second fragment.
    for (place, transport, analysed) in
        [(0, Transport::Tcp, Some(true)), (1, Transport::Tcp, Some(false)), (9, Transport::Other, None)]
    {
        let inner = [&[6, 0, 0, place, 0, 0, 0, 1], &segment().bytes[20..]].concat();
        let told = decode(&ip(six(1), six(2), 44, &inner));
        assert_eq!((told.transport, told.segment.map(|segment| segment.analysed)), (transport, analysed));
    }
}

#[test]
fn the_outermost_header_names_the_packet_and_the_innermost_segment_is_followed() {
    let check = |frame: Frame, transport| {
        let told = decode(&frame);
        assert_eq!((told.transport, told.hosts.unwrap().0), (transport, a(7)));
        assert_eq!(told.segment.map(|segment| (segment.src, segment.seq)), Some((a(1), 100)));
        told
    };
    let inner = segment();
    check(inner.gre(a(7), a(8)), Transport::Gre);
    check(inner.gre(a(5), a(6)).gre(a(7), a(8)), Transport::Gre);
    check(inner.in_ip(a(7), a(8)), Transport::Other);
    let told = check(inner.vlan(3).vxlan(end(a(7), 50_000), end(a(8), 4_789), 1), Transport::Udp);
    assert_eq!(told.ports, Some((50_000, 4_789)));
    assert_eq!(told.udp[0], Some((a(7), 50_000, a(8), 4_789)));
    assert_eq!((told.udp[1], told.outer_tcp_flags), (None, None));
    let on = |port, head: &[u8]| udp(end(a(7), 50_000), end(a(8), port), &[head, &inner.bytes].concat());
    check(on(2_152, &[0x30, 255, 0, 0, 0, 0, 0, 1]), Transport::Udp);
    check(on(2_152, &[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0]), Transport::Udp);
    check(on(6_081, &[1, 0, 8, 0, 0, 0, 1, 0, 9, 9, 9, 9]), Transport::Udp);
    check(on(4_790, &[4, 0, 0, 1, 0, 0, 0, 0]), Transport::Udp);
    check(on(1_701, &[0x40, 2, 0, 0, 0, 1, 0, 1, 0xff, 3, 0, 0x21]), Transport::Udp);
    check(on(6_635, &[0, 0, 0x11, 64]), Transport::Udp);
    check(
        ip(a(7), a(8), 47, &[&[0x30, 1, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 1, 0x21][..], &inner.bytes].concat()),
        Transport::Gre,
    );
    let mirrored =
        [&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0, 0, 0, 0, 0], inner.ethernet().as_slice()].concat();
    check(ip(a(7), a(8), 47, &mirrored), Transport::Gre);
    // Another port announces nothing.
    assert_eq!(decode(&on(2_153, &[0x30, 255, 0, 0, 0, 0, 0, 1])).segment, None);
}

#[test]
fn headers_quoted_in_an_error_are_no_traffic() {
    let told = decode(&icmp(a(3), a(4), 3, 1, &[&[0; 4], segment().bytes.as_slice()].concat()));
    assert_eq!((told.transport, told.icmp, told.segment, told.tcp_layers), (Transport::Icmp, Some((3, 1)), None, 0));
}

#[test]
fn extension_headers_and_authentication_are_passed() {
    let datagram = [0x14, 0xe9, 0, 53, 0, 10, 0, 0, 1, 2];
    let chain = [
        &[43, 0, 1, 4, 0, 0, 0, 0][..],
        &[60, 0, 4, 0, 0, 0, 0, 0],
        &[51, 0, 1, 4, 0, 0, 0, 0],
        &[17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1],
        &datagram,
    ]
    .concat();
    let told = decode(&ip(six(1), six(2), 0, &chain));
    assert_eq!((told.network, told.transport, told.ports), (Network::Ipv6, Transport::Udp, Some((5_353, 53))));
    assert_eq!(told.payload_len, 2);
}

#[test]
fn everything_that_is_no_ip() {
    assert_eq!(decode(&arp(a(1), a(2))).network, Network::Arp);
    assert_eq!(decode(&arp(a(1), a(2)).vlan(3)).vlan, Some(3));
    let other = decode(&Frame { ethertype: 0x88cc, bytes: vec![0; 20] });
    assert_eq!((other.network, other.vlan, other.tcp_layers), (Network::Other, None, 0));
    assert_eq!(decode(&ip(a(1), a(2), 50, &[0; 20])).transport, Transport::Other);
}

#[test]
fn every_link_type_leads_to_the_same_packet() {
    let frame = segment();
    let typed = |head: &[u8]| [head, &[8, 0], &frame.bytes].concat();
    let bare = |head: &[u8]| [head, &frame.bytes].concat();
    let snap = [0xaa, 0xaa, 3, 0, 0, 0];
    let data_frame = [&[0x88, 0x01][..], &[0; 22], &[0, 0], &snap].concat();
    let radiotap = [&[0, 0, 8, 0, 0, 0, 0, 0][..], &data_frame].concat();
    let links = [
        (0, bare(&[2, 0, 0, 0])),
        (0, bare(&[0, 0, 0, 2])),
        (6, typed(&[&[0x10, 0x40][..], &[0; 12], &snap].concat())),
        (9, bare(&[0xff, 3, 0, 0x21])),
        (50, bare(&[0x21])),
        (10, typed(&[&[0x50; 13][..], &snap].concat())),
        (12, frame.bytes.clone()),
        (101, frame.bytes.clone()),
        (228, frame.bytes.clone()),
        (104, typed(&[0x0f, 0])),
        (105, typed(&data_frame)),
        (107, bare(&[0x18, 0x41, 3, 0xcc])),
        (107, typed(&[0x18, 0x41])),
        (108, bare(&[0, 0, 0, 2])),
        (113, typed(&[0; 14])),
        (127, typed(&radiotap)),
        (192, bare(&[0, 0, 8, 0, 101, 0, 0, 0])),
        (239, bare(&[2, 0, 0, 0, 5, 0, 10, 0, b'x', 0, 0, 0, 63, 0, 9, 0])),
        (276, bare(&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0])),
        (258, bare(&[12, 0, 0, 0, 1, 0, 0, 0, 101, 0, 0, 0])),
        (7, bare(&[1, 2, 212, 0, 0, 1])),
    ];
    for (link, bytes) in links {
        let told = decode_as(link, &bytes, bytes.len());
        assert_eq!((told.hosts, told.payload_len), (Some((a(1), a(2))), 11), "link type {link}");
        assert!(told.segment.unwrap().complete, "link type {link}");
    }
}

#[test]
fn service_headers_in_service_headers_take_no_stack() {
    let mut bytes = vec![0; 12];
    bytes.extend([0x89, 0x4f]);
    bytes.extend([0, 0, 0, 4].repeat(60_000));
    bytes.extend([0, 0, 0, 3]);
    bytes.extend(segment().ethernet());
    let told = decode_as(1, &bytes, bytes.len());
    assert_eq!((told.network, told.hosts), (Network::Ipv4, Some((a(1), a(2)))));
}
