//! The worker process: connect, start lanes, supervisor and loops, leave in good order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::Actor;
use trafficlab_shared::allow::AllowList;
use trafficlab_shared::config::Config;
use trafficlab_shared::protocol::control::WorkerDirective;
use trafficlab_shared::seal::Sealer;

use crate::control::Control;
use crate::heartbeat::{self, Identity};
use crate::intake::{self, Gate};
use crate::io::capture::Interfaces;
use crate::lane::Lanes;
use crate::shared::Worker;
use crate::supervisor::{Ask, Keep, Supervisor, SupervisorAddr};

/// How long a leaving worker waits for its shards to be given back.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);
/// Capacity of a worker for each of its lanes, when the configuration does not say.
const SHARDS_PER_LANE: u32 = 256;

/// Why the worker cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The broker refuses us.
    #[error(transparent)]
    Broker(#[from] trafficlab_broker::BrokerError),
    /// The operating system refuses something.
    #[error("{what}: {source}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        source: std::io::Error,
    },
    /// The allow-list is wrong.
    #[error("`generator.allow_targets` is wrong: {0}")]
    AllowList(String),
}

/// Runs the worker until SIGTERM or Ctrl-C.
///
/// # Errors
/// [`RuntimeError`] when it cannot start.
pub fn serve(config: &Config) -> Result<(), RuntimeError> {
    actix::System::new().block_on(serve_until_signal(config))
}

async fn serve_until_signal(config: &Config) -> Result<(), RuntimeError> {
    let id = config.worker.id.clone().unwrap_or_else(default_id);
    let client = trafficlab_broker::connect(&config.nats, &format!("worker {id}")).await?;
    let context = trafficlab_broker::jetstream(client);
    let worker = Arc::new(make_worker(config, id, context)?);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = match config.worker.lanes {
        0 => cores,
        lanes => usize::from(lanes),
    };
    let lanes = Lanes::start(wanted).map_err(|source| RuntimeError::System { what: "a lane cannot start", source })?;
    let lanes = Arc::new(lanes);
    let control = Control::default();
    let supervisor = Supervisor::new(Arc::clone(&worker), control.clone(), Arc::clone(&lanes)).start();
    let gate = Gate::default();
    let interfaces = Interfaces::default();
    let identity = Identity {
        capacity: capacity(config.worker.capacity, lanes.len()),
        lanes: lanes.loads().to_vec(),
        interfaces: interfaces.clone(),
    };
    tracing::info!(worker = %worker.id, capacity = identity.capacity, lanes = identity.lanes.len(), "worker runs");
    tokio::select! {
        () = control.follow(&worker.context, &worker.id) => {}
        () = intake::take_jobs(&worker, &supervisor, &gate, identity.capacity) => {}
        () = intake::take_captures(&worker, &supervisor, &gate, &interfaces, cores) => {}
        () = interfaces.keep_looking() => {}
        () = heartbeat::beat(&worker, &supervisor, &gate, &identity) => {}
        () = obey(&control, &supervisor, &gate) => {}
        signal = stop_signal() => signal?,
    }
    leave(&worker, &supervisor, &gate, &identity).await;
    Ok(())
}

fn make_worker(config: &Config, id: String, context: trafficlab_broker::Context) -> Result<Worker, RuntimeError> {
    let allow = AllowList::parse(&config.generator.allow_targets).map_err(|faults| {
        let faults: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        RuntimeError::AllowList(faults.join("; "))
    })?;
    Ok(Worker {
        id,
        context,
        active: AtomicU32::new(0),
        analyses: AtomicU32::new(0),
        live_captures: AtomicU32::new(0),
        capture_dir: config.worker.capture_dir.clone().unwrap_or_else(|| config.data_dir.join("kept")),
        allow,
        broker_ports: broker_ports(config.nats.url.as_deref().unwrap_or_default()),
        sealer: config.auth.secrets_key.as_ref().map(|secret| Sealer::new(secret.expose())),
        offset: crate::shard::clock::BrokerOffset::default(),
    })
}

/// The ports of the broker's servers, which are never a target.
pub(crate) fn broker_ports(servers: &str) -> Vec<u16> {
    let port = |server: &str| server.rsplit(':').next()?.trim_end_matches('/').parse().ok();
    servers.split(',').filter_map(|server| port(server.trim())).collect()
}

fn default_id() -> String {
    let host =
        gethostname::gethostname().to_string_lossy().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    format!("{host}-{}", std::process::id())
}

/// Most shards at once: as configured, or by the lanes.
fn capacity(configured: u32, lanes: usize) -> u32 {
    match configured {
        0 => u32::try_from(lanes).unwrap_or(u32::MAX).saturating_mul(SHARDS_PER_LANE),
        capacity => capacity,
    }
}

/// Follows the coordinator's directives to this worker.
async fn obey(control: &Control, supervisor: &SupervisorAddr, gate: &Gate) {
    let mut directives = control.directive();
    loop {
        let directive = directives.borrow_and_update().clone();
        if let Some(WorkerDirective { limit, drain, share, .. }) = directive {
            gate.closed.store(drain, Ordering::Relaxed);
            if let Some(share) = share {
                gate.come_to(share);
            }
            let keep = if drain { Some(0) } else { limit };
            if let Some(shards) = keep.and_then(|keep| usize::try_from(keep).ok()) {
                keep_at_most(Keep { shards, captures: !drain }, supervisor, gate).await;
            }
        }
        if directives.changed().await.is_err() {
            return;
        }
    }
}

async fn keep_at_most(keep: Keep, supervisor: &SupervisorAddr, gate: &Gate) {
    let held = supervisor.send(Ask).await;
    let (running, captures) = held.map_or((0, 0), |snapshot| (snapshot.running, snapshot.captures));
    let too_many = running > keep.shards;
    if too_many {
        tracing::info!(running, keep = keep.shards, "giving shards back");
        gate.abstain();
    }
    if (too_many || (captures > 0 && !keep.captures)) && supervisor.send(keep).await.is_err() {
        tracing::error!("supervisor is gone");
    }
}

async fn stop_signal() -> Result<(), RuntimeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |source| RuntimeError::System { what: "signals cannot be received", source };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Gives everything back, so that others need not wait for leases to run out.
async fn leave(worker: &Arc<Worker>, supervisor: &SupervisorAddr, gate: &Gate, identity: &Identity) {
    gate.closed.store(true, Ordering::Relaxed);
    tracing::info!(worker = %worker.id, "worker leaves");
    let emptied = async {
        loop {
            if supervisor.send(Keep { shards: 0, captures: false }).await.is_err() {
                return;
            }
            match supervisor.send(Ask).await {
                Ok(snapshot) if snapshot.running + snapshot.captures > 0 => {
                    tokio::time::sleep(Duration::from_millis(50)).await
                }
                _ => return,
            }
        }
    };
    tokio::select! {
        () = emptied => {}
        () = heartbeat::beat(worker, supervisor, gate, identity) => {}
        () = tokio::time::sleep(LEAVE_WITHIN) => tracing::warn!("some shards were not given back in time"),
    }
    if let Err(error) = worker.context.client().flush().await {
        tracing::debug!(%error, "last messages may be lost");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn capacity_follows_the_lanes_unless_it_is_set() {
        assert_eq!((super::capacity(0, 2), super::capacity(7, 2)), (512, 7));
    }
}
