//! What the pool and its connection tasks share: the queue, who is idle, who sends what.
//!
//! No lock: all of them live on one thread, and no borrow lasts over an await.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::{Done, Limits, Offered, Ticket};

/// What a connection has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InHand {
    Nothing,
    /// Handed over, not written yet.
    Assigned(Ticket),
    /// Written at this moment, not answered yet.
    Sent(Ticket, u64),
}

struct Slot {
    in_hand: InHand,
    waker: Option<Waker>,
    /// Whether it is in the list of idle connections.
    idle: bool,
}

/// The answer to a connection that asks what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Send(Ticket),
    /// The pool closes.
    Close,
}

pub(super) struct PoolState {
    queue: VecDeque<Ticket>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    idle: Vec<usize>,
    /// Connection tasks that have no connection yet; each takes a waiting ticket when it has one.
    dialing: usize,
    max_connections: usize,
    max_queue: usize,
    send_deadline_ns: u64,
    closing: bool,
    pub(super) crashed: bool,
    pub(super) done: Vec<Done>,
    progress: Option<Waker>,
}

impl PoolState {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self {
            queue: VecDeque::new(),
            slots: Vec::new(),
            free: Vec::new(),
            idle: Vec::new(),
            dialing: 0,
            max_connections: limits.connections,
            max_queue: limits.queue,
            send_deadline_ns: 0,
            closing: false,
            crashed: false,
            done: Vec::new(),
            progress: None,
        }
    }

    /// Hands the ticket to an idle connection, or lets it wait, or drops it.
    pub(super) fn offer(&mut self, ticket: Ticket) -> Offered {
        if self.closing {
            return Offered::Dropped;
        }
        if self.queue.is_empty()
            && self.may_send()
            && let Some(connection) = self.pop_idle()
        {
            self.assign(connection, ticket);
            return Offered::Queued;
        }
        // A ticket that a connection in the making will take does not count against the queue.
        let spoken_for = self.dialing + usize::from(self.wants_connection_for(self.queue.len() + 1));
        if self.queue.len() >= self.max_queue + spoken_for {
            return Offered::Dropped;
        }
        self.queue.push_back(ticket);
        Offered::Queued
    }

    /// A slot for a new connection task, if more tickets wait than connections are in the making.
    pub(super) fn start_connection(&mut self) -> Option<usize> {
        if !self.wants_connection_for(self.queue.len()) {
            return None;
        }
        self.dialing += 1;
        let slot = Slot { in_hand: InHand::Nothing, waker: None, idle: false };
        if let Some(free) = self.free.pop() {
            return Some(free);
        }
        self.slots.push(slot);
        Some(self.slots.len() - 1)
    }

    fn wants_connection_for(&self, waiting: usize) -> bool {
        waiting > self.dialing
            && self.slots.len() - self.free.len() < self.max_connections
            && !self.closing
            && self.may_send()
    }

    pub(super) fn may_send(&self) -> bool {
        boot_ns() < self.send_deadline_ns
    }

    pub(super) fn set_send_deadline(&mut self, deadline_ns: u64) {
        self.send_deadline_ns = deadline_ns;
        while !self.queue.is_empty() && self.may_send() {
            let Some(connection) = self.pop_idle() else {
                return;
            };
            if let Some(ticket) = self.queue.pop_front() {
                self.assign(connection, ticket);
            }
        }
    }

    fn assign(&mut self, connection: usize, ticket: Ticket) {
        if let Some(slot) = self.slots.get_mut(connection) {
            slot.in_hand = InHand::Assigned(ticket);
            wake(&mut slot.waker);
        }
    }

    /// A connection asks for work; while there is none it is idle.
    pub(super) fn poll_next(&mut self, connection: usize, context: &Context<'_>) -> Poll<Next> {
        if let InHand::Assigned(ticket) = self.in_hand(connection) {
            return Poll::Ready(Next::Send(ticket));
        }
        if self.closing {
            return Poll::Ready(Next::Close);
        }
        if !self.queue.is_empty()
            && self.may_send()
            && let Some(ticket) = self.queue.pop_front()
        {
            self.leave_idle(connection);
            self.set_in_hand(connection, InHand::Assigned(ticket));
            return Poll::Ready(Next::Send(ticket));
        }
        if let Some(slot) = self.slots.get_mut(connection) {
            slot.waker = Some(context.waker().clone());
            if !slot.idle {
                slot.idle = true;
                self.idle.push(connection);
            }
        }
        Poll::Pending
    }

    /// The connection that became idle last, so that as few as possible stay warm.
    fn pop_idle(&mut self) -> Option<usize> {
        let connection = self.idle.pop()?;
        if let Some(slot) = self.slots.get_mut(connection) {
            slot.idle = false;
        }
        Some(connection)
    }

    /// Before a write: the moment of it, or none when the right to send is over; then the ticket waits again.
    pub(super) fn begin_send(&mut self, connection: usize, ticket: Ticket) -> Option<u64> {
        let now = boot_ns();
        if now < self.send_deadline_ns {
            self.set_in_hand(connection, InHand::Sent(ticket, now));
            return Some(now);
        }
        self.put_back(connection);
        None
    }

    /// The ticket of a connection that has not written it goes back to the head of the queue.
    pub(super) fn put_back(&mut self, connection: usize) {
        if let InHand::Assigned(ticket) = self.in_hand(connection) {
            self.queue.push_front(ticket);
            self.set_in_hand(connection, InHand::Nothing);
        }
    }

    pub(super) fn complete(&mut self, connection: usize, done: Done) {
        self.set_in_hand(connection, InHand::Nothing);
        self.done.push(done);
        self.notify();
    }

    pub(super) const fn dialed(&mut self) {
        self.dialing = self.dialing.saturating_sub(1);
    }

    /// Without a connection the oldest waiting ticket fails, if the right to send still holds.
    pub(super) fn fail_oldest(&mut self, kind: ErrorKind, since_ns: u64) {
        if self.closing || !self.may_send() {
            return;
        }
        if let Some(ticket) = self.queue.pop_front() {
            self.done.push(failed(ticket, since_ns.max(ticket.due_ns), kind));
            self.notify();
        }
    }

    /// A connection is gone: whether its task shall make another one.
    pub(super) fn wants_redial(&mut self) -> bool {
        let redial = !self.closing && self.queue.len() > self.dialing && self.may_send();
        self.dialing += usize::from(redial);
        redial
    }

    pub(super) fn leave_idle(&mut self, connection: usize) {
        if let Some(slot) = self.slots.get_mut(connection).filter(|slot| slot.idle) {
            slot.idle = false;
            self.idle.retain(|&other| other != connection);
        }
    }

    /// The task of a connection ends. What it still had in hand was cut off by a panic or an abort.
    pub(super) fn end(&mut self, connection: usize) {
        self.leave_idle(connection);
        self.put_back(connection);
        if let InHand::Sent(ticket, sent_ns) = self.in_hand(connection) {
            self.complete(connection, failed(ticket, sent_ns, ErrorKind::Aborted));
        }
        if let Some(slot) = self.slots.get_mut(connection) {
            slot.waker = None;
        }
        self.free.push(connection);
        self.notify();
    }

    pub(super) fn close(&mut self) {
        self.closing = true;
        self.slots.iter_mut().for_each(|slot| wake(&mut slot.waker));
    }

    pub(super) fn take_queue(&mut self) -> Vec<Ticket> {
        self.queue.drain(..).collect()
    }

    /// Calls `visit` for each waiting, assigned or sent ticket.
    pub(super) fn for_each_open(&self, mut visit: impl FnMut(Ticket)) {
        self.queue.iter().copied().for_each(&mut visit);
        for slot in &self.slots {
            match slot.in_hand {
                InHand::Nothing => {}
                InHand::Assigned(ticket) | InHand::Sent(ticket, _) => visit(ticket),
            }
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Ready when there is something to drain.
    pub(super) fn poll_progress(&mut self, context: &Context<'_>) -> Poll<()> {
        if !self.done.is_empty() || self.crashed {
            return Poll::Ready(());
        }
        self.progress = Some(context.waker().clone());
        Poll::Pending
    }

    fn in_hand(&self, connection: usize) -> InHand {
        self.slots.get(connection).map_or(InHand::Nothing, |slot| slot.in_hand)
    }

    fn set_in_hand(&mut self, connection: usize, in_hand: InHand) {
        if let Some(slot) = self.slots.get_mut(connection) {
            slot.in_hand = in_hand;
        }
    }

    pub(super) fn notify(&mut self) {
        wake(&mut self.progress);
    }
}

/// A ticket that ended without any response.
pub(super) fn failed(ticket: Ticket, sent_ns: u64, error: ErrorKind) -> Done {
    Done {
        slot: ticket.slot,
        k: ticket.k,
        due_ns: ticket.due_ns,
        sent_ns,
        done_ns: boot_ns(),
        status: 0,
        bytes_in: 0,
        bytes_out: 0,
        attempts: 0,
        error,
        success: false,
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
