//! From the captured bytes of a packet to what its headers say.
//!
//! Which header is taken to follow which is decided as tshark 4.0 does with its preferences as they come, so that both
//! tell the same of a packet: ports that announce tunnels, guesses behind MPLS and in GTP, what a bad length ends.

mod cooked;
mod ethernet;
mod gtp;
mod ip;
mod link;
mod mpls;
mod ppp;
mod transport;
mod tunnel;
mod view;
mod walk;
mod wlan;

use super::decoded::Decoded;
use super::raw::RawPacket;
use view::View;
use walk::{Next, Walk};

/// Most headers of a packet that are followed; tunnels in tunnels end there.
const MOST_HEADERS: usize = 200;

/// Reads headers. Holds no state of packets: the same bytes always decode alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decoder {}

impl Decoder {
    /// A decoder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills `into` anew from one packet. Takes any bytes; never allocates.
    #[inline]
    pub fn decode(&self, packet: &RawPacket<'_>, into: &mut Decoded) {
        let view = View { data: packet.data, len: packet.wire_len };
        let mut walk = Walk::new(into);
        // The usual first headers call each other: a header that goes through `Next` waits for its own bytes.
        let mut next = match packet.link.0 {
            1 => ethernet::ethernet(&mut walk, view),
            link => link::start(&mut walk, link, view),
        };
        for _ in 1..MOST_HEADERS {
            let Some(header) = next else { return };
            next = step(&mut walk, header);
        }
    }
}

/// Reads one header; none at the end of what can be read.
#[inline]
fn step<'a>(walk: &mut Walk<'_>, header: Next<'a>) -> Option<Next<'a>> {
    match header {
        Next::Ethernet(view) => ethernet::ethernet(walk, view),
        Next::EtherType(kind, view) => ethernet::payload(walk, kind, view),
        Next::Ipv4(view) => ip::v4(walk, view),
        Next::Ipv6(view) => ip::v6(walk, view),
        Next::IpPayload(protocol, view) => ip::payload(walk, protocol, view),
        Next::Link(1, view) => ethernet::ethernet(walk, view),
        Next::Link(link, view) => link::start(walk, link, view),
        Next::Llc(view) => ethernet::llc(view),
        Next::PppFramed(view) => ppp::framed(view),
        Next::Ppp(view) => ppp::protocol(view),
        Next::Wlan(view) => wlan::frame(view),
    }
}

#[cfg(test)]
mod tests;
