//! Any bytes as a capture file: packets come out or a fault does, and no packet is longer than the file.
//!
//! `cargo +nightly fuzz run reader --fuzz-dir shared/engine/fuzz --target-dir target/fuzz`

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use trafficlab_engine::packet::file::CaptureReader;

/// Most bytes a packed input may unpack to here.
const UNPACKED: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    let Ok(mut reader) = CaptureReader::open_limited(Cursor::new(bytes.to_vec()), UNPACKED) else { return };
    let mut total = 0;
    while let Ok(Some(packet)) = reader.next() {
        total += packet.data.len();
    }
    assert!(packed || total <= bytes.len());
});
