//! A live capture: one thread takes packets, one analyses them, this task tells what they find.

mod follow;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use trafficlab_shared::clock;
use trafficlab_shared::model::capture::baseline::Baselines;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::work::{LiveSpec, Work};
use trafficlab_shared::protocol::capture::{CaptureEvent, Progress};
use trafficlab_shared::protocol::report::EndReason;

use super::teller::{Found, Teller};
use super::{CaptureTask, analysis, packs};
use crate::io::capture::{CaptureFault, KeptFiles, Taken, Tap};
use crate::job::orders::{Order, Orders};
use crate::job::thread::{self, Flags};
use crate::shard::{ShardEnd, ShardFault};
use follow::{Closed, Follow, Last};

/// Closed windows that may wait for the broker; then the analysis waits, and packets are refused and counted.
const WAITING: usize = 64;
/// How often the progress is told while no window closes; longer than the usual short windows, so that a window never
/// waits for the record of a progress that it would tell itself.
const PROGRESS_EVERY: Duration = Duration::from_millis(1500);

/// An interface that packets are taken from since a moment, nanoseconds since 1970.
pub(super) struct Opened {
    tap: Tap,
    begun_ns: i64,
}

/// Opens the interface of a live capture; other work has none.
///
/// # Errors
/// A sentence for people.
pub(super) async fn open(task: &CaptureTask) -> Result<Option<Opened>, CaptureFault> {
    let Work::Live { live, .. } = &*task.job.work else {
        return Ok(None);
    };
    let live = live.clone();
    let opened = thread::joined(&mut tokio::task::spawn_blocking(move || Tap::open(&live))).await?;
    let begun_ns = i64::try_from(clock::wall_ns()).unwrap_or(i64::MAX);
    Ok(Some(Opened { tap: opened, begun_ns }))
}

/// Does a live capture.
pub(super) async fn work(
    task: &CaptureTask,
    (live, Opened { tap, begun_ns }): (&LiveSpec, Opened),
    settings: (&AnalysisSettings, &Baselines),
    mut teller: Teller,
    mut orders: Orders,
) -> Result<ShardEnd, ShardFault> {
    teller.lives = true;
    let kept = match &live.keep {
        Some(keep) => Some(
            KeptFiles::open(
                &task.worker.capture_dir,
                &task.job.job,
                keep.clone(),
                (tap.link, tap.snap_length, live.payload),
            )
            .map_err(|error| ShardFault::Hopeless(format!("packets cannot be kept: {error}")))?,
        ),
        None => None,
    };
    let first_window = windows_before(&teller, settings.0);
    tell_gap(&task.worker.id, &mut teller, begun_ns).await?;
    let mut running = Running::start(task, tap, kept, settings, (&teller, first_window));
    let left = left(live.duration_ms, &teller, begun_ns);
    match running.tell_while_it_runs(&mut teller, &mut orders, left).await {
        Ok(leaving) => running.finish(teller, leaving).await,
        Err(fault) => {
            running.abandon().await;
            Err(fault)
        }
    }
}

/// How many places in time from the origin on are told already, with packets or without.
fn windows_before(teller: &Teller, settings: &AnalysisSettings) -> u64 {
    let (Some(origin), Some(until)) = (teller.origin_ns, teller.told_until_ns) else {
        return 0;
    };
    u64::try_from(until.saturating_sub(origin)).unwrap_or(0).div_ceil(settings.window_ns.max(1))
}

/// What is left of the duration, which counts from the first owner's beginning.
fn left(duration_ms: Option<u64>, teller: &Teller, now_ns: i64) -> Duration {
    let Some(duration_ms) = duration_ms else {
        return FOR_EVER;
    };
    let gone_ns = now_ns.saturating_sub(teller.began_ns.unwrap_or(now_ns));
    let gone = Duration::from_nanos(u64::try_from(gone_ns).unwrap_or(0));
    Duration::from_millis(duration_ms).saturating_sub(gone)
}

/// After a takeover, what was not captured; at the first start, when capturing began.
async fn tell_gap(worker: &str, teller: &mut Teller, now_ns: i64) -> Result<(), ShardFault> {
    teller.began_ns.get_or_insert(now_ns);
    let until = teller.told_until_ns.replace(now_ns);
    let (Some(before), Some(from_ns)) = (teller.before.clone(), until) else {
        return Ok(());
    };
    let reason = if before == worker {
        format!("worker `{worker}` had to start the capture again")
    } else {
        format!("worker `{before}` was lost or left; `{worker}` goes on")
    };
    teller.tell(CaptureEvent::Gap { from_ns, to_ns: now_ns, reason }).await
}

/// Why the capture ends.
enum Leaving {
    /// Its time is over.
    Over,
    Ordered(Order),
    /// The interface broke down, or the analysis did.
    ByItself,
}

/// Both threads of a capture.
struct Running {
    taken: Arc<Taken>,
    flags: Flags,
    taking: JoinHandle<Result<(), CaptureFault>>,
    following: JoinHandle<Last>,
    closed: mpsc::Receiver<Closed>,
    /// Packets and drops of owners before this one.
    before: Progress,
    settings: AnalysisSettings,
}

