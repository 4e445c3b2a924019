//! Win, billing and loss notices: requested beside the bid requests, never before them, and counted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use trafficlab_engine::traffic::counters::BidderCounters;
use trafficlab_shared::clock as clocks;
use trafficlab_shared::model::content::NOTICES_PER_REQUEST;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::model::run::HttpVersion;
use trafficlab_shared::protocol::report::Cursor;
use trafficlab_shared::target::TargetUrl;
use trafficlab_shared::template::Variable;

use crate::io::http::{
    Closed, Done, HeaderSink, HttpPool, Limits, Offered, PlanSpec, RequestPlan, ResponseChecks, Ticket, TicketContent,
};

/// Hosts that notices go to at once; a bidder has one or two.
const MAX_ORIGINS: usize = 4;
/// Notices that wait for a connection to one host; more are dropped and counted.
const QUEUE: usize = 1024;
const CONNECTIONS: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(2);

/// The paths of the notices on their way, by the moment that names each.
#[derive(Default)]
struct Paths(RefCell<HashMap<u64, Box<str>>>);

impl TicketContent for Paths {
    fn variable(&self, _variable: Variable, _ticket: Ticket, _out: &mut Vec<u8>) {}

    fn headers(&self, _ticket: Ticket, _sink: &mut HeaderSink<'_>) {}

    fn path(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        if let Some(path) = self.0.borrow().get(&ticket.due_ns) {
            out.extend_from_slice(path.as_bytes());
        }
        true
    }
}

/// The connections to one host.
struct Origin {
    name: String,
    pool: HttpPool,
    paths: Rc<Paths>,
}

/// Why a notice is not sent.
enum Unsent {
    /// Its host is off the allow-list.
    Refused,
    /// As many other hosts are busy as there are places.
    NoPlace,
}

/// The notices of one shard.
pub(crate) struct Notices {
    /// What all plans have in common.
    base: PlanSpec,
    origins: Vec<Origin>,
    send_deadline: u64,
    /// The moment of the last notice; each has its own, so that it can be told by it.
    last_ns: u64,
    /// How many may be taken: bid requests earn them, so that a bidder cannot turn one request into a flood.
    allowance: usize,
    counters: BidderCounters,
    done: Vec<Done>,
}

impl Notices {
    /// Notices are marked and judged as the requests of `plan` are.
    pub(crate) fn new(plan: &PlanSpec) -> Self {
        let limits = Limits {
            connections: plan.limits.connections.clamp(1, CONNECTIONS),
            queue: QUEUE,
            connect_timeout: TIMEOUT,
            request_timeout: TIMEOUT,
            ..Limits::default()
        };
        let base = PlanSpec {
            version: HttpVersion::Http1,
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            limits,
            checks: ResponseChecks::default(),
            keep_body: 0,
            ..plan.clone()
        };
        Self {
            base,
            origins: Vec::new(),
            send_deadline: 0,
            last_ns: 0,
            allowance: 0,
            counters: BidderCounters::default(),
            done: Vec::new(),
        }
    }

    /// A bid request has ended: its bidder may be told more. What is not used is kept for requests with many bids.
    pub(crate) fn earn(&mut self) {
        self.allowance = (self.allowance + NOTICES_PER_REQUEST).min(QUEUE);
    }

    /// Takes a notice of the entry at `at`. What is no URL, or off the allow-list, counts as failed; what finds no
    /// room, as dropped.
    pub(crate) fn offer(&mut self, at: Cursor, url: &str) {
        let Ok(url) = TargetUrl::parse(url) else {
            self.counters.notices_failed += 1;
            return;
        };
        let Some(allowance) = self.allowance.checked_sub(1) else {
            self.counters.notices_dropped += 1;
            return;
        };
        self.last_ns = clocks::boot_ns().max(self.last_ns + 1);
        let due_ns = self.last_ns;
        match self.origin(&url) {
            Ok(origin) => {
                let path = url.path_and_query.into_boxed_str();
                origin.paths.0.borrow_mut().insert(due_ns, path);
                if origin.pool.offer(Ticket { slot: at.slot, k: at.k, due_ns }) == Offered::Dropped {
                    origin.paths.0.borrow_mut().remove(&due_ns);
                    self.counters.notices_dropped += 1;
                } else {
                    self.allowance = allowance;
                }
            }
            Err(Unsent::Refused) => self.counters.notices_failed += 1,
            Err(Unsent::NoPlace) => self.counters.notices_dropped += 1,
        }
    }

