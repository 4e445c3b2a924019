//! The analysis thread of a live capture: packets in, closed windows out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use trafficlab_engine::packet::analyzer::{Analyzer, Mode, Report};
use trafficlab_engine::packet::anomaly::Detector;
use trafficlab_engine::packet::link;
use trafficlab_engine::packet::raw::LinkType;
use trafficlab_shared::clock;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::window::Window;

use crate::capture::analysis::analysis_outcome;
use crate::io::capture::{Batch, Hand, KeptFiles, Taken};
use crate::job::thread::Flags;

/// Longest wait for packets: how late a window may close by the clock.
const WAIT: Duration = Duration::from_millis(20);
/// A window closes when it ended this long ago by the clock, packets or not.
const WALL_LATENESS_NS: i64 = 1_000_000_000;

/// Windows that closed together, and what belongs to them.
#[derive(Debug, Default)]
pub(super) struct Closed {
    pub(super) windows: Vec<Window>,
    pub(super) anomalies: Vec<Anomaly>,
    pub(super) connections: Vec<Connection>,
}

/// What the thread comes back with.
pub(super) struct Last {
    report: Option<Report>,
    /// Why it ended by itself.
    pub(super) fault: Option<String>,
}

impl Last {
    /// The outcome as JSON; `before` is the worker an earlier part was captured by.
    pub(super) fn outcome(self, before: Option<&str>) -> Option<Bytes> {
        let mut report = self.report?;
        if let Some(before) = before {
            report.summary.approximate =
                Some(format!("figures of the whole begin after the last gap; before it worker `{before}` captured"));
        }
        Some(analysis_outcome(report))
    }
}

/// Everything the thread needs.
pub(super) struct Follow {
    pub(super) hand: Hand,
    pub(super) link: LinkType,
    pub(super) kept: Option<KeptFiles>,
    pub(super) taken: Arc<Taken>,
    pub(super) flags: Flags,
    pub(super) settings: AnalysisSettings,
    pub(super) baselines: Baselines,
    /// Where window 0 begins, when it is settled.
    pub(super) origin_ns: Option<i64>,
    /// Windows before this one are told.
    pub(super) first_window: u64,
    /// Drops of the kernel and of this program that the analyzer knows of.
    pub(super) dropped: (u64, u64),
    pub(super) to: mpsc::Sender<Closed>,
}

impl Follow {
    /// Analyses until the capture thread is gone, then what is left.
    pub(super) fn run(mut self) -> Last {
        let settings = self.settings.clone();
        let mode = Mode::Live { origin: self.origin_ns, first_window: self.first_window };
        let mut analyzer = Analyzer::new(settings.clone(), mode);
        let mut detector = Detector::new(std::mem::take(&mut self.baselines), settings.thresholds);
        let mut latest = i64::MIN;
        loop {
            match self.hand.batches.recv_timeout(WAIT) {
                Ok(batch) => {
                    if let Err(reason) = self.take(batch, &mut analyzer, &mut latest) {
                        return Last { report: None, fault: Some(reason) };
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.flags.bump();
            self.note_drops(&mut analyzer);
            let windows = analyzer.close_until(latest.max(self.by_the_clock()));
            if !windows.is_empty() && !self.hand_on(windows, analyzer.connections(), &mut detector) {
                return Last { report: None, fault: None };
            }
        }
        self.end(analyzer, &mut detector)
    }

    /// Tells the analyzer what was dropped since the last time.
    fn note_drops(&mut self, analyzer: &mut Analyzer) {
        let (kernel, app) = self.dropped;
        self.dropped = (self.taken.kernel_drops.load(Ordering::Relaxed), self.taken.app_drops.load(Ordering::Relaxed));
        if self.dropped != (kernel, app) {
            analyzer.drops(self.dropped.0 - kernel, self.dropped.1 - app);
        }
    }

    /// Windows end by the clock too: the packet time at which those close that ended a second ago.
    fn by_the_clock(&self) -> i64 {
        let now = i64::try_from(clock::wall_ns()).unwrap_or(i64::MAX);
        let lateness = i64::try_from(self.settings.lateness_ns).unwrap_or(i64::MAX);
        now.saturating_sub(WALL_LATENESS_NS).saturating_add(lateness)
    }

    fn take(&mut self, mut batch: Batch, analyzer: &mut Analyzer, latest: &mut i64) -> Result<(), String> {
        for packet in batch.packets(self.link) {
            *latest = packet.time_ns.map_or(*latest, |time| time.max(*latest));
            analyzer.packet(&packet);
        }
        let packets = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.taken.packets.fetch_add(packets, Ordering::Relaxed);
        if let Some(kept) = &mut self.kept {
            kept.write(&batch).map_err(|error| format!("packets cannot be kept: {error}"))?;
        }
        batch.clear();
        // Without room for it the batch is dropped and a new one made when it is needed.
        drop(self.hand.empty.try_send(batch));
        Ok(())
    }

    /// Hands closed windows on; false when nobody takes them any more.
    fn hand_on(&self, windows: Vec<Window>, connections: Vec<Connection>, detector: &mut Detector) -> bool {
        let anomalies = windows.iter().flat_map(|window| detector.window(window)).collect();
        self.to.blocking_send(Closed { windows, anomalies, connections }).is_ok()
    }

    /// What was captured of the open windows is told, except when another owner goes on with them.
    fn end(mut self, mut analyzer: Analyzer, detector: &mut Detector) -> Last {
        self.note_drops(&mut analyzer);
        let fault = self.kept.as_mut().and_then(|kept| kept.close().err());
        let fault = fault.map(|error| format!("packets cannot be kept: {error}"));
        let mut report = analyzer.finish();
        "live".clone_into(&mut report.summary.format);
        report.summary.link_types = vec![link::name(self.link).to_owned()];
        if !self.flags.stopped() {
            let windows = std::mem::take(&mut report.windows);
            let connections = std::mem::take(&mut report.connections);
            if !self.hand_on(windows, connections, detector) {
                return Last { report: None, fault };
            }
        }
        Last { report: Some(report), fault }
    }
}
