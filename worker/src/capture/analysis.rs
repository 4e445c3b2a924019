//! Files and stored windows through the engine, on a blocking thread.

use std::io::Read;
use std::ops::ControlFlow;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::watch;
use trafficlab_engine::packet::analyzer::{Report, analyze};
use trafficlab_engine::packet::file::{CaptureReader, FileFault, FileFaultKind};
use trafficlab_engine::packet::{anomaly, baseline, pack};
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::window::Window;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::{Outcome, Progress};

use super::opening::Told;
use super::packs;
use super::teller::Found;
use crate::job::thread::{Flags, Watched};

/// An outcome above this is told without its figures for checking.
const OUTCOME_BYTES: usize = 1024 * 1024;

/// What a thread came back with.
pub(super) struct Done {
    /// Records in their order.
    pub(super) records: Vec<Found>,
    /// Where window 0 begins.
    pub(super) origin_ns: Option<i64>,
    /// How far it came.
    pub(super) progress: Progress,
    /// JSON of the outcome.
    pub(super) outcome: Bytes,
}

/// Why a thread came back without.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// It was told to stop.
    Stopped,
    /// It will never work; the sentence is for people.
    Hopeless(String),
    /// It may work another time.
    Again(String),
}

/// A file job as its thread needs it.
pub(super) struct FileJob {
    /// Its length.
    pub(super) bytes: u64,
    /// Most bytes after decompression.
    pub(super) max_decompressed: u64,
    pub(super) settings: AnalysisSettings,
    pub(super) baselines: Baselines,
    /// What the log tells already, which is left out.
    pub(super) told: Told,
}

