//! A real bidder behind each arrival: the bid request goes out, the answer is auctioned, and the bidder is told.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trafficlab_engine::traffic::bidder::{MAX_ANSWER, Question, judge};
use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::counters::BidderCounters;
use trafficlab_engine::traffic::render::{write_bid_request, write_entry_id};
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_shared::clock as clocks;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::protocol::report::Cursor;
use trafficlab_shared::target::TargetUrl;
use trafficlab_shared::template::Variable;

use super::ShardTask;
use super::clock::ShardClock;
use super::gather::{Answered, Gather};
use super::http::{RIGHT_TO_SEND_NS, check_target, entry_of, guard, plan_spec};
use super::notices::Notices;
use super::request::Visitor;
use super::source::Source;
use crate::io::http::{Closed, Done, HeaderSink, HttpPool, Offered, RequestPlan, Ticket, TicketContent};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Writes the bid requests of one shard.
struct BidRequests {
    content: Arc<Content>,
    /// Fills the templates in the campaign's headers.
    visitor: Visitor,
    run: String,
    seed: u64,
    shard: u32,
}

impl BidRequests {
    const fn key(&self, slot: u32, k: u32) -> EntryKey {
        EntryKey { seed: self.seed, shard: self.shard, slot, k }
    }

    /// `BidRequest.id`, which is the entry's.
    fn id(&self, slot: u32, k: u32) -> String {
        let mut id = Vec::new();
        write_entry_id(&mut id, &self.run, self.shard, slot, k);
        String::from_utf8(id).unwrap_or_default()
    }
}

impl TicketContent for BidRequests {
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>) {
        self.visitor.variable(variable, ticket, out);
    }

    /// The exchange speaks here and not the visitor, whose browser stands inside the request.
    fn headers(&self, _ticket: Ticket, _sink: &mut HeaderSink<'_>) {}

    fn body(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        let id = self.id(ticket.slot, ticket.k);
        write_bid_request(out, &self.content, self.key(ticket.slot, ticket.k), &id)
    }
}

/// A pool of connections to the bidder, and the notices it asked for.
pub(crate) struct Asked {
    requests: Rc<BidRequests>,
    pool: Option<HttpPool>,
    notices: Notices,
    done: Vec<Done>,
    /// What stayed open when the pool was closed.
    left_open: Vec<Cursor>,
}

impl Asked {
    /// Whether the run asks a real bidder.
    pub(crate) fn is_wanted(task: &ShardTask) -> bool {
        task.job.run.content.rtb.as_ref().is_some_and(|rtb| rtb.bidder.is_some())
    }

    /// Checks the endpoint once more, with the network, and prepares the requests.
    ///
    /// # Errors
    /// A sentence when the run can never send.
    pub(crate) async fn new(task: &ShardTask, content: Arc<Content>) -> Result<Self, String> {
        let run = &task.job.run;
        let http = run.http.as_ref().ok_or("the run asks a bidder but says not where")?;
        let url = TargetUrl::parse(&http.url).map_err(|error| error.to_string())?;
        let guard = guard(&task.worker, http, &url)?;
        check_target(&url, &guard).await?;
        let mut spec = plan_spec(task, http, url, guard)?;
        // `tmax` counts from the send; a connection may take longer, as it serves many requests.
        spec.limits.connect_timeout = CONNECT_TIMEOUT;
        // One byte more than is read shows that an answer is too long.
        spec.keep_body = MAX_ANSWER + 1;
        let notices = Notices::new(&spec);
        let plan = RequestPlan::new(spec).map_err(|error| error.to_string())?;
        let (seed, shard) = (run.seed, task.job.shard);
        let visitor = Visitor::new(Arc::clone(&content), seed, shard);
        let requests = Rc::new(BidRequests { content, visitor, run: run.job.clone(), seed, shard });
        let content: Rc<dyn TicketContent> = requests.clone();
        let pool = Some(HttpPool::new(Rc::new(plan), content));
        Ok(Self { requests, pool, notices, done: Vec::new(), left_open: Vec::new() })
    }

    fn offer(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        let ticket = Ticket { slot: at.slot, k: at.k, due_ns: clock.boot_at(due_active) };
        let offered = self.pool.as_mut().map_or(Offered::Dropped, |pool| pool.offer(ticket));
        if offered == Offered::Dropped {
            gather.dropped(due_active, clock);
        }
    }

    fn take_done(&mut self, clock: &ShardClock, gather: &mut Gather, keep_aborted: bool) {
        for done in std::mem::take(&mut self.done) {
            let at = Cursor { slot: done.slot, k: done.k };
            if keep_aborted && done.error == ErrorKind::Aborted {
                self.left_open.push(at);
            } else {
                self.answered(at, &done, clock, gather);
            }
        }
    }

