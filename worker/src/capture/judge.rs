//! Baselines and detection over windows that are stored already; they come through the object store.

use std::sync::Arc;

use super::analysis::{self, Undone};
use super::file::{fault, tell_all};
use super::teller::Teller;
use super::{CaptureTask, obey};
use crate::job::orders::Orders;
use crate::job::pieces;
use crate::job::thread::{self, Flags, StopOnDrop, Watched};
use crate::shard::{ShardEnd, ShardFault};

/// Does a baseline or a detection job.
pub(super) async fn work(task: CaptureTask, mut teller: Teller, mut orders: Orders) -> Result<ShardEnd, ShardFault> {
    let fetched = pieces::fetch(&task.worker.context, &task.job.job, &task.alive_at, &mut orders).await?;
    let Some((pieces, pumping)) = fetched else {
        let order = orders.next().await;
        return obey(&mut teller, order).await;
    };
    let job = Arc::clone(&task.job);
    let told = teller.told();
    let flags = Flags::new(&task.alive_at);
    let own = flags.clone();
    let stop = StopOnDrop(flags);
    let mut thread = tokio::task::spawn_blocking(move || -> Result<_, Undone> {
        let windows = analysis::read_windows(Watched { inner: pieces, flags: own.clone() })?;
        own.bump();
        analysis::windows(&windows, &job.work, told)
    });
    let back = tokio::select! {
        back = thread::joined(&mut thread) => back,
        order = orders.next() => {
            stop.0.stop();
            pumping.abort();
            let end = obey(&mut teller, order).await;
            drop(thread::joined(&mut thread).await);
            return end;
        }
    };
    pumping.abort();
    match back {
        Ok(done) => tell_all(done, teller, orders).await,
        Err(undone) => Err(fault(undone)),
    }
}
