//! The sequence analysis of TCP: what Wireshark's `tcp.analysis` says of each segment, told again by rules of our own
//! writing, and honest round trips beside it.
//!
//! The behaviour is that of Wireshark 4.0 with fast retransmissions tested before out-of-order ones. The rules are
//! those of the capture set's `EXPECTED.md`; where these and tshark's output differ, tshark's output decides.

mod marks;
mod open;
mod repeats;
mod stream;
mod verdict;

pub use open::OpenSegments;
pub use stream::{Side, Stream};
pub use verdict::{Marks, RoundTrip, Verdict};

/// FIN.
pub const FIN: u16 = 0x001;
/// SYN.
pub const SYN: u16 = 0x002;
/// RST.
pub const RST: u16 = 0x004;
/// ACK.
pub const ACK: u16 = 0x010;

#[cfg(test)]
mod tests;
