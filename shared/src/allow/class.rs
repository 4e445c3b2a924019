//! What kind of place an IP address is: public, private, this machine, or never a target.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads, worst last: an address with another one inside it has the worse class of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressClass {
    /// Somebody's machine on the internet (documentation ranges count as such).
    Public,
    /// A private, shared or benchmarking range.
    Private,
    /// This machine.
    Loopback,
    /// Never a target, whatever the allow-list says; the text names the reason.
    Never(&'static str),
}

const METADATA: AddressClass = AddressClass::Never("a cloud metadata address");
const LINK_LOCAL: AddressClass = AddressClass::Never("a link-local address");
const MULTICAST: AddressClass = AddressClass::Never("a multicast address");
const UNSPECIFIED: AddressClass = AddressClass::Never("an unspecified address");

/// The address a connection to `address` really reaches: IPv4-mapped IPv6 addresses become IPv4.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The class of `address`, looking through every standard way to put an IPv4 address inside an IPv6 one.
#[must_use]
pub fn classify(address: IpAddr) -> AddressClass {
    match canonical(address) {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    match address.octets() {
        // AWS and most others; Alibaba; Oracle's second one; Azure's wire server.
        [169, 254, 169, 254] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => METADATA,
        [0, ..] => UNSPECIFIED,
        [127, ..] => AddressClass::Loopback,
        [169, 254, ..] => LINK_LOCAL,
        [224..=239, ..] => MULTICAST,
        [255, 255, 255, 255] => AddressClass::Never("the broadcast address"),
        [240..=255, ..] => AddressClass::Never("a reserved address"),
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => AddressClass::Private,
        // Shared address space (RFC 6598), protocol assignments (RFC 6890), benchmarking (RFC 2544).
        [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => AddressClass::Private,
        _ => AddressClass::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let own = own_class_v6(address);
    embedded_v4(address).into_iter().flatten().map(classify_v4).fold(own, AddressClass::max)
}

fn own_class_v6(address: Ipv6Addr) -> AddressClass {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => UNSPECIFIED,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        // AWS's whole service range, Google Cloud, Scaleway, and Oracle's spelling of 169.254.169.254.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] | [0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042] => METADATA,
        [0xfc00..=0xfdff, _, _, _, _, _, 0xa9fe, 0xa9fe] => METADATA,
        [0xfe80..=0xfebf, ..] => LINK_LOCAL,
        [0xff00..=0xffff, ..] => MULTICAST,
        // A network picks where its local NAT64 prefix ends, so the address inside cannot be judged.
        [0x0064, 0xff9b, 1, ..] => AddressClass::Never("a local NAT64 address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x0100, 0, 0, 0, ..] => AddressClass::Private,
        _ => AddressClass::Public,
    }
}

/// The IPv4 addresses inside an IPv6 one: compatible (RFC 4291), translated (RFC 7915), NAT64 (RFC 6052),
/// 6to4 (RFC 3056), Teredo with its server (RFC 4380) and ISATAP (RFC 5214).
fn embedded_v4(address: Ipv6Addr) -> [Option<Ipv4Addr>; 3] {
    let segments = address.segments();
    let [_, first, second, third, _, _, sixth, seventh] = segments;
    let last = v4(sixth, seventh);
    let isatap = matches!(segments, [_, _, _, _, 0x0000 | 0x0200, 0x5efe, _, _]).then_some(last);
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => [None; 3],
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x0064, 0xff9b, 0, 0, 0, 0, ..] => {
            [Some(last), None, None]
        }
        [0x2002, ..] => [Some(v4(first, second)), None, isatap],
        [0x2001, 0, ..] => [Some(v4(second, third)), Some(v4(!sixth, !seventh)), isatap],
        _ => [None, None, isatap],
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn class(text: &str) -> AddressClass {
        classify(text.parse().unwrap())
    }

    fn never(text: &str) -> bool {
        matches!(class(text), AddressClass::Never(_))
    }

    #[test]
    fn plain_addresses() {
        for text in ["8.8.8.8", "203.0.113.9", "172.32.0.1", "2606:4700::1111", "2001:db8::1", "64:ff9b::808:808"] {
            assert_eq!(class(text), AddressClass::Public, "{text}");
        }
        for text in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "fd12::1",
            "fec0::1",
        ] {
            assert_eq!(class(text), AddressClass::Private, "{text}");
        }
        for text in ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
            assert_eq!(class(text), AddressClass::Loopback, "{text}");
        }
    }

    #[test]
    fn never_targets_in_every_disguise() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "::ffff:169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:808:808:0:0:5601:5601",
            "2606:4700::5efe:169.254.169.254",
            "2606:4700::200:5efe:224.0.0.1",
        ] {
            assert!(never(text), "{text} is {:?}", class(text));
        }
    }
}
