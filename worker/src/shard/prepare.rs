//! From a job to the requests of one of its shards: the target is judged again and everything constant is made ready.

use std::sync::OnceLock;
use std::time::Duration;

use trafficlab_shared::allow::{AllowList, TargetGuard};
use trafficlab_shared::model::run::{HeaderField, HttpSpec, RunSpec};
use trafficlab_shared::target::TargetUrl;

use super::ShardTask;
use crate::io::http::{DEFAULT_STREAMS, Limits, PlanSpec, ResponseChecks, TlsRoots};
use crate::shared::Worker;

/// Seconds of arrivals that may wait for a connection.
const QUEUE_SECONDS: u64 = 10;
const MIN_QUEUE: u64 = 1024;
const MAX_QUEUE: u64 = 100_000;

/// Checks the target once more, with the network, and says what its requests are made from.
///
/// # Errors
/// A sentence when the run can never send.
pub(super) async fn plan(task: &ShardTask) -> Result<PlanSpec, String> {
    let http = task.job.run.http.as_ref().ok_or("the run is real but says not what to send")?;
    let url = TargetUrl::parse(&http.url).map_err(|error| error.to_string())?;
    let guard = guard(&task.worker, http, &url)?;
    check_target(&url, &guard).await?;
    plan_spec(task, http, url, guard)
}

/// The job's list and the worker's own must both agree; the broker is never a target.
fn guard(worker: &Worker, http: &HttpSpec, url: &TargetUrl) -> Result<TargetGuard, String> {
    let job = AllowList::parse(&http.allow_targets)
        .map_err(|faults| faults.first().map_or_else(String::new, |fault| fault.message.clone()))?;
    let guard = TargetGuard::new(vec![job, worker.allow.clone()]);
    let proof = http.ownership_proven.then_some((url.host.as_str(), url.port));
    Ok(guard.forbid_ports(worker.broker_ports.iter().copied()).require_proof(proof))
}

/// Resolves the target and asks whether any of its addresses may be connected to; the connection
/// itself is judged again.
async fn check_target(url: &TargetUrl, guard: &TargetGuard) -> Result<(), String> {
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

fn plan_spec(task: &ShardTask, http: &HttpSpec, url: TargetUrl, guard: TargetGuard) -> Result<PlanSpec, String> {
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
    let open = |header: &HeaderField| {
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
