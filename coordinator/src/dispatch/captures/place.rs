//! Where live captures can be done: the hosts whose heartbeats show interfaces, each with a consumer of its own.

use std::collections::HashSet;

use trafficlab_shared::protocol::subject;

use super::{Dispatch, interface, lock};
use crate::dispatch::streams;
use crate::store::captures::{CaptureJobRow, CaptureState, CaptureWork};

/// A worker that can capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capturer {
    /// Its id.
    pub worker: String,
    /// Its host.
    pub host: String,
    /// Interfaces it can capture on.
    pub interfaces: Vec<String>,
    /// Capture jobs it holds.
    pub captures: u32,
}

/// Hosts whose consumer is there, as of one connection: a broker that comes back may have lost its memory.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    connects: u64,
    ensured: HashSet<String>,
}

impl Dispatch {
    /// The workers that can capture now: those that beat, are not leaving, and have an interface and the right to it.
    #[must_use]
    pub fn capturers(&self) -> Vec<Capturer> {
        let live = self.registry.live().into_iter().map(|worker| worker.beat);
        live.filter(|beat| !beat.draining && !self.registry.is_drained(&beat.worker) && !beat.interfaces.is_empty())
            .map(|beat| Capturer {
                worker: beat.worker,
                host: beat.host,
                interfaces: beat.interfaces,
                captures: beat.captures,
            })
            .collect()
    }

    /// Why a queued job is still queued, as far as that can be told.
    #[must_use]
    pub fn waits_for(&self, row: &CaptureJobRow, work: &CaptureWork) -> Option<String> {
        if row.state != CaptureState::Queued {
            return None;
        }
        let Some(interface) = interface(&work.work) else {
            return self.registry.live().is_empty().then(|| "it waits for a worker; none is there".to_owned());
        };
        let able = self.capturers().into_iter().any(|capturer| can(&capturer, interface, row.host.as_deref()));
        let on = row.host.as_ref().map_or_else(String::new, |host| format!(" of host `{host}`"));
        (!able).then(|| format!("it waits for a worker{on} that can capture on `{interface}`"))
    }
}

/// Whether a worker has the interface, and is on the host if one is named.
fn can(capturer: &Capturer, interface: &str, host: Option<&str>) -> bool {
    host.is_none_or(|host| host == capturer.host) && capturer.interfaces.iter().any(|known| known == interface)
}

/// The host to capture on: the one that was named, else that of the worker with the fewest captures.
pub(super) fn choose(dispatch: &Dispatch, interface: &str, named: Option<&str>) -> Option<String> {
    let able = dispatch.capturers().into_iter().filter(|capturer| can(capturer, interface, named));
    able.min_by_key(|capturer| capturer.captures).map(|capturer| capturer.host)
}

/// Makes the consumers of hosts that were not seen before.
///
/// # Errors
/// What the broker answers; the next pass tries again.
pub(super) async fn ensure_consumers(dispatch: &Dispatch) -> Result<(), async_nats::Error> {
    let connects = trafficlab_broker::connects(&dispatch.broker.context().client());
    let missing: HashSet<String> = {
        let mut hosts = lock(&dispatch.captures.hosts);
        if hosts.connects != connects {
            *hosts = Hosts { connects, ensured: HashSet::new() };
        }
        let seen = dispatch.capturers().into_iter().map(|capturer| capturer.host);
        seen.filter(|host| !hosts.ensured.contains(host)).collect()
    };
    for host in missing {
        let (name, filter) = (subject::capture_consumer_of(&host), subject::capture_jobs_of(&host));
        streams::ensure_consumer(dispatch.broker.context(), &name, filter).await?;
        tracing::info!(%host, "captures can be taken on this host");
        lock(&dispatch.captures.hosts).ensured.insert(host);
    }
    Ok(())
}
