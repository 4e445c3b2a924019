//! From what was gathered to what is told.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use trafficlab_shared::model::capture::counts::{FlowEnds, Talker};
use trafficlab_shared::model::capture::window::{Connections, FlowBytes, FlowLatency, FlowLoss, Scan, Service, Window};

use crate::packet::connection::Name;
use crate::packet::service;

use super::flow::{Ends, Protocol};
use super::open::{Hosts, Open, add_hosts};
use super::piece::{Piece, merge};
use super::samples::{Kind, by_flow};
use super::sketch;

/// Members of a list of talkers, flows, lossy or slow directions.
const LISTED: usize = 10;
/// Services listed.
const SERVICES: usize = 20;
/// Retransmissions from which on a share of lost segments means something.
pub(crate) const ENOUGH_RETRANSMITTED: u64 = 5;

/// Sums by service.
pub(super) type Services = BTreeMap<(Protocol, Label), (u64, u64)>;

/// The name of a service, or the lower port where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Name(&'static str),
    Port(u16),
}

/// What a window adds to the whole capture.
pub(super) struct Closed {
    pub(super) window: Window,
    pub(super) hosts: Hosts,
    pub(super) services: Services,
}

/// The window of what was gathered. `open` keeps its pieces, merged, so that it can take more and be closed again.
pub(super) fn close(open: &mut Open, start_ns: i64, end_ns: i64, scans: Vec<Scan>) -> Closed {
    merge(&mut open.pieces);
    let mut hosts = open.hosts.clone();
    let mut services = Services::new();
    for piece in open.pieces.iter().filter(|piece| piece.has_packets()) {
        let Ends { src, dst, .. } = piece.ends;
        let [there, back] = piece.bytes;
        let [packets_there, packets_back] = piece.packets;
        add_hosts(&mut hosts, src, dst, there, u64::from(packets_there));
        add_hosts(&mut hosts, dst, src, back, u64::from(packets_back));
        add_service(&mut services, piece);
    }
    let slow = slow(open);
    let tally = &open.tally;
    let window = Window {
        index: open.index,
        start_ns,
        end_ns,
        first_ns: open.first_ns,
        last_ns: open.last_ns,
        packets: tally.packets,
        bytes: tally.bytes,
        captured_bytes: tally.captured_bytes,
        network: tally.network,
        transport: tally.transport,
        transport_bytes: tally.transport_bytes,
        services: service_list(&services),
        top_src: talkers(&hosts, |sums| sums.sent),
        top_dst: talkers(&hosts, |sums| sums.received),
        top_flows: top_flows(&open.pieces),
        connections: connections(&open.pieces),
        tcp: tally.flags(),
        segments: tally.segments,
        lossy: lossy(&open.pieces),
        latency: open.samples.figures(&[Kind::Ack, Kind::Server, Kind::Client]),
        handshake_server: open.samples.figures(&[Kind::Server]),
        handshake_client: open.samples.figures(&[Kind::Client]),
        rtt_wireshark: open.samples.figures(&[Kind::Wireshark]),
        slow,
        scans,
        long_lived: open.long_lived.clone(),
        late_packets: open.late_packets,
        kernel_drops: open.kernel_drops,
        app_drops: open.app_drops,
        approximate: open.samples.approximate().then(|| sketch::ERROR.to_owned()),
        ..Window::default()
    };
    let conversations = window.connections.total;
    Closed { window: Window { conversations, ..window }, hosts, services }
}

fn add_service(services: &mut Services, piece: &Piece) {
    let ends = &piece.ends;
    if ends.protocol == Protocol::Icmp {
        return;
    }
    let label = match service::of(ends.protocol, ends.src_port, ends.dst_port) {
        Some(name) => Label::Name(name),
        None => Label::Port(ends.src_port.min(ends.dst_port)),
    };
    let sums = services.entry((ends.protocol, label)).or_default();
    *sums = (sums.0 + piece.all_bytes(), sums.1 + piece.all_packets());
}

/// The greatest services, those of both transports under one name together.
pub(super) fn service_list(services: &Services) -> Vec<Service> {
    let mut named: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    // Names are made for those alone that can be among the greatest.
    let mut order: Vec<_> = services.iter().collect();
    order.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.0));
    for (&(protocol, label), &(bytes, packets)) in order.into_iter().take(10 * SERVICES) {
        let name = match label {
            Label::Name(name) => name.to_owned(),
            Label::Port(port) => format!("{}/{port}", protocol.as_str()),
        };
        let sums = named.entry(name).or_default();
        *sums = (sums.0 + bytes, sums.1 + packets);
    }
    let mut list: Vec<Service> =
        named.into_iter().map(|(name, (bytes, packets))| Service { name, packets, bytes }).collect();
    list.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    list.truncate(SERVICES);
    list
}

/// The addresses with most bytes, ties by address as text.
pub(super) fn talkers(hosts: &Hosts, sums: impl Fn(&super::open::HostSums) -> (u64, u64)) -> Vec<Talker> {
    let mut list: Vec<(IpAddr, (u64, u64))> =
        hosts.iter().map(|(&addr, host)| (addr, sums(host))).filter(|(_, (_, packets))| *packets > 0).collect();
    greatest(&mut list, |(_, (bytes, _))| *bytes, |(addr, _)| addr.to_string());
    list.into_iter().map(|(addr, (bytes, packets))| Talker { addr: addr.to_string(), bytes, packets }).collect()
}

