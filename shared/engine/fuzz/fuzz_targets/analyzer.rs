//! Any bytes as packets of any link type, through the decoder and the whole analysis.
//!
//! The input is cut into packets: a byte for the link type, two for the length, one for the time since the packet before.
//!
//! `cargo +nightly fuzz run analyzer --fuzz-dir shared/engine/fuzz --target-dir target/fuzz`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trafficlab_engine::packet::analyzer::{Analyzer, Mode};
use trafficlab_engine::packet::raw::{LinkType, RawPacket};
use trafficlab_shared::model::capture::settings::AnalysisSettings;

fuzz_target!(|bytes: &[u8]| {
    let mut analyzer = Analyzer::new(AnalysisSettings::default(), Mode::File);
    let mut rest = bytes;
    let mut time = 1_700_000_000_000_000_000_i64;
    while let Some((&[link, high, low, later], after)) = rest.split_first_chunk::<4>() {
        let wire_len = u16::from_be_bytes([high, low]);
        let captured = usize::from(wire_len).min(after.len());
        let (data, following) = after.split_at(captured);
        time += i64::from(later) << 22;
        let packet =
            RawPacket { time_ns: Some(time), wire_len: u32::from(wire_len), data, link: LinkType(u16::from(link)) };
        analyzer.packet(&packet);
        rest = following;
    }
    drop(analyzer.finish());
});
