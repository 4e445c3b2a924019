//! Simulated requests: the engine draws each one when its moment has come.

use std::future::{pending, ready};
use std::sync::Arc;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::simulate::simulate_with_dims;
use trafficlab_shared::protocol::report::Cursor;

use super::clock::ShardClock;
use super::gather::Gather;
use super::source::Source;

/// Draws; nothing of it ever stays open.
#[derive(Debug)]
pub(crate) struct Simulated {
    content: Arc<Content>,
}

impl Simulated {
    pub(crate) const fn new(content: Arc<Content>) -> Self {
        Self { content }
    }
}

impl Source for Simulated {
    const PACED: bool = false;
    const KEEP_ALIVE_NS: Option<u64> = None;

    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        let (entry, dims) = simulate_with_dims(&self.content, gather.key(at));
        gather.finished(&entry, &dims, due_active, None, clock);
    }

    fn collect(&mut self, _clock: &ShardClock, _gather: &mut Gather) {}

    fn open(&self) -> Vec<Cursor> {
        Vec::new()
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn progressed(&self) -> impl Future<Output = ()> {
        pending()
    }

    fn confirmed(&mut self, _sent_at_boot: u64) {}

    fn close(
        &mut self,
        _grace_ns: u64,
        _keep_open: bool,
        _clock: &ShardClock,
        _gather: &mut Gather,
    ) -> impl Future<Output = ()> {
        ready(())
    }
}
