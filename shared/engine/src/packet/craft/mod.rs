//! Captures made by code, for tests, demonstrations and measurements: frames from a few words, TCP conversations with
//! every segment at a chosen time, and the files they make.
//!
//! Checksums are left zero: the analysis does not look at them.

mod capture;
mod conversation;
mod frame;
mod mutate;
mod samples;
mod tunnel;

pub use capture::{Capture, Packet};
pub use conversation::{Conversation, Side};
pub use frame::{Frame, TcpHeader, arp, icmp, ip, tcp, tcp_flags, udp};
pub use mutate::Mutator;
pub use samples::samples;
