//! What the headers of one packet say, in the terms the analysis works with.

use std::net::IpAddr;

/// The first network protocol of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Network {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// ARP.
    Arp,
    /// None of them.
    #[default]
    Other,
}

/// What follows the outermost IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// ICMPv6.
    Icmpv6,
    /// SCTP.
    Sctp,
    /// GRE.
    Gre,
    /// A fragment behind the first, IP in IP, ESP, or no IP at all.
    #[default]
    Other,
}

/// UDP headers of one packet at the most, tunnels in tunnels.
pub const MAX_UDP: usize = 4;

/// Everything the analysis needs of a packet; made once and filled anew for each.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    /// First of IPv4, IPv6, ARP.
    pub network: Network,
    /// What follows the outermost IP header.
    pub transport: Transport,
    /// Addresses of the outermost IP header.
    pub hosts: Option<(IpAddr, IpAddr)>,
    /// Ports of the outermost TCP or UDP header, source first.
    pub ports: Option<(u16, u16)>,
    /// Flags of the outermost TCP header, when `transport` is TCP.
    pub outer_tcp_flags: Option<u16>,
    /// Type and code of the outermost ICMP or ICMPv6 header.
    pub icmp: Option<(u8, u8)>,
    /// Bytes from the outermost IP header on, by that header.
    pub ip_len: u32,
    /// Payload bytes behind the outermost TCP or UDP header, by the IP header.
    pub payload_len: u32,
    /// The outermost VLAN identifier.
    pub vlan: Option<u16>,
    /// The innermost TCP header that is not quoted in an ICMP error.
    pub segment: Option<Segment>,
    /// TCP headers that are not quoted in an ICMP error.
    pub tcp_layers: u8,
    /// UDP headers that are not quoted, outermost first: source and destination with their ports.
    pub udp: [Option<UdpEnds>; MAX_UDP],
}

/// Both ends of a UDP header.
pub type UdpEnds = (IpAddr, u16, IpAddr, u16);

/// A TCP header as the sequence analysis wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Addresses of the IP header before it.
    pub src: IpAddr,
    /// See `src`.
    pub dst: IpAddr,
    /// Ports.
    pub src_port: u16,
    /// See `src_port`.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// The twelve flag bits, FIN the least.
    pub flags: u16,
    /// Window, unscaled.
    pub window: u16,
    /// Shift of the window scale option.
    pub window_scale: Option<u8>,
    /// Payload bytes by the IP header.
    pub len: u32,
    /// False for IP fragments and for segments whose IP length is below their header: they belong to their stream
    /// and are not analysed.
    pub analysed: bool,
    /// Whether the whole header, options included, was captured and is at least 20 bytes long. tshark says nothing of
    /// other segments, though they move its state (when `analysed`; `len` is then the IP payload without `4 * offset` bytes).
    pub complete: bool,
}
