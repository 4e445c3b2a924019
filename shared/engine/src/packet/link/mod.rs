//! Link types: which numbers of the LINKTYPE registry of tcpdump.org are known, their names, and what Wireshark's file
//! readers take them to mean.

mod names;

use super::raw::LinkType;

/// Ethernet.
pub const ETHERNET: LinkType = LinkType(1);

/// Longest record of most link types, in bytes.
const USUAL_LIMIT: u32 = 262_144;
/// Longest record of buses whose transfers are long.
const BUS_LIMIT: u32 = 128 * 1024 * 1024;

/// The registry's name of a link type, `unknown` for numbers without one.
#[must_use]
pub fn name(link: LinkType) -> &'static str {
    names::NAMES
        .binary_search_by_key(&link.0, |entry| entry.0)
        .ok()
        .and_then(|at| names::NAMES.get(at))
        .map_or("unknown", |entry| entry.1)
}

/// Whether a pcap file of this type can be read at all.
pub(super) fn known(link: LinkType) -> bool {
    names::NAMES.binary_search_by_key(&link.0, |entry| entry.0).is_ok()
}

/// The most bytes a record of this type may hold; a longer one is a damaged file.
pub(super) fn record_limit(link: LinkType) -> u32 {
    match link.0 {
        186 | 189 | 220 | 231 | 249 | 266 => BUS_LIMIT,
        279 => 8 * 1024 * 1024,
        _ => USUAL_LIMIT,
    }
}

/// Bytes at the head of each record that describe the packet and are no part of it.
pub(super) fn pseudo_header(link: LinkType) -> u32 {
    match link.0 {
        123 | 139 | 201 | 254 => 4,
        144 | 177 => 16,
        196 | 209 => 5,
        204 => 1,
        245 => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_in_order() {
        assert!(names::NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(name(ETHERNET), "Ethernet");
        assert_eq!(name(LinkType(276)), "Linux cooked v2");
        assert_eq!(name(LinkType(281)), "unknown");
        assert!(!known(LinkType(281)));
    }
}
