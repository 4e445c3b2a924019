//! Captures as files: pcap and pcapng in, pcap out.
//!
//! What a file is taken to say, and where its damage begins, follows Wireshark's readers; the code does not.

mod buffer;
mod fault;
mod gzip;
mod interface;
mod names;
mod options;
mod order;
mod pcap;
mod pcapng;
mod reader;
mod source;
mod variant;
mod write;

pub use fault::{FileFault, FileFaultKind};
pub use reader::CaptureReader;
pub use write::PcapWriter;

#[cfg(test)]
mod pcapng_tests;
#[cfg(test)]
mod tests;
