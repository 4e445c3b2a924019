//! The task behind one connection: dial, take tickets, send, complete, and again.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::target::TargetUrl;

use super::dial::Dialer;
use super::exchange::{Buffers, Failure};
use super::http2::Http2Connections;
use super::line::{Line, Usable};
use super::parser::Wanted;
use super::plan::RequestPlan;
use super::state::{Next, PoolState, failed};
use super::timer::RequestTimer;
use super::{Done, HttpVersion, Ticket, TicketContent};

/// How long a connection of a closed loop waits after it could not be made: doubled each time, up to the second one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What all connection tasks of a pool share.
pub(super) struct PoolShared {
    pub(super) plan: Rc<RequestPlan>,
    pub(super) content: Rc<dyn TicketContent>,
    pub(super) dialer: Dialer,
    pub(super) http2: Http2Connections,
    pub(super) state: RefCell<PoolState>,
}

impl PoolShared {
    /// The line of connection task `id` to the plan's own target.
    async fn dial(&self, id: usize) -> Result<Line, ErrorKind> {
        match self.plan.version {
            HttpVersion::Http1 => self.dialer.dial(&self.plan.url).await.map(Line::Http1),
            HttpVersion::Http2 => self.http2.stream(id, &self.plan.url, &self.dialer).await.map(Line::Http2),
        }
    }

    /// A line to wherever a redirect points, within `left`.
    pub(super) async fn dial_hop(&self, url: &TargetUrl, left: Duration) -> Result<Line, ErrorKind> {
        let wire = self.dialer.dial_hop(url, left).await?;
        match self.plan.version {
            HttpVersion::Http1 => Ok(Line::Http1(wire)),
            HttpVersion::Http2 => self.http2.stream_over(wire, url).await.map(Line::Http2),
        }
    }
}

/// One connection, or one place on an HTTP/2 connection, and its number in the pool.
pub(super) struct Connection {
    pub(super) shared: Rc<PoolShared>,
    pub(super) buffers: Buffers,
    pub(super) timer: RequestTimer,
    id: usize,
}

/// An open line and whether a request went over it before.
struct Open {
    line: Line,
    used: bool,
}

/// A prepared request.
#[derive(Clone, Copy)]
struct Sending {
    ticket: Ticket,
    sent_ns: u64,
}

impl Connection {
    pub(super) fn new(shared: Rc<PoolShared>, id: usize) -> Self {
        let timer = RequestTimer::new(shared.plan.limits.request_timeout);
        Self { shared, buffers: Buffers::new(), timer, id }
    }

    /// Until the pool closes, or until nothing waits when the connection is gone.
    pub(super) async fn run(mut self) {
        poll_fn(|context| {
            self.shared.state.borrow_mut().enter(self.id, context.waker());
            Poll::Ready(())
        })
        .await;
        let mut pause = SHORTEST_PAUSE;
        loop {
            let since = boot_ns();
            let dialed = self.shared.dial(self.id).await;
            self.shared.state.borrow_mut().dialed();
            match dialed {
                Ok(line) => {
                    pause = SHORTEST_PAUSE;
                    self.serve(Open { line, used: false }, since).await;
                }
                Err(kind) => {
                    self.shared.state.borrow_mut().fail_oldest(kind, since);
                    self.pause_closed_loop(&mut pause).await;
                }
            }
            if !self.shared.state.borrow_mut().wants_redial() {
                return;
            }
        }
    }

    /// In a closed loop nothing else keeps a target that is down from being asked at once again.
    async fn pause_closed_loop(&self, pause: &mut Duration) {
        if self.shared.state.borrow().closed_loop_left() == 0 {
            return;
        }
        let mut pausing = pin!(sleep(*pause));
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        poll_fn(|context| {
            let over = self.shared.state.borrow().is_closing();
            if over { Poll::Ready(()) } else { pausing.as_mut().poll(context) }
        })
        .await;
    }