impl Running {
    fn start(
        task: &CaptureTask,
        tap: Tap,
        kept: Option<KeptFiles>,
        (settings, baselines): (&AnalysisSettings, &Baselines),
        (teller, first_window): (&Teller, u64),
    ) -> Self {
        let taken = Arc::new(Taken::default());
        let flags = Flags::new(&task.alive_at);
        let link = tap.link;
        let (taking, hand) = tap.split(Arc::clone(&taken));
        let (to, closed) = mpsc::channel(WAITING);
        let follow = Follow {
            hand,
            link,
            kept,
            taken: Arc::clone(&taken),
            flags: flags.clone(),
            settings: settings.clone(),
            baselines: baselines.clone(),
            origin_ns: teller.origin_ns,
            first_window,
            dropped: (0, 0),
            to,
        };
        Self {
            taken,
            flags,
            taking: tokio::task::spawn_blocking(move || taking.run()),
            following: tokio::task::spawn_blocking(move || follow.run()),
            closed,
            before: teller.progress,
            settings: settings.clone(),
        }
    }

    async fn tell_while_it_runs(
        &mut self,
        teller: &mut Teller,
        orders: &mut Orders,
        left: Duration,
    ) -> Result<Leaving, ShardFault> {
        let over = tokio::time::sleep(left);
        tokio::pin!(over);
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                closed = self.closed.recv() => match closed {
                    Some(closed) => {
                        self.tell(teller, closed).await?;
                        ticks.reset();
                    }
                    None => return Ok(Leaving::ByItself),
                },
                order = orders.next() => return Ok(Leaving::Ordered(order)),
                () = &mut over => return Ok(Leaving::Over),
                _ = ticks.tick() => {
                    let progress = self.progress();
                    if progress != teller.progress {
                        teller.progress = progress;
                        teller.tell_found(Found::default()).await?;
                    }
                }
            }
        }
    }

    /// Tells windows that have closed, with what belongs to them.
    async fn tell(&self, teller: &mut Teller, closed: Closed) -> Result<(), ShardFault> {
        teller.origin_ns = teller.origin_ns.or_else(|| analysis::origin(&closed.windows, &self.settings));
        teller.told_until_ns = closed.windows.iter().map(|window| window.end_ns).max().max(teller.told_until_ns);
        teller.progress = self.progress();
        for found in packs::together(&closed.windows, &closed.anomalies, &closed.connections) {
            teller.tell_found(found).await?;
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let now = &self.taken;
        Progress {
            packets: self.before.packets + now.packets.load(Ordering::Relaxed),
            kernel_drops: self.before.kernel_drops + now.kernel_drops.load(Ordering::Relaxed),
            app_drops: self.before.app_drops + now.app_drops.load(Ordering::Relaxed),
            ..Progress::default()
        }
    }

    /// Ends both threads without another word, so that nothing holds the interface when it is opened again.
    async fn abandon(&mut self) {
        self.taken.stop.store(true, Ordering::Relaxed);
        self.flags.stop();
        self.closed.close();
        if let Err(fault) = thread::joined(&mut self.taking).await {
            tracing::warn!(%fault, "capture was abandoned");
        }
        drop(thread::joined(&mut self.following).await);
    }

    /// Ends both threads, tells what they still have, and the end.
    async fn finish(mut self, mut teller: Teller, leaving: Leaving) -> Result<ShardEnd, ShardFault> {
        self.taken.stop.store(true, Ordering::Relaxed);
        if matches!(leaving, Leaving::Ordered(Order::GiveBack)) {
            // The next owner captures the rest of the open windows; they are not told in two halves.
            self.flags.stop();
        }
        while let Some(closed) = self.closed.recv().await {
            self.tell(&mut teller, closed).await?;
        }
        let taking = thread::joined(&mut self.taking).await;
        let last = thread::joined(&mut self.following).await;
        teller.progress = self.progress();
        let reason = match leaving {
            Leaving::Ordered(Order::GiveBack) => {
                teller.tell(CaptureEvent::Yield).await?;
                return Ok(ShardEnd::Yielded);
            }
            Leaving::Ordered(Order::Stop(revision)) => {
                teller.revision = revision;
                EndReason::Stopped
            }
            Leaving::Over => EndReason::Completed,
            Leaving::ByItself => {
                let fault = taking.err().map(|fault| fault.0).or(last.fault);
                return Err(ShardFault::Hopeless(fault.unwrap_or_else(|| "the capture ended by itself".into())));
            }
        };
        let outcome = last.outcome(teller.before.as_deref()).unwrap_or_else(Bytes::new);
        teller.tell(CaptureEvent::End { reason, outcome }).await?;
        Ok(ShardEnd::Settled)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.taken.stop.store(true, Ordering::Relaxed);
    }
}

/// A capture without a duration ends when it is told to.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
