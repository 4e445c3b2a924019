//! Saying once a second how this worker is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use trafficlab_shared::clock;
use trafficlab_shared::protocol::heartbeat::Heartbeat;
use trafficlab_shared::protocol::{codec, subject};

use crate::intake::Gate;
use crate::io::capture::Interfaces;
use crate::load::{LaneLoad, LoadMeter};
use crate::shared::Worker;
use crate::supervisor::{Ask, Snapshot, SupervisorAddr};

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Most shards it takes.
    pub capacity: u32,
    /// How busy each of its lanes is.
    pub lanes: Vec<Arc<LaneLoad>>,
    /// What it can capture on.
    pub interfaces: Interfaces,
}

/// Beats for ever.
pub async fn beat(worker: &Arc<Worker>, supervisor: &SupervisorAddr, gate: &Gate, identity: &Identity) {
    let mut meter = LoadMeter::new(&identity.lanes);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let Ok(snapshot) = supervisor.send(Ask).await else {
            return;
        };
        let lane_busy = meter.shares(clock::boot_ns());
        let beat = Heartbeat { lane_busy, ..heartbeat(worker, gate, identity, snapshot) };
        let sent = match codec::encode(&beat) {
            Ok(payload) => worker.context.client().publish(subject::heartbeat(&worker.id), Bytes::from(payload)).await,
            Err(error) => {
                tracing::error!(%error, "heartbeat cannot be encoded");
                continue;
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "heartbeat not sent");
        }
    }
}

fn heartbeat(worker: &Worker, gate: &Gate, identity: &Identity, snapshot: Snapshot) -> Heartbeat {
    Heartbeat {
        v: 1,
        worker: worker.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        capacity: identity.capacity,
        running: u32::try_from(snapshot.running).unwrap_or(u32::MAX),
        lanes: u32::try_from(identity.lanes.len()).unwrap_or(u32::MAX),
        draining: gate.closed.load(Ordering::Relaxed),
        rss_bytes: resident_bytes(),
        cpu_ms: cpu_ms(),
        troubled: snapshot.troubled,
        malformed_jobs: gate.malformed.load(Ordering::Relaxed),
        restarts: snapshot.restarts,
        lane_busy: Vec::new(),
        interfaces: identity.interfaces.get(),
        captures: u32::try_from(snapshot.captures).unwrap_or(u32::MAX),
    }
}

/// Resident memory; 0 where the kernel does not say.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

fn cpu_ms() -> u64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    seconds * 1000 + u64::try_from(used.tv_nsec).unwrap_or(0) / 1_000_000
}
