//! Adding up what the threads report, once a second: progress, thresholds, signals.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};
use trafficlab_engine::traffic::judge::{Observed, Verdict, judge};
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::model::threshold::Threshold;

use super::counts::{Counts, Times};
use super::lane::{LaneEnd, Snapshot, Stop, Used};
use super::progress::Progress;
use super::series::Series;

/// Why a run ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// A threshold was crossed; the sentence names it.
    Threshold(String),
    /// The owner of the target does not agree any more.
    Owner(String),
}

impl Stopped {
    /// The sentence for summaries.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Interrupt => "stopped by Ctrl-C",
            Self::Terminate => "stopped by SIGTERM",
            Self::Threshold(reason) | Self::Owner(reason) => reason,
        }
    }
}

/// Everything the threads have reported.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) counts: Counts,
    pub(super) times: Times,
    pub(super) series: Series,
    pub(super) lanes: Vec<Used>,
    pub(super) ends: Vec<LaneEnd>,
    pub(super) stopped: Option<Stopped>,
    /// A second signal came: nothing is waited for any more.
    pub(super) cut_off: bool,
}

impl Collected {
    fn add(&mut self, snapshot: &Snapshot) {
        self.counts.merge(&snapshot.counts);
        self.times.merge(&snapshot.times);
        self.series.add(snapshot.second, &snapshot.counts, &snapshot.times.response);
        let shard = usize::try_from(snapshot.shard).unwrap_or(0);
        if self.lanes.len() <= shard {
            self.lanes.resize(shard + 1, Used::default());
        }
        if let Some(lane) = self.lanes.get_mut(shard) {
            lane.add(snapshot.used);
        }
        self.ends.extend(snapshot.end);
    }

    /// What thresholds are judged by.
    pub(super) const fn observed(&self, seconds: f64) -> Observed<'_> {
        Observed {
            response: &self.times.response,
            service: &self.times.service,
            lag: &self.times.lag,
            scheduled: self.counts.scheduled,
            sent: self.counts.sent,
            succeeded: self.counts.succeeded,
            failed: self.counts.failed(),
            dropped: self.counts.dropped,
            missed: self.counts.missed,
            late: self.counts.late,
            seconds,
        }
    }
}

/// When a crossed threshold stops the run.
#[derive(Debug, Clone)]
pub(super) struct Abort {
    pub(super) thresholds: Vec<Threshold>,
    /// The first judgement, after this much of the run.
    pub(super) after: Duration,
}

/// Collects until every thread has ended or a second signal comes. `disowned` comes back when the owner of the
/// target does not agree any more.
pub(super) async fn collect(
    mut snapshots: mpsc::Receiver<Snapshot>,
    origin_ns: u64,
    stop: &Arc<Stop>,
    abort: Option<&Abort>,
    mut progress: Progress,
    disowned: impl Future<Output = String>,
) -> std::io::Result<Collected> {
    let mut collected = Collected::default();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A little after the threads, so that their reports of the second are here.
    let first = Duration::from_nanos(origin_ns.saturating_sub(boot_ns())) + Duration::from_millis(1050);
    let mut second = interval_at(Instant::now() + first, Duration::from_secs(1));
    tokio::pin!(disowned);
    let mut owned = true;
    loop {
        let stopped = tokio::select! {
            snapshot = snapshots.recv() => match snapshot {
                Some(snapshot) => {
                    collected.add(&snapshot);
                    continue;
                }
                None => break,
            },
            _ = second.tick() => {
                let seconds = Duration::from_nanos(boot_ns().saturating_sub(origin_ns));
                progress.show(&collected, seconds);
                judged(&collected, abort, seconds)
            }
            stopped = signalled(&mut interrupt, &mut terminate) => {
                if matches!(collected.stopped, Some(Stopped::Interrupt | Stopped::Terminate)) {
                    collected.cut_off = true;
                    break;
                }
                Some(stopped)
            }
            why = &mut disowned, if owned => {
                owned = false;
                Some(Stopped::Owner(why))
            }
        };
        if let Some(stopped) = stopped {
            stop.ask();
            let signalled = matches!(stopped, Stopped::Interrupt | Stopped::Terminate);
            if signalled || collected.stopped.is_none() {
                collected.stopped = Some(stopped);
            }
        }
    }
    progress.end();
    Ok(collected)
}

async fn signalled(interrupt: &mut Signal, terminate: &mut Signal) -> Stopped {
    tokio::select! {
        _ = interrupt.recv() => Stopped::Interrupt,
        _ = terminate.recv() => Stopped::Terminate,
    }
}

/// The first threshold that does not hold, if one of them stops the run.
fn judged(collected: &Collected, abort: Option<&Abort>, seconds: Duration) -> Option<Stopped> {
    let abort = abort.filter(|abort| seconds >= abort.after && collected.stopped.is_none())?;
    let verdicts = judge(&abort.thresholds, &collected.observed(seconds.as_secs_f64()));
    let crossed = verdicts.into_iter().find(|verdict| verdict.holds == Some(false))?;
    let Verdict { text, value, .. } = crossed;
    let value = value.map_or_else(String::new, |value| format!(": {value:.3}"));
    Some(Stopped::Threshold(format!("threshold `{text}` crossed{value} after {} s", seconds.as_secs())))
}
