//! A capture job as an actor's task: it runs beside the actors, with blocking threads of its own.

use std::sync::atomic::AtomicU64;

use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::job::Task;
use crate::capture::{self, CaptureTask};
use crate::lane::{self, Outcome};
use crate::shard::ShardFault;

impl Task for CaptureTask {
    const NAME: &'static str = "the analysis";

    fn alive_at(&self) -> &AtomicU64 {
        &self.alive_at
    }

    fn launch(&self) -> Option<oneshot::Receiver<Outcome>> {
        let (done, outcome) = oneshot::channel();
        let running = tokio::task::spawn_local(capture::run(self.clone()));
        tokio::task::spawn_local(lane::report(running, done));
        Some(outcome)
    }

    fn fail(&self, reason: String) -> LocalBoxFuture<'static, Result<(), ShardFault>> {
        let task = self.clone();
        Box::pin(async move { capture::fail(&task, reason).await })
    }
}