    /// The connections to the URL's host, opened when there are none yet in the place of some that nobody needs.
    fn origin(&mut self, url: &TargetUrl) -> Result<&mut Origin, Unsent> {
        let name = url.origin();
        if let Some(place) = self.origins.iter().position(|origin| origin.name == name) {
            return self.origins.get_mut(place).ok_or(Unsent::NoPlace);
        }
        // The path comes with each notice and holds no templates of ours.
        let root = TargetUrl { path_and_query: "/".to_owned(), ..url.clone() };
        let plan = RequestPlan::new(PlanSpec { url: root, ..self.base.clone() }).map_err(|_refused| Unsent::Refused)?;
        if self.origins.len() >= MAX_ORIGINS {
            let idle = self.origins.iter().position(|origin| origin.pool.open_count() == 0).ok_or(Unsent::NoPlace)?;
            // What it finished since the last collection is counted before it goes.
            self.collect_origin(idle);
            self.origins.swap_remove(idle);
        }
        let paths = Rc::new(Paths::default());
        let content: Rc<dyn TicketContent> = paths.clone();
        let mut pool = HttpPool::new(Rc::new(plan), content);
        pool.set_send_deadline(self.send_deadline);
        self.origins.push(Origin { name, pool, paths });
        self.origins.last_mut().ok_or(Unsent::NoPlace)
    }

    /// What became of notices since the last call.
    pub(crate) fn collect(&mut self) -> BidderCounters {
        for place in 0..self.origins.len() {
            self.collect_origin(place);
        }
        std::mem::take(&mut self.counters)
    }

    fn collect_origin(&mut self, place: usize) {
        if let Some(origin) = self.origins.get_mut(place) {
            origin.pool.drain(&mut self.done);
            let mut paths = origin.paths.0.borrow_mut();
            for done in self.done.drain(..) {
                paths.remove(&done.due_ns);
                count(&mut self.counters, &done);
            }
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.origins.iter().all(|origin| origin.pool.open_count() == 0)
    }

    /// Comes back when a notice has finished.
    pub(crate) async fn progressed(&self) {
        match self.origins.iter().find(|origin| origin.pool.open_count() > 0) {
            Some(origin) => origin.pool.wait_progress().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn set_send_deadline(&mut self, deadline_ns: u64) {
        self.send_deadline = deadline_ns;
        self.origins.iter_mut().for_each(|origin| origin.pool.set_send_deadline(deadline_ns));
    }

    /// Ends all notices; those on their way have until `until`, those that wait are dropped.
    pub(crate) async fn close(&mut self, until: Instant) -> BidderCounters {
        while !self.is_idle() && Instant::now() < until {
            tokio::select! {
                () = self.progressed() => {}
                () = tokio::time::sleep_until(until.into()) => {}
            }
            let counted = self.collect();
            self.counters.merge(&counted);
        }
        for origin in self.origins.drain(..) {
            let Closed { done, unsent } = origin.pool.close(Duration::ZERO).await;
            done.iter().for_each(|done| count(&mut self.counters, done));
            self.counters.notices_dropped += u64::try_from(unsent.len()).unwrap_or(u64::MAX);
        }
        std::mem::take(&mut self.counters)
    }
}

fn count(counters: &mut BidderCounters, done: &Done) {
    let heard = done.error == ErrorKind::None && done.success;
    counters.notices_sent += u64::from(heard);
    counters.notices_failed += u64::from(!heard);
}

#[cfg(test)]
mod tests;
