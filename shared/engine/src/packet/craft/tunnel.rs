//! What a frame can be wrapped in: Ethernet, VLAN tags, MPLS, PPPoE, GRE, VXLAN.

use std::net::{IpAddr, SocketAddr};

use super::frame::{Frame, ip, short, udp};

impl Frame {
    /// As an Ethernet frame, from and to fixed made-up addresses.
    #[must_use]
    pub fn ethernet(&self) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        bytes.extend(self.ethertype.to_be_bytes());
        bytes.extend(&self.bytes);
        bytes
    }

    /// Behind one IEEE 802.1Q tag.
    #[must_use]
    pub fn vlan(&self, id: u16) -> Self {
        self.tagged(0x8100, id)
    }

    /// Behind a tag with any EtherType of its own, such as 0x88a8.
    #[must_use]
    pub fn tagged(&self, ethertype: u16, id: u16) -> Self {
        let mut bytes = Vec::from((id & 0x0fff).to_be_bytes());
        bytes.extend(self.ethertype.to_be_bytes());
        bytes.extend(&self.bytes);
        Self { ethertype, bytes }
    }

    /// Behind one MPLS label, the bottom of its stack.
    #[must_use]
    pub fn mpls(&self, label: u32) -> Self {
        let mut bytes = Vec::from(((label & 0x000f_ffff) << 12 | 0x0100 | 64).to_be_bytes());
        bytes.extend(&self.bytes);
        Self { ethertype: 0x8847, bytes }
    }

    /// In a PPPoE session.
    #[must_use]
    pub fn pppoe(&self) -> Self {
        let protocol: u16 = if self.ethertype == 0x86dd { 0x0057 } else { 0x0021 };
        let mut bytes = vec![0x11, 0, 0, 1];
        bytes.extend(short(self.bytes.len() + 2).to_be_bytes());
        bytes.extend(protocol.to_be_bytes());
        bytes.extend(&self.bytes);
        Self { ethertype: 0x8864, bytes }
    }

    /// In GRE without options between two hosts.
    #[must_use]
    pub fn gre(&self, src: IpAddr, dst: IpAddr) -> Self {
        let mut bytes = vec![0, 0];
        bytes.extend(self.ethertype.to_be_bytes());
        bytes.extend(&self.bytes);
        ip(src, dst, 47, &bytes)
    }

    /// In IP directly, as 6in4 and 4in6 are.
    #[must_use]
    pub fn in_ip(&self, src: IpAddr, dst: IpAddr) -> Self {
        ip(src, dst, if self.ethertype == 0x86dd { 41 } else { 4 }, &self.bytes)
    }

    /// As an Ethernet frame in VXLAN between two ends; the port that announces VXLAN is 4789.
    #[must_use]
    pub fn vxlan(&self, src: SocketAddr, dst: SocketAddr, network: u32) -> Self {
        let mut bytes = vec![8, 0, 0, 0];
        bytes.extend((network << 8).to_be_bytes());
        bytes.extend(self.ethernet());
        udp(src, dst, &bytes)
    }
}
