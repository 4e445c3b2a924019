//! A look at the head of a file, so that what is no capture is refused before a job is made of it.

use std::fs::File;
use std::path::Path;

use trafficlab_engine::packet::file::{CaptureReader, FileFault, FileFaultKind};

use super::source::refused;
use crate::systems::Outcome;

/// Reads the file's head and its first packet. What is damaged further on is the analysis' to tell. Blocks.
///
/// # Errors
/// 400 with a sentence that names the file as `name`.
pub fn check(path: &Path, name: &str) -> Outcome<()> {
    let file =
        File::open(path).map_err(|error| refused(format!("PCAP file cannot be read: {name}: {}", error.kind())))?;
    match first_packet(file) {
        Some(fault) => told(&fault, name),
        None => Ok(()),
    }
}

fn first_packet(file: File) -> Option<FileFault> {
    match CaptureReader::open(file) {
        Ok(mut reader) => reader.next().err(),
        Err(fault) => Some(fault),
    }
}

fn told(fault: &FileFault, name: &str) -> Outcome<()> {
    Err(refused(match fault.kind {
        FileFaultKind::Empty => format!("PCAP file is empty: {name}"),
        FileFaultKind::NotACapture => format!("PCAP file is not a pcap or pcapng capture: {name}"),
        FileFaultKind::UnsupportedLink => format!("PCAP file has an unsupported link type: {name}: {}", fault.message),
        FileFaultKind::Io => format!("PCAP file cannot be read: {name}: {}", fault.message),
        FileFaultKind::Damaged | FileFaultKind::TooLarge => return Ok(()),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn what_is_no_capture_is_refused_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let message = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            check(&path, "x.pcap").err().map(|fault| fault.message)
        };
        assert_eq!(message(b"").unwrap(), "PCAP file is empty: x.pcap");
        assert_eq!(
            message(b"<html>no capture at all</html>").unwrap(),
            "PCAP file is not a pcap or pcapng capture: x.pcap"
        );
        // A classic header with Ethernet and nothing behind it is a capture without packets.
        let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
        assert_eq!(message(&header), None);
        header.extend([0; 7]);
        assert_eq!(message(&header), None, "cut in the first record");
    }
}
