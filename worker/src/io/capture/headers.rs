//! How many bytes of a packet are headers, so that what is kept on disk holds no payload.

use trafficlab_engine::packet::raw::LinkType;

const ETHERNET: usize = 14;
const VLAN: usize = 4;

/// Bytes from the beginning of a packet that are link, network and transport headers. What this does not understand has
/// only the headers up to there; a tunnel ends with its outer transport header. ARP is a header as a whole.
pub(super) fn length(link: LinkType, data: &[u8]) -> usize {
    let (kind, at) = match link.0 {
        1 => ethernet(data),
        // Linux cooked captures: version 1 has the protocol at 14, version 2 at 0.
        113 => (word(data, 14), 16),
        276 => (word(data, 0), 20),
        // BSD loopback, then raw IP.
        0 | 108 => (ip_kind(data, 4), 4),
        12 | 14 | 101 | 228 | 229 => (ip_kind(data, 0), 0),
        _ => (None, 0),
    };
    let end = match kind {
        Some(0x0800) => ipv4(data, at),
        Some(0x86dd) => ipv6(data, at),
        Some(0x0806) => at + 28,
        _ => at,
    };
    end.min(data.len())
}

/// The type behind Ethernet and its VLAN tags, and where it begins.
fn ethernet(data: &[u8]) -> (Option<u16>, usize) {
    let mut at = ETHERNET;
    let mut kind = word(data, at - 2);
    while matches!(kind, Some(0x8100 | 0x88a8 | 0x9100)) && at < ETHERNET + 3 * VLAN {
        at += VLAN;
        kind = word(data, at - 2);
    }
    (kind, at)
}

fn ip_kind(data: &[u8], at: usize) -> Option<u16> {
    match data.get(at)? >> 4 {
        4 => Some(0x0800),
        6 => Some(0x86dd),
        _ => None,
    }
}

fn ipv4(data: &[u8], at: usize) -> usize {
    let Some(first) = data.get(at) else {
        return at;
    };
    let end = at + usize::from(first & 0x0f).max(5) * 4;
    let behind_the_first = word(data, at + 6).is_some_and(|fragment| fragment & 0x1fff != 0);
    match data.get(at + 9) {
        Some(protocol) if !behind_the_first => transport(*protocol, data, end),
        _ => end,
    }
}

fn ipv6(data: &[u8], at: usize) -> usize {
    let mut end = at + 40;
    let mut next = data.get(at + 6).copied();
    // Hop by hop, routing, fragment, destination options, authentication; no honest packet has more of them.
    for _ in 0..8 {
        let Some(kind) = next else {
            return end;
        };
        let units = data.get(end + 1).map(|units| usize::from(*units));
        let length = match (kind, units) {
            (0 | 43 | 60, Some(units)) => (units + 1) * 8,
            (44, Some(_)) => 8,
            (51, Some(units)) => (units + 2) * 4,
            _ => return transport(kind, data, end),
        };
        if kind == 44 && word(data, end + 2).is_some_and(|fragment| fragment & 0xfff8 != 0) {
            return end + length;
        }
        next = data.get(end).copied();
        end += length;
    }
    end
}

fn transport(protocol: u8, data: &[u8], at: usize) -> usize {
    match protocol {
        6 => at + data.get(at + 12).map_or(20, |offset| usize::from(offset >> 4) * 4).max(20),
        17 | 1 | 58 => at + 8,
        132 => at + 12,
        _ => at,
    }
}

fn word(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    fn ethernet_tcp(vlans: usize) -> Vec<u8> {
        let mut frame = vec![0; 12];
        (0..vlans).for_each(|_| frame.extend([0x81, 0, 0, 7]));
        frame.extend([8, 0, 0x45, 0, 1, 0, 0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0; 12]);
        frame.extend([0x80, 0x18, 0, 0, 0, 0, 0, 0]);
        frame.extend([1; 12]);
        frame.extend(b"GET /secret");
        frame
    }

    #[test]
    fn payload_begins_behind_the_transport_header() {
        for vlans in 0..4 {
            let frame = ethernet_tcp(vlans);
            assert_eq!(&frame[length(LinkType(1), &frame)..], b"GET /secret", "{vlans} VLAN tags");
        }
        let udp = [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17][..], &[0; 18], b"name"].concat();
        assert_eq!(&udp[length(LinkType(101), &udp)..], b"name");
        let mut fragment = udp;
        fragment[7] = 1;
        assert_eq!(length(LinkType(101), &fragment), 20, "a later fragment has no transport header");
    }

    #[test]
    fn ipv6_extension_headers_are_headers() {
        let mut packet = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
        packet.extend([0; 32]);
        packet.extend([6, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend([0; 12]);
        packet.extend([0x50, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(b"payload");
        assert_eq!(&packet[length(LinkType(101), &packet)..], b"payload");
    }

    #[test]
    fn what_is_not_understood_keeps_its_link_header_only() {
        let mut frame = ethernet_tcp(0);
        (frame[12], frame[13]) = (0x88, 0xcc);
        assert_eq!(length(LinkType(1), &frame), 14);
        assert_eq!(length(LinkType(9999), &frame), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(link in prop::sample::select(vec![0, 1, 12, 101, 108, 113, 276]), data: Vec<u8>) {
            prop_assert!(length(LinkType(link), &data) <= data.len());
        }
    }
}