/// Analyses a capture file. What is damaged behind its first packets is a fault in the outcome's summary.
pub(super) fn file(
    input: impl Read + Send + 'static,
    job: &FileJob,
    progress: &watch::Sender<Progress>,
    flags: &Flags,
) -> Result<Done, Undone> {
    let input = Watched { inner: input, flags: flags.clone() };
    let reader = CaptureReader::open_limited(input, job.max_decompressed).map_err(|fault| refused(&fault, flags))?;
    let mut seen = Progress { of_bytes: job.bytes, ..Progress::default() };
    let report = analyze(reader, job.settings.clone(), &mut |now| {
        flags.bump();
        seen = Progress { bytes: now.bytes, packets: now.packets, ..seen };
        progress.send_replace(seen);
        if flags.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if flags.stopped() {
        return Err(Undone::Stopped);
    }
    if let Some(reason) = flags.broken() {
        return Err(Undone::Again(format!("the file could not be read to its end: {reason}")));
    }
    if let (0, Some(fault)) = (report.summary.packets, &report.summary.fault) {
        return Err(Undone::Hopeless(format!("{} (at byte {})", fault.message, fault.offset)));
    }
    flags.bump();
    let anomalies = anomaly::detect(&report.windows, &job.baselines, &job.settings.thresholds);
    flags.bump();
    let told = job.told;
    let mut records: Vec<Found> = packs::windows(behind(&report.windows, told.windows)).collect();
    records.extend(packs::anomalies(behind(&anomalies, told.anomalies)));
    records.extend(packs::connections(behind(&report.connections, told.connections)));
    let progress = Progress { bytes: job.bytes, of_bytes: job.bytes, packets: report.summary.packets, ..seen };
    let origin_ns = origin(&report.windows, &job.settings);
    Ok(Done { records, origin_ns, progress, outcome: analysis_outcome(report) })
}

/// What lies behind the first `told` of a list.
fn behind<T>(items: &[T], told: u64) -> &[T] {
    usize::try_from(told).ok().and_then(|told| items.get(told..)).unwrap_or_default()
}

fn refused(fault: &FileFault, flags: &Flags) -> Undone {
    if flags.stopped() {
        return Undone::Stopped;
    }
    match fault.kind {
        FileFaultKind::Io => Undone::Again(fault.to_string()),
        _ => Undone::Hopeless(fault.to_string()),
    }
}

/// Where window 0 begins, by any window.
pub(super) fn origin(windows: &[Window], settings: &AnalysisSettings) -> Option<i64> {
    let length = i64::try_from(settings.window_ns).ok()?;
    let window = windows.first()?;
    window.start_ns.checked_sub(window.index.checked_mul(length)?)
}

/// The outcome of an analysis as JSON.
pub(super) fn analysis_outcome(report: Report) -> Bytes {
    let wire = serde_json::to_value(&report.wire).unwrap_or_default();
    let summary = Box::new(report.summary);
    let whole = encode(&Outcome::Analysis { summary: summary.clone(), wire });
    if whole.len() <= OUTCOME_BYTES {
        return whole;
    }
    let wire = json!({"left_out": format!("{} bytes are more than a record holds", whole.len())});
    encode(&Outcome::Analysis { summary, wire })
}

fn encode(outcome: &Outcome) -> Bytes {
    match serde_json::to_vec(outcome) {
        Ok(bytes) => bytes.into(),
        Err(error) => {
            // Maps with text keys and plain numbers: there is nothing in it that JSON cannot hold.
            tracing::error!(%error, "outcome cannot be encoded");
            Bytes::new()
        }
    }
}

/// Judges windows: computes baselines or finds anomalies.
pub(super) fn windows(input: &[Window], work: &Work, told: Told) -> Result<Done, Undone> {
    let progress = Progress { packets: input.iter().map(|window| window.packets).sum(), ..Progress::default() };
    let (records, outcome) = match work {
        Work::Baseline { kinds } => (Vec::new(), Outcome::Baselines { baselines: baseline::of(input.iter(), kinds) }),
        Work::Detect { settings, baselines } => {
            let found = anomaly::detect(input, baselines, &settings.thresholds);
            let anomalies = u64::try_from(found.len()).unwrap_or(u64::MAX);
            (packs::anomalies(behind(&found, told.anomalies)).collect(), Outcome::Detection { anomalies })
        }
        Work::File { .. } | Work::Live { .. } => {
            return Err(Undone::Hopeless("this work is not done on stored windows".into()));
        }
    };
    Ok(Done { records, origin_ns: None, progress, outcome: encode(&outcome) })
}

/// Windows as the coordinator hands them over: packs, each behind its length as a big-endian `u32`.
pub(super) fn read_windows(mut input: impl Read) -> Result<Vec<Window>, Undone> {
    let mut all = Vec::new();
    let mut length = [0; 4];
    loop {
        match read_full(&mut input, &mut length)? {
            0 => return Ok(all),
            4 => {}
            _ => return Err(Undone::Again("the stored windows break off within a length".into())),
        }
        let length = u32::from_be_bytes(length);
        if length > LONGEST_PACK {
            return Err(Undone::Hopeless(format!("a pack of windows says it has {length} bytes")));
        }
        let mut pack = vec![0; usize::try_from(length).unwrap_or_default()];
        if read_full(&mut input, &mut pack)? < pack.len() {
            return Err(Undone::Again("the stored windows break off within a pack".into()));
        }
        let windows = pack::read_windows(&pack);
        all.extend(windows.map_err(|error| Undone::Hopeless(format!("stored windows cannot be read: {error}")))?);
    }
}

/// No pack of ours is longer: they are made to fit into records.
const LONGEST_PACK: u32 = 16 * 1024 * 1024;

/// Fills the buffer as far as there are bytes.
fn read_full(input: &mut impl Read, into: &mut [u8]) -> Result<usize, Undone> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(Undone::Again(error.to_string())),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_told_is_told() {
        let items = [1, 2, 3];
        assert_eq!(behind(&items, 0), [1, 2, 3]);
        assert_eq!(behind(&items, 2), [3]);
        assert_eq!(behind(&items, 3), [] as [i32; 0]);
        assert_eq!(behind(&items, u64::MAX), [] as [i32; 0], "a log that tells more than there is");
    }

    #[test]
    fn the_origin_follows_from_any_window() {
        let settings = AnalysisSettings { window_ns: 10, ..AnalysisSettings::default() };
        let window = |index, start_ns| Window { index, start_ns, ..Window::default() };
        assert_eq!(origin(&[window(3, 1035)], &settings), Some(1005));
        assert_eq!(origin(&[window(-2, 985)], &settings), Some(1005));
        assert_eq!(origin(&[], &settings), None);
    }

    #[test]
    fn stored_windows_that_break_off_are_no_shorter_list() {
        assert_eq!(read_windows(&[][..]).map(|windows| windows.len()), Ok(0));
        assert!(matches!(read_windows(&[0, 0][..]), Err(Undone::Again(_))));
        assert!(matches!(read_windows(&[0, 0, 0, 9, 1][..]), Err(Undone::Again(_))));
        assert!(matches!(read_windows(&[0xff, 0, 0, 9, 1][..]), Err(Undone::Hopeless(_))));
    }
}
