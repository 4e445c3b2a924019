//! Real requests: due arrivals go to a pool of connections, finished ones come back as entries.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::pack::{EntryMode, PackedEntry};
use trafficlab_engine::traffic::simulate::auction;
use trafficlab_shared::allow::{AllowList, TargetGuard};
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::model::run::{HttpSpec, RunSpec};
use trafficlab_shared::protocol::report::Cursor;
use trafficlab_shared::target::TargetUrl;

use super::ShardTask;
use super::clock::ShardClock;
use super::gather::Gather;
use super::request::Visitor;
use super::source::Source;
use crate::io::http::{
    Closed, DEFAULT_STREAMS, Done, HttpPool, Limits, Offered, PlanSpec, RequestPlan, ResponseChecks, Ticket, TlsRoots,
};
use crate::shared::Worker;

/// The right to send lasts this long from the last confirmed record: 0.8 of the broker's `AckWait`.
pub(super) const RIGHT_TO_SEND_NS: u64 = 2_400_000_000;
/// Seconds of arrivals that may wait for a connection.
const QUEUE_SECONDS: u64 = 10;
const MIN_QUEUE: u64 = 1024;
const MAX_QUEUE: u64 = 100_000;

/// A pool and what came back from it.
pub(crate) struct Sent {
    content: Arc<Content>,
    pool: Option<HttpPool>,
    done: Vec<Done>,
    /// What stayed open when the pool was closed.
    left_open: Vec<Cursor>,
}

impl Sent {
    /// Checks the target once more, with the network, and prepares the requests.
    ///
    /// # Errors
    /// A sentence when the run can never send.
    pub(crate) async fn new(task: &ShardTask, content: Arc<Content>) -> Result<Self, String> {
        let run = &task.job.run;
        let http = run.http.as_ref().ok_or("the run is real but says not what to send")?;
        let url = TargetUrl::parse(&http.url).map_err(|error| error.to_string())?;
        let guard = guard(&task.worker, http, &url)?;
        check_target(&url, &guard).await?;
        let visitor = Visitor::new(Arc::clone(&content), run.seed, task.job.shard).with_target(&url, &http.method);
        let plan = RequestPlan::new(plan_spec(task, http, url, guard)?).map_err(|error| error.to_string())?;
        Ok(Self {
            content,
            pool: Some(HttpPool::new(Rc::new(plan), Rc::new(visitor))),
            done: Vec::new(),
            left_open: Vec::new(),
        })
    }

    fn take_done(&mut self, clock: &ShardClock, gather: &mut Gather, keep_aborted: bool) {
        for done in std::mem::take(&mut self.done) {
            let at = Cursor { slot: done.slot, k: done.k };
            if keep_aborted && done.error == ErrorKind::Aborted {
                self.left_open.push(at);
                continue;
            }
            let key = gather.key(at);
            let dims = self.content.dims(key);
            let mut entry = entry_of(&done);
            if entry.success {
                entry.auction = auction(&self.content, key, &dims);
            }
            let lag_us = done.sent_ns.saturating_sub(done.due_ns) / 1000;
            let due_active = clock.active_at_boot(done.due_ns);
            gather.finished(&entry, &dims, due_active, Some(lag_us), clock);
        }
    }
}

impl Source for Sent {
    const PACED: bool = true;
    const KEEP_ALIVE_NS: Option<u64> = Some(1_000_000_000);

    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        gather.scheduled();
        let ticket = Ticket { slot: at.slot, k: at.k, due_ns: clock.boot_at(due_active) };
        let offered = self.pool.as_mut().map_or(Offered::Dropped, |pool| pool.offer(ticket));
        if offered == Offered::Dropped {
            gather.dropped(due_active, clock);
        }
    }

    fn take_again(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather) {
        let ticket = Ticket { slot: at.slot, k: at.k, due_ns: clock.boot_at(due_active) };
        let offered = self.pool.as_mut().map_or(Offered::Dropped, |pool| pool.offer(ticket));
        if offered == Offered::Dropped {
            gather.dropped(due_active, clock);
        }
    }

    fn collect(&mut self, clock: &ShardClock, gather: &mut Gather) {
        if let Some(pool) = self.pool.as_mut() {
            pool.drain(&mut self.done);
        }
        self.take_done(clock, gather, false);
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
        self.pool.as_ref().is_none_or(|pool| pool.open_count() == 0)
    }

    async fn progressed(&self) {
        match &self.pool {
            Some(pool) => pool.wait_progress().await,
            None => std::future::pending().await,
        }
    }

    fn confirmed(&mut self, sent_at_boot: u64) {
        if let Some(pool) = self.pool.as_mut() {
            pool.set_send_deadline(sent_at_boot + RIGHT_TO_SEND_NS);
        }
    }

    async fn close(&mut self, grace_ns: u64, keep_open: bool, clock: &ShardClock, gather: &mut Gather) {
        let Some(pool) = self.pool.take() else {
            return;
        };
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
    }
}

