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
use trafficlab_shared::template::Variable;

use super::ShardTask;
use super::clock::ShardClock;
use super::gather::{Answered, Gather};
use super::http::{entry_of, lag_us};
use super::notices::Notices;
use super::prepare;
use super::request::Visitor;
use super::requests::{Requests, right_to_send};
use super::source::Source;
use crate::io::http::{Done, HeaderSink, HttpPool, RequestPlan, Ticket, TicketContent};

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

/// The bid requests of a shard, and the notices that the bidder asked for.
pub(crate) struct Asked {
    writer: Rc<BidRequests>,
    requests: Requests,
    notices: Notices,
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
        let mut spec = prepare::plan(task).await?;
        // `tmax` counts from the send; a connection may take longer, as it serves many requests.
        spec.limits.connect_timeout = CONNECT_TIMEOUT;
        // One byte more than is read shows that an answer is too long.
        spec.keep_body = MAX_ANSWER + 1;
        let notices = Notices::new(&spec);
        let plan = RequestPlan::new(spec).map_err(|error| error.to_string())?;
        let (seed, shard) = (task.job.run.seed, task.job.shard);
        let visitor = Visitor::new(Arc::clone(&content), seed, shard);
        let writer = Rc::new(BidRequests { content, visitor, run: task.job.run.job.clone(), seed, shard });
        let content: Rc<dyn TicketContent> = writer.clone();
        Ok(Self { writer, requests: Requests::new(HttpPool::new(Rc::new(plan), content)), notices })
    }
}

impl Source for Asked {
    const PACED: bool = true;
    const KEEP_ALIVE_NS: Option<u64> = Some(1_000_000_000);

    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        self.requests.offer(at, due_active, clock, gather);
    }

    fn collect(&mut self, clock: &ShardClock, gather: &mut Gather) {
        let Self { writer, requests, notices } = self;
        for done in requests.ended() {
            answered(writer, notices, &done, clock, gather);
        }
        gather.noticed(&notices.collect());
    }

    fn open(&self) -> Vec<Cursor> {
        self.requests.open()
    }

    fn is_idle(&self) -> bool {
        self.requests.is_idle() && self.notices.is_idle()
    }

    async fn progressed(&self) {
        if self.requests.is_idle() {
            self.notices.progressed().await;
        } else {
            self.requests.progressed().await;
        }
    }

    fn confirmed(&mut self, sent_at_boot: u64) {
        let deadline = right_to_send(sent_at_boot);
        self.requests.set_send_deadline(deadline);
        self.notices.set_send_deadline(deadline);
    }

    async fn close(&mut self, grace_ns: u64, keep_open: bool, clock: &ShardClock, gather: &mut Gather) {
        let grace = Duration::from_nanos(grace_ns);
        let until = Instant::now() + grace;
        if self.requests.close(grace, keep_open, clock, gather).await {
            self.collect(clock, gather);
            gather.noticed(&self.notices.close(until).await);
        }
    }
}

/// One request that ended, in whatever way.
fn answered(writer: &BidRequests, notices: &mut Notices, done: &Done, clock: &ShardClock, gather: &mut Gather) {
    let at = Cursor { slot: done.slot, k: done.k };
    let key = gather.key(at);
    let content = &writer.content;
    let mut entry = entry_of(done);
    let mut counters = BidderCounters { asked: u64::from(done.bytes_out > 0), ..BidderCounters::default() };
    counters.timeouts += u64::from(done.error == ErrorKind::Timeout);
    let (id, now_ms) = (writer.id(at.slot, at.k), clocks::wall_ns() / 1_000_000);
    let body = done.body.as_deref().filter(|body| done.status == 200 && !body.is_empty());
    let question = Question { content, key, id: &id, now_ms };
    let verdict = judge(&question, body).filter(|_| done.error != ErrorKind::Aborted);
    let mut blob = None;
    if counters.asked > 0 {
        notices.earn();
    }
    if let Some(verdict) = verdict {
        entry.auction = Some(verdict.auction);
        if verdict.invalid && entry.error == ErrorKind::None {
            (entry.error, entry.success) = (ErrorKind::Protocol, false);
        }
        counters.invalid_bids += verdict.invalid_bids;
        blob = verdict.stored.map(Vec::into_boxed_slice);
        for notice in &verdict.notices {
            notices.offer(at, &notice.url);
        }
    }
    let due_active = clock.active_at_boot(done.due_ns);
    let dims = content.dims(key);
    gather.answered(&entry, &dims, due_active, Some(lag_us(done)), clock, Answered { blob, counters });
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