/// Cuts a list to its greatest members in order; text is made for ties alone.
fn greatest<T, K: Ord + Copy>(list: &mut Vec<T>, key: impl Fn(&T) -> K, text: impl Fn(&T) -> String) {
    let order = |a: &T, b: &T| key(b).cmp(&key(a)).then_with(|| text(a).cmp(&text(b)));
    if list.len() > LISTED {
        list.select_nth_unstable_by(LISTED, order);
        list.truncate(LISTED);
    }
    list.sort_by(order);
}

/// The ends of one direction as text; direction 0 is the way of the first packet.
pub(super) fn flow_ends(ends: &Ends, direction: usize) -> FlowEnds {
    let (src, dst) = (SocketAddr::new(ends.src, ends.src_port), SocketAddr::new(ends.dst, ends.dst_port));
    let (src, dst) = if direction == 0 { (src, dst) } else { (dst, src) };
    FlowEnds {
        protocol: ends.protocol.as_str().to_owned(),
        src: src.to_string(),
        dst: dst.to_string(),
        vlan: ends.vlan,
    }
}

fn order_text(ends: &Ends, direction: usize) -> String {
    let flow = flow_ends(ends, direction);
    format!("{} {}", flow.src, flow.dst)
}

fn top_flows(pieces: &[Piece]) -> Vec<FlowBytes> {
    let with_packets = pieces.iter().filter(|piece| piece.has_packets() && piece.ends.protocol != Protocol::Icmp);
    // Connections one after another on the same ends are one flow.
    let mut sums: Vec<(Ends, u64, u64)> = Vec::new();
    for piece in with_packets {
        match sums.last_mut() {
            Some(last) if last.0.serial == piece.ends.serial => {
                last.1 += piece.all_bytes();
                last.2 += piece.all_packets();
            }
            _ => sums.push((piece.ends, piece.all_bytes(), piece.all_packets())),
        }
    }
    greatest(&mut sums, |sum| sum.1, |sum| order_text(&sum.0, 0));
    sums.into_iter().map(|(ends, bytes, packets)| FlowBytes { flow: flow_ends(&ends, 0), bytes, packets }).collect()
}

fn connections(pieces: &[Piece]) -> Connections {
    let mut told = Connections::default();
    let mut last = None;
    let mut states = [0_u64; Name::ALL.len()];
    for piece in pieces.iter().filter(|piece| piece.has_packets() && piece.ends.protocol != Protocol::Icmp) {
        if last.replace(piece.ends.serial) != Some(piece.ends.serial) {
            told.total += 1;
            *told.protocols.entry(piece.ends.protocol.as_str().to_owned()).or_default() += 1;
        }
        told.opened += u64::from(piece.opened);
        told.closed += u64::from(piece.closed);
        if let Some(count) = piece.state.and_then(|name| states.get_mut(usize::from(name as u8))) {
            *count += 1;
        }
    }
    told.states = named_states(&states);
    told
}

/// Counts by Zeek's names, zeros left out.
pub(super) fn named_states(states: &[u64; Name::ALL.len()]) -> BTreeMap<String, u64> {
    let counted = Name::ALL.iter().zip(states).filter(|(_, count)| **count > 0);
    counted.map(|(name, &count)| (name.as_str().to_owned(), count)).collect()
}

/// Directions by loss: first those with enough retransmissions for the share to mean something.
fn lossy(pieces: &[Piece]) -> Vec<FlowLoss> {
    let mut list: Vec<(Ends, usize, u64, u64)> = Vec::new();
    for piece in pieces {
        for (direction, (&sent, &lost)) in piece.data.iter().zip(&piece.retransmitted).enumerate() {
            if lost > 0 {
                list.push((piece.ends, direction, u64::from(sent), u64::from(lost)));
            }
        }
    }
    let share = |sent: u64, lost: u64| lost.saturating_mul(1_000_000) / sent.max(1);
    greatest(
        &mut list,
        |&(_, _, sent, lost)| (lost >= ENOUGH_RETRANSMITTED, share(sent, lost), lost),
        |(ends, direction, ..)| order_text(ends, *direction),
    );
    let told = |(ends, direction, sent, retransmitted): (Ends, usize, u64, u64)| FlowLoss {
        flow: flow_ends(&ends, direction),
        sent,
        retransmitted,
    };
    list.into_iter().map(told).collect()
}

fn slow(open: &mut Open) -> Vec<FlowLatency> {
    let mut list = by_flow(&mut open.samples);
    let pieces = &open.pieces;
    let ends = |serial: u32| {
        let place = pieces.partition_point(|piece| piece.ends.serial < serial);
        pieces.get(place).map(|piece| piece.ends).filter(|ends| ends.serial == serial)
    };
    let text = |flow: &(u32, u8, u64, u64)| ends(flow.0).map_or_else(String::new, |e| order_text(&e, flow.1.into()));
    greatest(&mut list, |&(_, _, _, p95)| p95, text);
    let told = |(serial, direction, count, p95_ns): (u32, u8, u64, u64)| {
        let flow = flow_ends(&ends(serial)?, direction.into());
        Some(FlowLatency { flow, count, p95_ns })
    };
    list.into_iter().filter_map(told).collect()
}
