//! What the windows keep of each flow, and how a packet is handed to them.

use std::net::IpAddr;

use crate::packet::connection::Tracker;

/// What a flow speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6; type and code stand in the ports.
    Icmp,
}

impl Protocol {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// Who a flow is between. `src` is who sent its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Counts flows; no two flows of a capture share it.
    pub serial: u32,
    /// What they speak.
    pub protocol: Protocol,
    /// Address of the first sender.
    pub src: IpAddr,
    /// Its port.
    pub src_port: u16,
    /// The other address.
    pub dst: IpAddr,
    /// Its port.
    pub dst_port: u16,
    /// The outermost VLAN of the first packet.
    pub vlan: Option<u16>,
}

/// Sums of one flow in the window it was last seen in. Index 0 is the direction of the flow's first packet.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlowSlice {
    pub(crate) window: i64,
    pub(crate) bytes: [u64; 2],
    pub(crate) packets: [u32; 2],
    pub(crate) data: [u32; 2],
    pub(crate) retransmitted: [u32; 2],
    /// Whether the sums hold anything.
    pub(crate) used: bool,
    /// Connections that began in the window.
    pub(crate) opened: u16,
    /// Connections that ended in it by FIN or RST.
    pub(crate) closed: u16,
}

/// A flow as the analyzer hands it over with a packet.
#[derive(Debug)]
pub struct FlowPart<'a> {
    /// Who it is between.
    pub ends: &'a Ends,
    /// Its sums.
    pub slice: &'a mut FlowSlice,
    /// Its connection; absent for the inner streams of tunnels, which have sequence analysis only.
    pub connection: Option<&'a mut Tracker>,
    /// The analyzer's number of the flow, by which `Windows::active` names it.
    pub slot: u32,
    /// Whether the packet goes the way of the flow's first packet.
    pub forward: bool,
}

impl FlowPart<'_> {
    pub(crate) fn direction(&self) -> usize {
        usize::from(!self.forward)
    }
}

/// When a packet was seen and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Nanoseconds since 1970; packets without a time count in the summary alone.
    pub time_ns: Option<i64>,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// Bytes stored.
    pub captured: u32,
}
