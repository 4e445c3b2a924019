//! One append at a time beside the generation, which must not wait for it.

use std::pin::Pin;

use trafficlab_shared::protocol::report::Record;

use crate::outbox::{LogError, ShardLog};

type Appending = Pin<Box<dyn Future<Output = (ShardLog<Record>, Result<u64, LogError>)>>>;

/// The log, at rest or with an append on its way.
pub(crate) struct LogWriter {
    idle: Option<ShardLog<Record>>,
    busy: Option<Appending>,
}

impl LogWriter {
    pub(crate) const fn new(log: ShardLog<Record>) -> Self {
        Self { idle: Some(log), busy: None }
    }

    /// Whether a record can be handed over now.
    pub(crate) const fn is_idle(&self) -> bool {
        self.idle.is_some()
    }

    /// Begins to append. Hands the record back when an append is still on its way.
    pub(crate) fn begin(&mut self, record: Record) -> Option<Record> {
        let Some(mut log) = self.idle.take() else {
            return Some(record);
        };
        self.busy = Some(Box::pin(async move {
            let answer = log.append(&record).await;
            (log, answer)
        }));
        None
    }

    /// Comes back with the boot time at which the record was sent, once it is in the log.
    /// Waits for ever when nothing is on its way. Cancel safe.
    pub(crate) async fn confirmed(&mut self) -> Result<u64, LogError> {
        let Some(busy) = self.busy.as_mut() else {
            return std::future::pending().await;
        };
        let (log, answer) = busy.await;
        self.busy = None;
        self.idle = Some(log);
        answer
    }
}
