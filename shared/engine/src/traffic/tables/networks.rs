//! Address ranges that no real host has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use super::{Cells, rows};
use crate::traffic::cast;
use crate::traffic::rng::EntryRng;

/// Documentation networks of RFC 5737.
static NETWORKS: LazyLock<Vec<[u8; 3]>> = LazyLock::new(|| {
    let row = |mut cells: Cells| [cells.parse(), cells.parse(), cells.parse()];
    rows(include_str!("../../../data/networks.tsv")).map(row).collect()
});

/// How many visitors in a hundred have an IPv6 address.
const IPV6_PERCENT: u32 = 30;

/// An address from a documentation range; one network per country.
pub(crate) fn address(country: u16, stream: &mut EntryRng) -> IpAddr {
    let (kind, word) = (stream.below32(100), stream.word());
    if kind < IPV6_PERCENT {
        // One /48 of the documentation prefix per country (RFC 3849).
        let part = |shift: u32| cast::low16(word >> shift);
        return IpAddr::V6(Ipv6Addr::new(
            0x2001,
            0xdb8,
            country + 1,
            part(48) & 0xff,
            part(32),
            part(16) | 1,
            part(8),
            part(0) | 1,
        ));
    }
    let place = usize::from(country).checked_rem(NETWORKS.len()).unwrap_or(0);
    let [a, b, c] = NETWORKS.get(place).copied().unwrap_or([192, 0, 2]);
    let host = cast::low8(u64::from(cast::low32(word) % 254)) + 1;
    IpAddr::V4(Ipv4Addr::new(a, b, c, host))
}
