//! The requests of a shard that are on their way: a pool, what came back from it, and what it left open.

use std::time::Duration;

use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::protocol::report::Cursor;

use super::clock::ShardClock;
use super::gather::Gather;
use crate::io::http::{Closed, Done, HttpPool, Offered, Ticket};

/// The right to send lasts this long from the last confirmed record: 0.8 of the broker's `AckWait`.
const RIGHT_TO_SEND_NS: u64 = 2_400_000_000;

/// Until when may be sent, when the last record that is confirmed was sent at this boot time.
pub(super) const fn right_to_send(confirmed_ns: u64) -> u64 {
    confirmed_ns + RIGHT_TO_SEND_NS
}

/// A pool as the sources use it.
pub(super) struct Requests {
    pool: Option<HttpPool>,
    done: Vec<Done>,
    /// What stayed open when the pool was closed.
    left_open: Vec<Cursor>,
}

impl Requests {
    pub(super) const fn new(pool: HttpPool) -> Self {
        Self { pool: Some(pool), done: Vec::new(), left_open: Vec::new() }
    }

    /// Sends the arrival as soon as a connection is free; counts it as dropped when too many wait.
    pub(super) fn offer(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        let ticket = Ticket { slot: at.slot, k: at.k, due_ns: clock.boot_at(due_active) };
        let offered = self.pool.as_mut().map_or(Offered::Dropped, |pool| pool.offer(ticket));
        if offered == Offered::Dropped {
            gather.dropped(due_active, clock);
        }
    }

    /// What has ended since the last call.
    pub(super) fn ended(&mut self) -> std::vec::Drain<'_, Done> {
        if let Some(pool) = self.pool.as_mut() {
            pool.drain(&mut self.done);
        }
        self.done.drain(..)
    }

    /// Arrivals that are queued or in flight, or were when the pool was closed; ascending.
    pub(super) fn open(&self) -> Vec<Cursor> {
        let mut open = Vec::new();
        if let Some(pool) = &self.pool {
            pool.open(&mut open);
        }
        let mut open: Vec<Cursor> = open.into_iter().map(|(slot, k)| Cursor { slot, k }).collect();
        open.extend(&self.left_open);
        open.sort_unstable();
        open
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pool.as_ref().is_none_or(|pool| pool.open_count() == 0)
    }

    /// Comes back when something has ended.
    pub(super) async fn progressed(&self) {
        match &self.pool {
            Some(pool) => pool.wait_progress().await,
            None => std::future::pending().await,
        }
    }

    /// Nothing is written from this boot-time moment on.
    pub(super) fn set_send_deadline(&mut self, deadline_ns: u64) {
        if let Some(pool) = self.pool.as_mut() {
            pool.set_send_deadline(deadline_ns);
        }
    }

    /// Ends sending; what is in flight gets `grace`. What is open after that stays open when `keep_open`; else it is
    /// among what has ended, or dropped when it was never sent. True when there was a pool to close.
    pub(super) async fn close(
        &mut self,
        grace: Duration,
        keep_open: bool,
        clock: &ShardClock,
        gather: &mut Gather,
    ) -> bool {
        let Some(pool) = self.pool.take() else {
            return false;
        };
        let Closed { done, unsent } = pool.close(grace).await;
        self.done.extend(done);
        if keep_open {
            let aborted = |done: &Done| done.error == ErrorKind::Aborted;
            let cursor = |slot, k| Cursor { slot, k };
            self.left_open.extend(self.done.iter().filter(|done| aborted(done)).map(|done| cursor(done.slot, done.k)));
            self.left_open.extend(unsent.iter().map(|ticket| cursor(ticket.slot, ticket.k)));
            self.done.retain(|done| !aborted(done));
        } else {
            unsent.iter().for_each(|ticket| gather.dropped(clock.active_at_boot(ticket.due_ns), clock));
        }
        true
    }
}
