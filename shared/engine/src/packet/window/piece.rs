//! What one flow did in one window, and what is told of all flows together.

use crate::packet::connection::Name;

use super::flow::{Ends, FlowSlice};

/// The sums of a flow in a window, as they left the flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) ends: Ends,
    /// Which of the connections that share the ends.
    pub(super) generation: u16,
    pub(super) bytes: [u64; 2],
    pub(super) packets: [u32; 2],
    pub(super) data: [u32; 2],
    pub(super) retransmitted: [u32; 2],
    /// The connection's state after its last packet here; none for UDP and for inner streams of tunnels.
    pub(super) state: Option<Name>,
    pub(super) opened: u16,
    pub(super) closed: u16,
}

impl Piece {
    pub(super) fn new(ends: &Ends, slice: &FlowSlice, generation: u16, state: Option<Name>) -> Self {
        Self {
            ends: *ends,
            generation,
            bytes: slice.bytes,
            packets: slice.packets,
            data: slice.data,
            retransmitted: slice.retransmitted,
            state,
            opened: slice.opened,
            closed: slice.closed,
        }
    }

    /// Whether packets of the flow's own are in it, beside verdicts about a stream inside a tunnel.
    pub(super) fn has_packets(&self) -> bool {
        self.packets.iter().any(|&packets| packets > 0)
    }

    pub(super) fn all_bytes(&self) -> u64 {
        self.bytes.iter().sum()
    }

    pub(super) fn all_packets(&self) -> u64 {
        self.packets.iter().map(|&packets| u64::from(packets)).sum()
    }

    fn add(&mut self, later: &Self) {
        for (sum, more) in self.bytes.iter_mut().zip(later.bytes) {
            *sum += more;
        }
        let counts = [
            (&mut self.packets, later.packets),
            (&mut self.data, later.data),
            (&mut self.retransmitted, later.retransmitted),
        ];
        for (sums, more) in counts {
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum = sum.saturating_add(more);
            }
        }
        self.state = later.state;
        self.opened = self.opened.saturating_add(later.opened);
        self.closed = self.closed.saturating_add(later.closed);
    }
}

/// Joins the pieces of each connection, in the order of flows.
pub(super) fn merge(pieces: &mut Vec<Piece>) {
    // Stable, so that of several pieces of a connection the last one says its state.
    pieces.sort_by_key(|piece| (piece.ends.serial, piece.generation));
    pieces.dedup_by(|later, first| {
        let same = (later.ends.serial, later.generation) == (first.ends.serial, first.generation);
        if same {
            first.add(later);
        }
        same
    });
}
