//! An export as an actor's task: it runs beside the actors, with a blocking thread of its own.

use std::sync::atomic::AtomicU64;

use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::job::Task;
use crate::export::{self, ExportTask};
use crate::lane::{self, Outcome};
use crate::shard::ShardFault;

impl Task for ExportTask {
    const NAME: &'static str = "the export";

    fn alive_at(&self) -> &AtomicU64 {
        &self.alive_at
    }

    fn launch(&self) -> Option<oneshot::Receiver<Outcome>> {
        let (done, outcome) = oneshot::channel();
        let running = tokio::task::spawn_local(export::run(self.clone()));
        tokio::task::spawn_local(lane::report(running, done));
        Some(outcome)
    }

    fn fail(&self, reason: String) -> LocalBoxFuture<'static, Result<(), ShardFault>> {
        let task = self.clone();
        Box::pin(async move { export::fail(&task, reason).await })
    }
}
