//! The task behind one connection: dial, take tickets, send, complete, and again.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tokio::time::timeout;
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::dial::Dialer;
use super::exchange::{Buffers, Failure};
use super::parser::Wanted;
use super::plan::RequestPlan;
use super::state::{Next, PoolState, failed};
use super::timer::RequestTimer;
use super::wire::Wire;
use super::{Done, Ticket, TicketContent};

/// What all connection tasks of a pool share.
pub(super) struct PoolShared {
    pub(super) plan: Rc<RequestPlan>,
    pub(super) content: Rc<dyn TicketContent>,
    pub(super) dialer: Dialer,
    pub(super) state: RefCell<PoolState>,
}

/// One connection and its place in the pool.
pub(super) struct Connection {
    pub(super) shared: Rc<PoolShared>,
    pub(super) buffers: Buffers,
    pub(super) timer: RequestTimer,
    id: usize,
}

/// An open stream and whether a request went over it before.
struct Open {
    wire: Wire,
    used: bool,
}

impl Connection {
    pub(super) fn new(shared: Rc<PoolShared>, id: usize) -> Self {
        let timer = RequestTimer::new(shared.plan.limits.request_timeout);
        Self { shared, buffers: Buffers::new(), timer, id }
    }

    /// Until the pool closes, or until nothing waits when the connection is gone.
    pub(super) async fn run(mut self) {
        loop {
            let since = boot_ns();
            let dialed = self.shared.dialer.dial(&self.shared.plan.url).await;
            self.shared.state.borrow_mut().dialed();
            match dialed {
                Ok(wire) => self.serve(Open { wire, used: false }).await,
                Err(kind) => self.shared.state.borrow_mut().fail_oldest(kind, since),
            }
            if !self.shared.state.borrow_mut().wants_redial() {
                return;
            }
        }
    }

    /// Sends tickets until the connection cannot be used any more.
    async fn serve(&mut self, mut open: Open) {
        while let Some(ticket) = self.next_ticket(&mut open.wire).await {
            match self.prepare(ticket) {
                Ok(()) => {}
                Err(kind) => {
                    let done = failed(ticket, boot_ns(), kind);
                    self.shared.state.borrow_mut().complete(self.id, done);
                    continue;
                }
            }
            let Some(sent_ns) = self.shared.state.borrow_mut().begin_send(self.id, ticket) else {
                continue;
            };
            let kept = self.request(&mut open, ticket, sent_ns).await;
            if !kept {
                return;
            }
            open.used = true;
        }
    }

    /// The next ticket, or none when the server or the pool closed.
    async fn next_ticket(&self, wire: &mut Wire) -> Option<Ticket> {
        poll_fn(|context| {
            let next = self.shared.state.borrow_mut().poll_next(self.id, context);
            match next {
                Poll::Ready(Next::Send(ticket)) => Poll::Ready(Some(ticket)),
                Poll::Ready(Next::Close) => Poll::Ready(None),
                Poll::Pending => wire.poll_idle_end(context).map(|()| {
                    self.shared.state.borrow_mut().leave_idle(self.id);
                    None
                }),
            }
        })
        .await
    }

    fn prepare(&mut self, ticket: Ticket) -> Result<(), ErrorKind> {
        let Self { shared, buffers, .. } = self;
        (buffers.bytes_in, buffers.bytes_out) = (0, 0);
        shared.plan.program.write(shared.content.as_ref(), ticket, &mut buffers.out, &mut buffers.scratch)
    }

    /// Sends the prepared request and completes its ticket. True when the connection can be used again.
    async fn request(&mut self, open: &mut Open, ticket: Ticket, sent_ns: u64) -> bool {
        let limit = u64::try_from(self.shared.plan.limits.request_timeout.as_nanos()).unwrap_or(u64::MAX);
        self.timer.set(sent_ns.saturating_add(limit));
        let wanted = self.wanted();
        let mut attempts = 1;
        let mut outcome = self.buffers.exchange(&mut open.wire, &mut self.timer, wanted).await;
        if open.used && matches!(outcome, Err(Failure { kind: ErrorKind::Reset, received: false })) {
            // The server closed the idle connection while the request was on its way: that says nothing about the request.
            (outcome, attempts) = self.again(open, wanted).await;
        }
        let mut result = outcome.map_err(|failure| failure.kind);
        let status = self.buffers.parser.status;
        if result.is_ok() && self.shared.plan.limits.max_redirects > 0 {
            result = self.follow_redirects(&mut open.wire, ticket, result).await;
        }
        let done = self.done(ticket, sent_ns, status, attempts, result.err());
        self.shared.state.borrow_mut().complete(self.id, done);
        result.unwrap_or(false)
    }

    /// Writes the request once more on a fresh connection, if sending is still permitted.
    async fn again(&mut self, open: &mut Open, wanted: Wanted) -> (Result<bool, Failure>, u8) {
        let failure = |kind| Err(Failure { kind, received: false });
        let dialing = self.shared.dialer.dial(&self.shared.plan.url);
        let wire = match timeout(self.timer.left(), dialing).await {
            Ok(Ok(wire)) => wire,
            Ok(Err(kind)) => return (failure(kind), 1),
            Err(_elapsed) => return (failure(ErrorKind::Timeout), 1),
        };
        *open = Open { wire, used: false };
        if !self.shared.state.borrow().may_send() {
            return (failure(ErrorKind::Reset), 1);
        }
        (self.buffers.exchange(&mut open.wire, &mut self.timer, wanted).await, 2)
    }

    pub(super) fn wanted(&self) -> Wanted {
        let plan = &self.shared.plan;
        Wanted {
            answers_head: plan.program.is_head(),
            location: plan.limits.max_redirects > 0,
            body: plan.checks.body_contains.is_some(),
        }
    }

    fn done(&self, ticket: Ticket, sent_ns: u64, status: u16, attempts: u8, error: Option<ErrorKind>) -> Done {
        let done_ns = boot_ns();
        let checks = &self.shared.plan.checks;
        let parser = &self.buffers.parser;
        // After a failed hop the parser is in between; the last whole answer is what counts.
        let status = if error.is_none() { parser.status } else { status };
        let latency = done_ns.saturating_sub(ticket.due_ns);
        let checked = !checks.any() || checks.hold(status, &parser.body, latency);
        let (error, success) = match error {
            Some(kind) => (kind, false),
            None if !checked => (ErrorKind::CheckFailed, false),
            None => (ErrorKind::None, checks.any() || (200..400).contains(&status)),
        };
        Done {
            slot: ticket.slot,
            k: ticket.k,
            due_ns: ticket.due_ns,
            sent_ns,
            done_ns,
            status,
            bytes_in: self.buffers.bytes_in,
            bytes_out: self.buffers.bytes_out,
            attempts,
            error,
            success,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A second panic while the first one unwinds would end the process.
        let Ok(mut state) = self.shared.state.try_borrow_mut() else {
            return;
        };
        state.crashed |= std::thread::panicking();
        state.end(self.id);
    }
}
