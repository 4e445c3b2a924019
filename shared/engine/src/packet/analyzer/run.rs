//! The analysis of a whole file.

use std::ops::ControlFlow;

use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::FileDamage;
use trafficlab_shared::protocol::capture::Progress;

use super::{Analyzer, Mode, Report};
use crate::packet::file::CaptureReader;

/// Packets between two calls of the progress callback; a few hundredths of a second.
const STEP: u64 = 1 << 16;

/// Analyses every packet of a capture. `progress` is called now and then, and may end the analysis early; the report
/// is then of the packets so far. Damage of the file is in the report's summary, beside the packets before it.
pub fn analyze(
    mut reader: CaptureReader,
    settings: AnalysisSettings,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Report {
    let mut analyzer = Analyzer::new(settings, Mode::File);
    let mut packets = 0_u64;
    let fault = loop {
        match reader.next() {
            Ok(Some(packet)) => analyzer.packet(&packet),
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        }
        packets += 1;
        if packets.is_multiple_of(STEP) {
            let so_far = Progress { bytes: reader.bytes_read(), packets, ..Progress::default() };
            if progress(so_far).is_break() {
                break None;
            }
        }
    };
    let mut report = analyzer.finish_with(reader.non_packet_records());
    let summary = &mut report.summary;
    reader.format().clone_into(&mut summary.format);
    summary.link_types = reader.link_types().into_iter().map(str::to_owned).collect();
    summary.fault = fault.map(|fault| FileDamage { offset: fault.offset, message: fault.message });
    report
}
