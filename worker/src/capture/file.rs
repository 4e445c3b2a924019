//! A capture file: find its bytes, analyse them, tell what was found.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use trafficlab_shared::model::capture::work::Work;
use trafficlab_shared::protocol::capture::{CaptureEvent, Progress};
use trafficlab_shared::protocol::report::EndReason;

use super::analysis::{self, Done, FileJob, Undone};
use super::input::{self, Input};
use super::teller::{Found, Teller};
use super::{CaptureTask, obey};
use crate::job::orders::Orders;
use crate::job::pieces::{self, Pumping};
use crate::job::thread::{self, Flags, StopOnDrop};
use crate::shard::{ShardEnd, ShardFault};

/// How often a big file's progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// Does a file job.
pub(super) async fn work(task: CaptureTask, mut teller: Teller, mut orders: Orders) -> Result<ShardEnd, ShardFault> {
    let job = Arc::clone(&task.job);
    let Work::File { path, bytes, max_decompressed, settings, baselines } = &*job.work else {
        return Err(ShardFault::Hopeless("this is no work on a file".into()));
    };
    let Some(source) = find(&task, (path, *bytes), &mut teller, &mut orders).await? else {
        let order = orders.next().await;
        return obey(&mut teller, order).await;
    };
    let flags = Flags::new(&task.alive_at);
    let (progress, seen) = watch::channel(Progress { of_bytes: *bytes, ..Progress::default() });
    let (settings, baselines) = (settings.clone(), baselines.clone());
    let analysed =
        FileJob { bytes: *bytes, max_decompressed: *max_decompressed, settings, baselines, told: teller.told() };
    let own = flags.clone();
    let thread = tokio::task::spawn_blocking(move || analysis::file(source.input, &analysed, &progress, &own));
    let running = Running { thread, stop: StopOnDrop(flags), seen };
    let ended = running.watch(&mut teller, &mut orders).await;
    if let Some(pumping) = source.pumping {
        pumping.abort();
    }
    match ended? {
        Ended::Ordered(end) => Ok(end),
        Ended::Back(Ok(done)) => tell_all(done, teller, orders).await,
        Ended::Back(Err(undone)) => Err(fault(undone)),
    }
}

/// Why nothing came of it, as the actor wants it.
pub(super) fn fault(undone: Undone) -> ShardFault {
    match undone {
        Undone::Hopeless(reason) => ShardFault::Hopeless(reason),
        Undone::Again(reason) => ShardFault::Input(reason),
        Undone::Stopped => ShardFault::Input("the analysis was stopped and nobody had asked for it".into()),
    }
}

struct Source {
    input: Input,
    /// Moves pieces from the object store, when the file comes from there.
    pumping: Option<Pumping>,
}

/// The file's bytes: the file itself, or what the coordinator sends when it is asked to. `None` when there is an order
/// to leave instead.
async fn find(
    task: &CaptureTask,
    (path, bytes): (&str, u64),
    teller: &mut Teller,
    orders: &mut Orders,
) -> Result<Option<Source>, ShardFault> {
    if let Some(file) = input::shared_file(path, bytes) {
        return Ok(Some(Source { input: Input::File(file), pumping: None }));
    }
    teller.progress.of_bytes = bytes;
    teller.tell(CaptureEvent::FileWanted).await?;
    let input = pieces::fetch(&task.worker.context, &task.job.job, &task.alive_at, orders).await?;
    Ok(input.map(|(pieces, pumping)| Source { input: Input::Pieces(pieces), pumping: Some(pumping) }))
}

/// An analysis under way.
struct Running {
    thread: JoinHandle<Result<Done, Undone>>,
    stop: StopOnDrop,
    seen: watch::Receiver<Progress>,
}

enum Ended {
    Back(Result<Done, Undone>),
    Ordered(ShardEnd),
}

impl Running {
    /// Tells the progress until the thread comes back or there is an order to leave.
    async fn watch(mut self, teller: &mut Teller, orders: &mut Orders) -> Result<Ended, ShardFault> {
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        ticks.reset();
        loop {
            tokio::select! {
                back = thread::joined(&mut self.thread) => return Ok(Ended::Back(back)),
                order = orders.next() => {
                    self.stop.0.stop();
                    let end = obey(teller, order).await?;
                    drop(thread::joined(&mut self.thread).await);
                    return Ok(Ended::Ordered(end));
                }
                _ = ticks.tick() => {
                    teller.progress = *self.seen.borrow();
                    teller.tell_found(Found::default()).await?;
                }
            }
        }
    }
}

/// Tells everything that was found, then the end; an order to leave is looked for between records.
pub(super) async fn tell_all(done: Done, mut teller: Teller, orders: Orders) -> Result<ShardEnd, ShardFault> {
    teller.origin_ns = done.origin_ns.or(teller.origin_ns);
    teller.progress = done.progress;
    for found in done.records {
        if let Some(order) = orders.now() {
            return obey(&mut teller, order).await;
        }
        teller.tell_found(found).await?;
    }
    let end = CaptureEvent::End { reason: EndReason::Completed, outcome: done.outcome };
    teller.tell(end).await?;
    Ok(ShardEnd::Settled)
}
