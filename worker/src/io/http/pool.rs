//! The pool: the face of the client towards a shard's task.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{Connection, PoolShared};
use super::dial::Dialer;
use super::http2::Http2Connections;
use super::plan::RequestPlan;
use super::state::PoolState;
use super::{Done, HttpVersion, Offered, Ticket, TicketContent};

/// The connections of one shard. It must be used inside a `LocalRuntime` or a `LocalSet`.
///
/// Sending is forbidden until [`HttpPool::set_send_deadline`] was called. Dropping the pool cuts everything off.
pub struct HttpPool {
    shared: Rc<PoolShared>,
    tasks: JoinSet<()>,
}

/// What a closed pool leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Completions that were not drained yet, the aborted ones among them.
    pub done: Vec<Done>,
    /// Tickets that were never written.
    pub unsent: Vec<Ticket>,
}

impl HttpPool {
    /// A pool without connections yet; they are made when tickets wait.
    #[must_use]
    pub fn new(plan: Rc<RequestPlan>, content: Rc<dyn TicketContent>) -> Self {
        let dialer = Dialer::new(plan.guard.clone(), plan.tls.clone(), plan.version, plan.limits.connect_timeout);
        let http2 = Http2Connections::new(plan.limits.streams);
        let state = RefCell::new(PoolState::new(&plan.limits, plan.version));
        Self { shared: Rc::new(PoolShared { plan, content, dialer, http2, state }), tasks: JoinSet::new() }
    }

    /// Gives the ticket to an idle connection or queues it; drops it when the queue is at its cap.
    pub fn offer(&mut self, ticket: Ticket) -> Offered {
        let offered = self.shared.state.borrow_mut().offer(ticket);
        self.start_connections();
        offered
    }

    /// Nothing is written from this boot-time moment on; tickets then wait. A later moment lets them go on.
    pub fn set_send_deadline(&mut self, deadline_ns: u64) {
        self.shared.state.borrow_mut().set_send_deadline(deadline_ns);
        self.start_connections();
    }

    /// Adds `budget` requests that the connections take themselves: all of them open at once, and each sends its next
    /// request as soon as the last one is answered. Request `n` of the pool is ticket `(n >> 32, n as u32)`, due at the
    /// moment it is taken. A connection that cannot be made fails one request and waits a little before the next.
    ///
    /// [`HttpPool::wait_progress`] comes back only when much is waiting or the budget is used: drain every few
    /// milliseconds. Connections stop at 16 384 undrained completions until the next drain.
    pub fn start_closed_loop(&mut self, budget: u64) {
        self.shared.state.borrow_mut().start_closed_loop(budget);
        self.start_connections();
    }

    /// How much of the closed loop's budget is not taken yet. The loop is over when this and
    /// [`HttpPool::open_count`] are 0.
    #[must_use]
    pub fn closed_loop_left(&self) -> u64 {
        self.shared.state.borrow().closed_loop_left()
    }

    /// Takes the rest of the budget away; requests in flight go on.
    pub fn stop_closed_loop(&mut self) {
        self.shared.state.borrow_mut().stop_closed_loop();
    }

    /// Moves the completions since the last call to the end of `out`, in the order they happened.
    ///
    /// # Panics
    /// Goes on with the panic of a connection task, so that whoever watches the caller sees it.
    pub fn drain(&mut self, out: &mut Vec<Done>) {
        self.reap();
        self.shared.state.borrow_mut().drain(out);
    }

    /// Returns when there is something to drain. Must not be waited on by two tasks at once.
    pub async fn wait_progress(&self) {
        poll_fn(|context| self.shared.state.borrow_mut().poll_progress(context)).await;
    }

    /// Appends (slot, k) of every ticket that is queued or in flight.
    pub fn open(&self, out: &mut Vec<(u32, u32)>) {
        self.shared.state.borrow().for_each_open(|ticket| out.push((ticket.slot, ticket.k)));
    }

    /// How many tickets are queued or in flight.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.shared.state.borrow().open_count()
    }

    /// How many connections there are; with HTTP/1.1 those in the making are included.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self.shared.plan.version {
            HttpVersion::Http1 => self.shared.state.borrow().connections(),
            HttpVersion::Http2 => self.shared.http2.count(),
        }
    }

    /// Ends the pool: nothing more is taken from the queue, requests in flight get `grace` and are then aborted.
    pub async fn close(mut self, grace: Duration) -> Closed {
        let mut unsent = {
            let mut state = self.shared.state.borrow_mut();
            state.close();
            state.take_queue()
        };
        let ended = async { while self.tasks.join_next().await.is_some_and(|end| observe(end).is_ok()) {} };
        if timeout(grace, ended).await.is_err() {
            tracing::debug!("requests in flight at the end of the grace are aborted");
        }
        self.tasks.shutdown().await;
        self.shared.http2.shut_down().await;
        let mut state = self.shared.state.borrow_mut();
        // What was handed to a connection but not written went back to the queue when its task ended.
        let mut handed = state.take_queue();
        handed.append(&mut unsent);
        Closed { done: std::mem::take(&mut state.done), unsent: handed }
    }

    fn start_connections(&mut self) {
        loop {
            let started = self.shared.state.borrow_mut().start_connection();
            let Some(id) = started else { return };
            self.tasks.spawn_local(Connection::new(Rc::clone(&self.shared), id).run());
        }
    }

    fn reap(&mut self) {
        let Self { shared, tasks } = self;
        while let Some(end) = tasks.try_join_next().or_else(|| shared.http2.ended()) {
            if let Err(panic) = observe(end) {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// The panic that ended a task, if one did; said here since nobody may be left to see it.
fn observe(end: Result<(), tokio::task::JoinError>) -> Result<(), Box<dyn std::any::Any + Send>> {
    match end.map_err(tokio::task::JoinError::try_into_panic) {
        Err(Ok(panic)) => {
            tracing::error!("a connection task panicked");
            Err(panic)
        }
        Ok(()) | Err(Err(_)) => Ok(()),
    }
}
