//! Slices of time: everything that is counted of packets, and the windows made of it.
//!
//! The analyzer hands over every packet with the flow it belongs to. What every packet moves are plain counters of the
//! current window and the flow's own sums ([`FlowSlice`]); a flow's sums join the window when the flow leaves it, so
//! that nothing is hashed and nothing allocated per packet. Windows are half open, aligned to the first packet in
//! the order of the file; earlier packets lie in windows with negative numbers. Only windows with packets exist.

mod close;
mod flow;
mod long;
mod open;
mod piece;
mod samples;
mod sketch;
mod store;
mod take;
mod tally;
mod totals;

pub(crate) use close::ENOUGH_RETRANSMITTED;
pub use flow::{Ends, FlowPart, FlowSlice, Protocol, Seen};
pub(crate) use samples::{nearest_rank, ranked};
pub use store::{Finished, WindowMode, Windows};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod tests;
