//! Packets on their way from the capture thread to the analysis.

use trafficlab_engine::packet::raw::{LinkType, RawPacket};

/// A batch is full with so many packets ...
const PACKETS: usize = 1024;
/// ... or so many bytes.
const BYTES: usize = 1024 * 1024;

/// Packets one behind the other in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    heads: Vec<Head>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    time_ns: i64,
    wire_len: u32,
    end: usize,
}

impl Batch {
    /// Room for a whole batch of header records.
    pub(crate) fn new() -> Self {
        Self { heads: Vec::with_capacity(PACKETS), bytes: Vec::with_capacity(PACKETS * 128) }
    }

    /// Adds a packet.
    pub(crate) fn push(&mut self, time_ns: i64, wire_len: u32, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        self.heads.push(Head { time_ns, wire_len, end: self.bytes.len() });
    }

    /// Whether it should be handed on.
    pub(crate) fn is_full(&self) -> bool {
        self.heads.len() >= PACKETS || self.bytes.len() >= BYTES
    }

    /// How many packets there are.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Forgets the packets and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.heads.clear();
        self.bytes.clear();
    }

    /// The packets in order.
    pub(crate) fn packets(&self, link: LinkType) -> impl Iterator<Item = RawPacket<'_>> {
        let mut begin = 0;
        self.heads.iter().map(move |head| {
            let data = self.bytes.get(begin..head.end).unwrap_or_default();
            begin = head.end;
            RawPacket { time_ns: Some(head.time_ns), wire_len: head.wire_len, data, link }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn packets_come_out_as_they_went_in() {
        let mut batch = Batch::new();
        batch.push(5, 100, b"abc");
        batch.push(6, 4, b"");
        batch.push(7, 2, b"de");
        let seen: Vec<_> =
            batch.packets(LinkType(1)).map(|packet| (packet.time_ns.unwrap(), packet.wire_len, packet.data)).collect();
        assert_eq!(seen, [(5, 100, &b"abc"[..]), (6, 4, b""), (7, 2, b"de")]);
        batch.clear();
        assert!(batch.is_empty() && !batch.is_full());
        (0..PACKETS).for_each(|_| batch.push(0, 0, b""));
        assert!(batch.is_full());
    }
}
