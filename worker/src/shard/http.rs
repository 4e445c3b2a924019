//! Real requests: due arrivals go to a pool of connections, finished ones come back as entries.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::pack::{EntryMode, PackedEntry};
use trafficlab_engine::traffic::simulate::auction;
use trafficlab_shared::protocol::report::Cursor;

use super::ShardTask;
use super::clock::ShardClock;
use super::gather::Gather;
use super::prepare;
use super::request::Visitor;
use super::requests::{Requests, right_to_send};
use super::source::Source;
use crate::io::http::{Done, HttpPool, RequestPlan};

/// The requests of a shard, and whom they come from.
pub(crate) struct Sent {
    content: Arc<Content>,
    requests: Requests,
}

impl Sent {
    /// Checks the target once more, with the network, and prepares the requests.
    ///
    /// # Errors
    /// A sentence when the run can never send.
    pub(crate) async fn new(task: &ShardTask, content: Arc<Content>) -> Result<Self, String> {
        let spec = prepare::plan(task).await?;
        let visitor = Visitor::new(Arc::clone(&content), task.job.run.seed, task.job.shard);
        let visitor = visitor.with_target(&spec.url, &spec.method);
        let plan = RequestPlan::new(spec).map_err(|error| error.to_string())?;
        let requests = Requests::new(HttpPool::new(Rc::new(plan), Rc::new(visitor)));
        Ok(Self { content, requests })
    }
}

impl Source for Sent {
    const PACED: bool = true;
    const KEEP_ALIVE_NS: Option<u64> = Some(1_000_000_000);

    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        self.requests.offer(at, due_active, clock, gather);
    }

    fn collect(&mut self, clock: &ShardClock, gather: &mut Gather) {
        for done in self.requests.ended() {
            let key = gather.key(Cursor { slot: done.slot, k: done.k });
            let dims = self.content.dims(key);
            let mut entry = entry_of(&done);
            if entry.success {
                entry.auction = auction(&self.content, key, &dims);
            }
            let due_active = clock.active_at_boot(done.due_ns);
            gather.finished(&entry, &dims, due_active, Some(lag_us(&done)), clock);
        }
    }

    fn open(&self) -> Vec<Cursor> {
        self.requests.open()
    }

    fn is_idle(&self) -> bool {
        self.requests.is_idle()
    }

    async fn progressed(&self) {
        self.requests.progressed().await;
    }

    fn confirmed(&mut self, sent_at_boot: u64) {
        self.requests.set_send_deadline(right_to_send(sent_at_boot));
    }

    async fn close(&mut self, grace_ns: u64, keep_open: bool, clock: &ShardClock, gather: &mut Gather) {
        self.requests.close(Duration::from_nanos(grace_ns), keep_open, clock, gather).await;
        self.collect(clock, gather);
    }
}

/// From the intended moment to the real send, in microseconds.
pub(super) const fn lag_us(done: &Done) -> u64 {
    done.sent_ns.saturating_sub(done.due_ns) / 1000
}

pub(super) fn entry_of(done: &Done) -> PackedEntry {
    let us = |from: u64| u32::try_from(done.done_ns.saturating_sub(from) / 1000).unwrap_or(u32::MAX);
    PackedEntry {
        slot: done.slot,
        k: done.k,
        mode: EntryMode::Http,
        status: done.status,
        success: done.success,
        error: done.error,
        response_us: us(done.due_ns),
        service_us: us(done.sent_ns),
        bytes_in: u32::try_from(done.bytes_in).unwrap_or(u32::MAX),
        bytes_out: u32::try_from(done.bytes_out).unwrap_or(u32::MAX),
        attempt: u16::from(done.attempts),
        auction: None,
    }
}
