//! What the pool and its connection tasks share: the queue, who is idle, who sends what.
//!
//! No lock: all of them live on one thread, and no borrow lasts over an await.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::closed::{ClosedLoop, MOST_UNDRAINED, WORTH_A_DRAIN};
use super::places::{InHand, Places};
use super::{Done, HttpVersion, Limits, Offered, Ticket};

/// The answer to a connection that asks what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Send(Ticket),
    /// The pool closes.
    Close,
}

pub(super) struct PoolState {
    queue: VecDeque<Ticket>,
    places: Places,
    /// Connection tasks that have no connection yet; each takes a waiting ticket when it has one.
    dialing: usize,
    closed: ClosedLoop,
    /// Connections, or streams of them where HTTP/2 is spoken.
    max_connections: usize,
    max_queue: usize,
    send_deadline_ns: u64,
    closing: bool,
    pub(super) crashed: bool,
    pub(super) done: Vec<Done>,
    progress: Option<Waker>,
}

impl PoolState {
    pub(super) fn new(limits: &Limits, version: HttpVersion) -> Self {
        let streams = if version == HttpVersion::Http2 { limits.streams } else { 1 };
        Self {
            queue: VecDeque::new(),
            places: Places::default(),
            dialing: 0,
            closed: ClosedLoop::default(),
            max_connections: limits.connections.saturating_mul(streams),
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
            && let Some(connection) = self.places.pop_idle()
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
        if !self.wants_connection_for(self.waiting()) {
            return None;
        }
        self.dialing += 1;
        Some(self.places.add())
    }

    fn wants_connection_for(&self, waiting: usize) -> bool {
        waiting > self.dialing && self.places.len() < self.max_connections && !self.closing && self.may_send()
    }

    /// Tickets that wait, those of a closed loop among them.
    fn waiting(&self) -> usize {
        self.queue.len().saturating_add(usize::try_from(self.closed.left()).unwrap_or(usize::MAX))
    }

    pub(super) fn may_send(&self) -> bool {
        boot_ns() < self.send_deadline_ns
    }

    pub(super) fn set_send_deadline(&mut self, deadline_ns: u64) {
        self.send_deadline_ns = deadline_ns;
        self.assign_waiting();
        self.resume_closed_loop();
    }

    /// Hands what waits to idle connections.
    fn assign_waiting(&mut self) {
        while !self.queue.is_empty() && self.may_send() {
            let Some(connection) = self.places.pop_idle() else {
                return;
            };
            if let Some(ticket) = self.queue.pop_front() {
                self.assign(connection, ticket);
            }
        }
    }

    pub(super) fn start_closed_loop(&mut self, budget: u64) {
        self.closed.extend(budget);
        self.resume_closed_loop();
    }

    /// Takes the rest of the budget away; what is in flight goes on.
    pub(super) fn stop_closed_loop(&mut self) {
        self.closed.stop();
        self.notify();
    }

    pub(super) const fn closed_loop_left(&self) -> u64 {
        self.closed.left()
    }

    /// Lets idle connections look for requests of the closed loop again.
    fn resume_closed_loop(&self) {
        if self.closed.left() > 0 {
            self.places.wake_idle();
        }
    }

    /// Moves the completions to the end of `out`.
    pub(super) fn drain(&mut self, out: &mut Vec<Done>) {
        let was_full = self.done.len() >= MOST_UNDRAINED;
        out.append(&mut self.done);
        if was_full {
            self.resume_closed_loop();
        }
    }

    fn assign(&mut self, connection: usize, ticket: Ticket) {
        self.places.set_in_hand(connection, InHand::Assigned(ticket));
        self.places.wake(connection);
    }

    /// Remembers the task of a connection, so that it can be woken.
    pub(super) fn enter(&mut self, connection: usize, waker: &Waker) {
        self.places.enter(connection, waker);
    }

    /// What the connection shall do, if there is anything. A request of the closed loop is due at `due`, or now.
    fn next(&mut self, connection: usize, due: Option<u64>) -> Option<Next> {
        if let InHand::Assigned(ticket) = self.places.in_hand(connection) {
            return Some(Next::Send(ticket));
        }
        if self.closing {
            return Some(Next::Close);
        }
        if self.waiting() == 0 {
            return None;
        }
        let now = boot_ns();
        self.take(connection, now, due.unwrap_or(now)).map(Next::Send)
    }

    /// The next ticket of a connection whose last one was answered `now`: the short way around [`Self::poll_next`].
    pub(super) fn next_at_once(&mut self, connection: usize, now: u64) -> Option<Ticket> {
        if self.closing { None } else { self.take(connection, now, now) }
    }

    fn take(&mut self, connection: usize, now: u64, due: u64) -> Option<Ticket> {
        if now >= self.send_deadline_ns {
            return None;
        }
        let ticket = match self.queue.pop_front() {
            Some(ticket) => ticket,
            None if self.done.len() < MOST_UNDRAINED => self.closed.take(due)?,
            None => return None,
        };
        self.leave_idle(connection);
        self.places.set_in_hand(connection, InHand::Assigned(ticket));
        Some(ticket)
    }

    /// A connection asks for work; while there is none it is idle.
    pub(super) fn poll_next(&mut self, connection: usize, due: Option<u64>) -> Poll<Next> {
        if let Some(next) = self.next(connection, due) {
            return Poll::Ready(next);
        }
        self.places.become_idle(connection);
        Poll::Pending
    }

    /// A connection that cannot serve now gives back what it has in hand and is not idle.
    pub(super) fn step_aside(&mut self, connection: usize) {
        self.leave_idle(connection);
        self.put_back(connection);
        self.assign_waiting();
    }

    pub(super) const fn is_closing(&self) -> bool {
        self.closing
    }

    /// Before a write at `now`: whether the right to send holds; else the ticket waits again.
    pub(super) fn begin_send(&mut self, connection: usize, ticket: Ticket, now: u64) -> bool {
        let permitted = now < self.send_deadline_ns;
        if permitted {
            self.places.set_in_hand(connection, InHand::Sent(ticket, now));
        } else {
            self.put_back(connection);
        }
        permitted
    }

    /// The ticket of a connection that has not written it goes back to the head of the queue.
    pub(super) fn put_back(&mut self, connection: usize) {
        if let InHand::Assigned(ticket) = self.places.in_hand(connection) {
            self.queue.push_front(ticket);
            self.places.set_in_hand(connection, InHand::Nothing);
        }
    }

    pub(super) fn complete(&mut self, connection: usize, done: Done) {
        self.places.set_in_hand(connection, InHand::Nothing);
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
        let ticket = match self.queue.pop_front() {
            None if self.done.len() < MOST_UNDRAINED => self.closed.take(since_ns),
            waiting => waiting,
        };
        if let Some(ticket) = ticket {
            self.done.push(failed(ticket, since_ns.max(ticket.due_ns), kind));
            self.notify();
        }
    }

    /// A connection is gone: whether its task shall make another one.
    pub(super) fn wants_redial(&mut self) -> bool {
        let redial = !self.closing && self.waiting() > self.dialing && self.may_send();
        self.dialing += usize::from(redial);
        redial
    }

    pub(super) fn leave_idle(&mut self, connection: usize) {
        self.places.leave_idle(connection);
    }

    /// The task of a connection ends. What it still had in hand was cut off by a panic or an abort.
    pub(super) fn end(&mut self, connection: usize) {
        self.leave_idle(connection);
        self.put_back(connection);
        if let InHand::Sent(ticket, sent_ns) = self.places.in_hand(connection) {
            self.complete(connection, failed(ticket, sent_ns, ErrorKind::Aborted));
        }
        self.places.remove(connection);
        self.notify();
    }

    pub(super) fn close(&mut self) {
        self.closing = true;
        self.closed.stop();
        self.places.wake_all();
    }

    pub(super) fn take_queue(&mut self) -> Vec<Ticket> {
        self.queue.drain(..).collect()
    }

    /// Calls `visit` for each waiting, assigned or sent ticket.
    pub(super) fn for_each_open(&self, visit: impl FnMut(Ticket)) {
        self.queue.iter().copied().chain(self.places.tickets()).for_each(visit);
    }

    pub(super) const fn connections(&self) -> usize {
        self.places.len()
    }

    /// Ready when there is something to drain.
    pub(super) fn poll_progress(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.has_progress() {
            return Poll::Ready(());
        }
        self.progress = Some(context.waker().clone());
        Poll::Pending
    }

    /// A running closed loop is drained by the clock of whoever started it, not at every completion.
    fn has_progress(&self) -> bool {
        let worth = if self.closed.left() > 0 { WORTH_A_DRAIN } else { 1 };
        self.done.len() >= worth || self.crashed
    }

    /// How many tickets wait or are in hand.
    pub(super) fn open_count(&self) -> usize {
        self.queue.len() + self.places.busy()
    }

    pub(super) fn notify(&mut self) {
        if self.has_progress()
            && let Some(waker) = self.progress.take()
        {
            waker.wake();
        }
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
        body: None,
    }
}