    /// Sends tickets until the connection cannot be used any more; it was asked for at `since`.
    async fn serve(&mut self, mut open: Open, since: u64) {
        let keep_alive = self.shared.plan.limits.keep_alive;
        // Where each request has its own connection, a request of a closed loop is due when that is asked for.
        let mut due = (!keep_alive).then_some(since);
        let mut answered = None;
        loop {
            let now: Option<u64> = answered.take();
            let at_once = now.and_then(|now| self.shared.state.borrow_mut().next_at_once(self.id, now));
            let (ticket, moment) = match at_once {
                // The end of one request is the moment of the next, a tenth of a microsecond early.
                Some(ticket) => (ticket, now),
                None => match self.next_ticket(&mut open.line, due.take()).await {
                    Some(ticket) => (ticket, None),
                    None => return,
                },
            };
            if let Err(kind) = self.prepare(ticket) {
                let done = failed(ticket, boot_ns(), kind);
                self.shared.state.borrow_mut().complete(self.id, done);
                continue;
            }
            let sent_ns = moment.unwrap_or_else(boot_ns);
            if !self.shared.state.borrow_mut().begin_send(self.id, ticket, sent_ns) {
                continue;
            }
            let kept = self.request(&mut open, Sending { ticket, sent_ns }).await;
            if !keep_alive {
                open.line.retire();
            }
            let Some(done_ns) = kept.filter(|_| keep_alive) else {
                return;
            };
            open.used = true;
            // An HTTP/2 connection may have been told to take no more, which is asked where tickets are waited for.
            answered = matches!(open.line, Line::Http1(_)).then_some(done_ns);
        }
    }

    /// The next ticket, or none when the server or the pool closed.
    async fn next_ticket(&self, line: &mut Line, due: Option<u64>) -> Option<Ticket> {
        poll_fn(|context| {
            let mut state = self.shared.state.borrow_mut();
            match line.poll_usable(context) {
                Usable::Yes => {}
                Usable::NotNow if state.is_closing() => return Poll::Ready(None),
                Usable::NotNow => {
                    state.step_aside(self.id);
                    return Poll::Pending;
                }
                Usable::NeverAgain => {
                    state.step_aside(self.id);
                    return Poll::Ready(None);
                }
            }
            match state.poll_next(self.id, due) {
                Poll::Ready(Next::Send(ticket)) => Poll::Ready(Some(ticket)),
                Poll::Ready(Next::Close) => Poll::Ready(None),
                Poll::Pending => line.poll_idle_end(context).map(|()| {
                    state.leave_idle(self.id);
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

    /// Sends the prepared request and completes its ticket. The moment of that when the connection can be used again.
    async fn request(&mut self, open: &mut Open, sending: Sending) -> Option<u64> {
        self.timer.set(sending.sent_ns, self.shared.plan.request_timeout_ns);
        let wanted = self.shared.plan.wanted;
        let mut attempts = 1;
        let mut outcome = open.line.exchange(&mut self.buffers, &mut self.timer, wanted).await;
        if let Err(failure) = outcome
            && (failure.refused || failure.is_silent() && (open.used || open.line.is_shared()))
        {
            // The server closed the idle connection while the request was on its way, or says that it has not looked
            // at it: that says nothing about the request.
            (outcome, attempts) = self.again(open, wanted).await;
        }
        let mut result = outcome.map_err(|failure| failure.kind);
        let status = self.buffers.parser.status;
        if result.is_ok() && self.shared.plan.limits.max_redirects > 0 {
            result = Box::pin(self.follow_redirects(&mut open.line, sending.ticket, result)).await;
        }
        let done = self.done(sending, status, attempts, result.err());
        let done_ns = done.done_ns;
        self.shared.state.borrow_mut().complete(self.id, done);
        result.unwrap_or(false).then_some(done_ns)
    }

    /// Writes the request once more on a fresh connection, if sending is still permitted.
    async fn again(&mut self, open: &mut Open, wanted: Wanted) -> (Result<bool, Failure>, u8) {
        let dialing = self.shared.dial(self.id);
        let line = match timeout(self.timer.left(), dialing).await {
            Ok(Ok(line)) => line,
            Ok(Err(kind)) => return (Err(Failure::of(kind)), 1),
            Err(_elapsed) => return (Err(Failure::of(ErrorKind::Timeout)), 1),
        };
        *open = Open { line, used: false };
        if !self.shared.state.borrow().may_send() {
            return (Err(Failure::of(ErrorKind::Reset)), 1);
        }
        (open.line.exchange(&mut self.buffers, &mut self.timer, wanted).await, 2)
    }

    /// The beginning of the body of a whole response, when the plan keeps it.
    fn kept_body(&self, error: ErrorKind) -> Option<Box<[u8]>> {
        let (limit, body) = (self.shared.plan.keep_body, &self.buffers.parser.body);
        (limit > 0 && error == ErrorKind::None).then(|| body.get(..limit).unwrap_or(body).into())
    }

    fn done(&self, sending: Sending, status: u16, attempts: u8, error: Option<ErrorKind>) -> Done {
        let Sending { ticket, sent_ns } = sending;
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
            body: self.kept_body(error),
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