pub(super) fn entry_of(done: &Done) -> PackedEntry {
    let us = |from: u64| u32::try_from(done.done_ns.saturating_sub(from) / 1000).unwrap_or(u32::MAX);
    PackedEntry {
        slot: done.slot,
        k: done.k,
        mode: EntryMode::Http,
        status: done.status,
        success: done.success,
        error: done.error,
        response_us: us(done.due_ns),
        service_us: us(done.sent_ns),
        bytes_in: u32::try_from(done.bytes_in).unwrap_or(u32::MAX),
        bytes_out: u32::try_from(done.bytes_out).unwrap_or(u32::MAX),
        attempt: u16::from(done.attempts),
        auction: None,
    }
}

/// The job's list and the worker's own must both agree; the broker is never a target.
pub(super) fn guard(worker: &Worker, http: &HttpSpec, url: &TargetUrl) -> Result<TargetGuard, String> {
    let job = AllowList::parse(&http.allow_targets)
        .map_err(|faults| faults.first().map_or_else(String::new, |fault| fault.message.clone()))?;
    let guard = TargetGuard::new(vec![job, worker.allow.clone()]);
    let proof = http.ownership_proven.then_some((url.host.as_str(), url.port));
    Ok(guard.forbid_ports(worker.broker_ports.iter().copied()).require_proof(proof))
}

/// Resolves the target and asks whether any of its addresses may be connected to; the connection
/// itself is judged again.
pub(super) async fn check_target(url: &TargetUrl, guard: &TargetGuard) -> Result<(), String> {
    guard.check_name(&url.host, url.port).map_err(|refusal| refusal.to_string())?;
    let addresses = match url.literal_address() {
        Some(address) => vec![address],
        None => resolve(url).await?,
    };
    let mut refusal = None;
    for address in addresses {
        match guard.check_address(&url.host, url.port, address) {
            Ok(()) => return Ok(()),
            Err(error) => refusal = Some(error.to_string()),
        }
    }
    Err(refusal.unwrap_or_else(|| format!("`{}` has no address", url.host)))
}

async fn resolve(url: &TargetUrl) -> Result<Vec<std::net::IpAddr>, String> {
    const TRIES: u32 = 3;
    let mut last = String::new();
    for attempt in 0..TRIES {
        let looked_up = tokio::net::lookup_host((url.host.as_str(), url.port));
        match tokio::time::timeout(Duration::from_secs(5), looked_up).await {
            Ok(Ok(found)) => return Ok(found.map(|address| address.ip()).collect()),
            Ok(Err(error)) => last = error.to_string(),
            Err(_elapsed) => last = "no answer in 5 s".into(),
        }
        tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
    }
    Err(format!("the name `{}` cannot be resolved: {last}", url.host))
}

pub(super) fn plan_spec(
    task: &ShardTask,
    http: &HttpSpec,
    url: TargetUrl,
    guard: TargetGuard,
) -> Result<PlanSpec, String> {
    static ROOTS: OnceLock<TlsRoots> = OnceLock::new();
    let run = &task.job.run;
    let milliseconds = Duration::from_millis;
    Ok(PlanSpec {
        version: http.version,
        method: http.method.clone(),
        url,
        headers: open_headers(&task.worker, run, http)?,
        body: http.body.clone(),
        campaign_id: run.campaign.clone(),
        run_id: run.job.clone(),
        shard: task.job.shard,
        limits: Limits {
            connections: usize::try_from(http.connections.div_ceil(run.shards.max(1))).unwrap_or(1),
            queue: queue_length(run),
            connect_timeout: milliseconds(http.timeout_ms.min(5000)),
            request_timeout: milliseconds(http.timeout_ms),
            max_redirects: http.max_redirects,
            keep_alive: !http.close_connections,
            streams: http.streams.and_then(|streams| usize::try_from(streams).ok()).unwrap_or(DEFAULT_STREAMS),
        },
        checks: ResponseChecks {
            statuses: http.checks.statuses.clone(),
            body_contains: http.checks.body_contains.clone(),
            max_latency_ns: http.checks.max_latency_ms.map(|limit| limit.saturating_mul(1_000_000)),
        },
        guard,
        tls: ROOTS.get_or_init(TlsRoots::default).clone(),
        keep_body: 0,
    })
}

fn open_headers(worker: &Worker, run: &RunSpec, http: &HttpSpec) -> Result<Vec<(String, String)>, String> {
    let open = |header: &trafficlab_shared::model::run::HeaderField| {
        if !header.sealed {
            return Ok((header.name.clone(), header.value.clone()));
        }
        let sealer = worker
            .sealer
            .as_ref()
            .ok_or_else(|| format!("header `{}` is secret and this worker has no `auth.secrets_key`", header.name))?;
        let value = sealer.open(&header.value, &run.campaign).map_err(|error| error.to_string())?;
        Ok((header.name.clone(), value))
    };
    http.headers.iter().map(open).collect()
}

/// Ten seconds of this shard's arrivals.
fn queue_length(run: &RunSpec) -> usize {
    let per_second = trafficlab_engine::traffic::schedule::peak_rate(&run.arrivals, run.rate) / 60_000_000;
    let share = per_second * QUEUE_SECONDS / u64::from(run.shards.max(1));
    usize::try_from(share.clamp(MIN_QUEUE, MAX_QUEUE)).unwrap_or(1024)
}