    /// One request that ended, in whatever way.
    fn answered(&mut self, at: Cursor, done: &Done, clock: &ShardClock, gather: &mut Gather) {
        let key = gather.key(at);
        let content = &self.requests.content;
        let mut entry = entry_of(done);
        let mut counters = BidderCounters { asked: u64::from(done.bytes_out > 0), ..BidderCounters::default() };
        counters.timeouts += u64::from(done.error == ErrorKind::Timeout);
        let (id, now_ms) = (self.requests.id(at.slot, at.k), clocks::wall_ns() / 1_000_000);
        let body = done.body.as_deref().filter(|body| done.status == 200 && !body.is_empty());
        let question = Question { content, key, id: &id, now_ms };
        let verdict = judge(&question, body).filter(|_| done.error != ErrorKind::Aborted);
        let mut blob = None;
        if counters.asked > 0 {
            self.notices.earn();
        }
        if let Some(verdict) = verdict {
            entry.auction = Some(verdict.auction);
            if verdict.invalid && entry.error == ErrorKind::None {
                (entry.error, entry.success) = (ErrorKind::Protocol, false);
            }
            counters.invalid_bids += verdict.invalid_bids;
            blob = verdict.stored.map(Vec::into_boxed_slice);
            for notice in &verdict.notices {
                self.notices.offer(at, &notice.url);
            }
        }
        let lag_us = done.sent_ns.saturating_sub(done.due_ns) / 1000;
        let due_active = clock.active_at_boot(done.due_ns);
        let dims = content.dims(key);
        gather.answered(&entry, &dims, due_active, Some(lag_us), clock, Answered { blob, counters });
    }
}

impl Source for Asked {
    const PACED: bool = true;
    const KEEP_ALIVE_NS: Option<u64> = Some(1_000_000_000);

    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        gather.scheduled();
        self.offer(at, due_active, clock, gather);
    }

    fn take_again(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        self.offer(at, due_active, clock, gather);
    }

    fn collect(&mut self, clock: &ShardClock, gather: &mut Gather) {
        if let Some(pool) = self.pool.as_mut() {
            pool.drain(&mut self.done);
        }
        self.take_done(clock, gather, false);
        gather.noticed(&self.notices.collect());
    }

    fn open(&self) -> Vec<Cursor> {
        let mut open = Vec::new();
        if let Some(pool) = &self.pool {
            pool.open(&mut open);
        }
        let mut open: Vec<Cursor> = open.into_iter().map(|(slot, k)| Cursor { slot, k }).collect();
        open.extend(&self.left_open);
        open.sort_unstable();
        open
    }

    fn is_idle(&self) -> bool {
        self.pool.as_ref().is_none_or(|pool| pool.open_count() == 0) && self.notices.is_idle()
    }

    async fn progressed(&self) {
        match self.pool.as_ref().filter(|pool| pool.open_count() > 0) {
            Some(pool) => pool.wait_progress().await,
            None => self.notices.progressed().await,
        }
    }

    fn confirmed(&mut self, sent_at_boot: u64) {
        let deadline = sent_at_boot + RIGHT_TO_SEND_NS;
        if let Some(pool) = self.pool.as_mut() {
            pool.set_send_deadline(deadline);
        }
        self.notices.set_send_deadline(deadline);
    }

    async fn close(&mut self, grace_ns: u64, keep_open: bool, clock: &ShardClock, gather: &mut Gather) {
        let Some(pool) = self.pool.take() else {
            return;
        };
        let until = Instant::now() + Duration::from_nanos(grace_ns);
        let Closed { done, unsent } = pool.close(Duration::from_nanos(grace_ns)).await;
        self.done.extend(done);
        self.take_done(clock, gather, keep_open);
        for ticket in unsent {
            if keep_open {
                self.left_open.push(Cursor { slot: ticket.slot, k: ticket.k });
            } else {
                gather.dropped(clock.active_at_boot(ticket.due_ns), clock);
            }
        }
        gather.noticed(&self.notices.close(until).await);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use serde_json::json;
    use trafficlab_shared::model::content::{ContentInput, ContentSpec};

    use super::*;

    /// The body is the bid request, and templates in the campaign's headers speak of the same visitor.
    #[test]
    fn body_and_header_templates_are_of_one_visitor() {
        let rtb = json!({"endpoint": "http://127.0.0.1:9/bid"});
        let spec = ContentSpec::parse(&ContentInput { rtb_config: Some(&rtb), ..ContentInput::default() });
        let content = Arc::new(Content::new(&spec.unwrap()).unwrap());
        let visitor = Visitor::new(Arc::clone(&content), 7, 2);
        let requests = BidRequests { content: Arc::clone(&content), visitor, run: "run".to_owned(), seed: 7, shard: 2 };
        for k in 0..20 {
            let ticket = Ticket { slot: 3, k, due_ns: 0 };
            let (mut body, mut agent) = (Vec::new(), Vec::new());
            assert!(requests.body(ticket, &mut body));
            requests.variable(Variable::UserAgent, ticket, &mut agent);
            let request: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(request.pointer("/id").unwrap(), &format!("run-2-3-{k}"));
            assert_eq!(request.pointer("/device/ua").unwrap(), std::str::from_utf8(&agent).unwrap());
        }
    }
}
