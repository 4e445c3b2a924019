//! A traffic shard as an actor's task: it runs on a lane.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures_util::future::LocalBoxFuture;
use tokio::sync::oneshot;

use super::job::Task;
use crate::lane::{Lanes, Outcome};
use crate::shard::{ShardFault, ShardTask, start};

/// A shard and the lanes it may run on.
pub(crate) struct OnLane {
    pub(crate) task: ShardTask,
    pub(crate) lanes: Arc<Lanes>,
}

impl Task for OnLane {
    const NAME: &'static str = "the generator";

    fn alive_at(&self) -> &AtomicU64 {
        &self.task.alive_at
    }

    fn launch(&self) -> Option<oneshot::Receiver<Outcome>> {
        self.lanes.launch(self.task.clone())
    }

    fn fail(&self, reason: String) -> LocalBoxFuture<'static, Result<(), ShardFault>> {
        let task = self.task.clone();
        Box::pin(async move { start::fail(&task, reason).await })
    }
}
