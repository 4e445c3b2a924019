//! What every request handler can reach.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use poem::http::StatusCode;
use trafficlab_shared::allow::{AllowList, TargetGuard};
use trafficlab_shared::config::{Config, Secret};
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::seal::Sealer;

use super::adops::Front;
use super::capture_metrics::AnomalyTally;
use crate::adops::Adops;
use crate::alerts::Alerts;
use crate::dispatch::Dispatch;
use crate::store::Store;
use crate::systems::analyzer::Analyzer;
use crate::systems::analyzer::streams::Clients;
use crate::systems::traffic::targets::ActiveTargets;
use crate::visits::Visits;

/// The parts that handlers share.
pub struct App {
    /// Settings.
    pub config: Arc<Config>,
    /// Store, segments, broker, workers.
    pub dispatch: Arc<Dispatch>,
    /// When the process began to serve.
    pub started: Instant,
    /// Seals secrets; none without `auth.secrets_key`.
    pub sealer: Option<Sealer>,
    /// Which targets real requests may go to.
    pub targets: TargetGuard,
    /// Rates of the runs that send real requests.
    pub active_targets: ActiveTargets,
    /// Whether the server was told to stop, so that nobody sends it more work.
    pub draining: AtomicBool,
    /// Requests since the start, for metrics.
    pub requests: RequestCounts,
    /// Held while room is made for new results.
    pub making_room: tokio::sync::Mutex<()>,
    /// What the analyzer keeps.
    pub analyzer: Analyzer,
    /// Clients of streams and exports.
    pub streams: Clients,
    /// Anomalies counted for the metrics.
    pub anomaly_tally: AnomalyTally,
    /// Who is told of anomalies.
    pub alerts: Arc<Alerts>,
    /// The tracker.
    pub visits: Arc<Visits>,
    /// Ad operations.
    pub adops: Arc<Adops>,
    /// Who may call those, and how often.
    pub(crate) front: Front,
}

/// Requests by the class of their status.
#[derive(Debug, Default)]
pub struct RequestCounts {
    /// All.
    pub total: AtomicU64,
    /// Refused: 4xx.
    pub refused: AtomicU64,
    /// Failed: 5xx.
    pub failed: AtomicU64,
    /// Panics caught.
    pub panics: AtomicU64,
}

impl RequestCounts {
    /// One more request was answered.
    pub(super) fn count(&self, status: StatusCode) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if status.is_client_error() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        } else if status.is_server_error() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// The entries of `generator.allow_targets` that are wrong, or `outbound` when TLS cannot be set up.
    pub fn new(
        config: Arc<Config>,
        dispatch: Arc<Dispatch>,
        visits: Arc<Visits>,
        adops: Arc<Adops>,
    ) -> Result<Arc<Self>, Vec<FieldFault>> {
        let targets = target_guard(&config)?;
        let streams = Clients::new(config.limits.stream_clients);
        let unusable = |error: reqwest::Error| vec![FieldFault::new("outbound", format!("no client: {error}"))];
        let alerts = Arc::new(Alerts::new(&config).map_err(unusable)?);
        let sealer = config.auth.secrets_key.as_ref().map(Secret::expose).map(Sealer::new);
        let front = Front::new(&config);
        Ok(Arc::new(Self {
            sealer,
            targets,
            config,
            dispatch,
            started: Instant::now(),
            draining: AtomicBool::new(false),
            active_targets: ActiveTargets::default(),
            requests: RequestCounts::default(),
            making_room: tokio::sync::Mutex::default(),
            analyzer: Analyzer::default(),
            streams,
            anomaly_tally: AnomalyTally::default(),
            alerts,
            visits,
            adops,
            front,
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.dispatch.store
    }
}

/// The operator's list, and never our own broker.
///
/// # Errors
/// The entries that are wrong.
pub fn target_guard(config: &Config) -> Result<TargetGuard, Vec<FieldFault>> {
    let list = AllowList::parse(&config.generator.allow_targets)?;
    Ok(TargetGuard::new(vec![list]).forbid_sockets(broker_sockets(config.nats.url.as_deref().unwrap_or_default())))
}

/// The broker's addresses so far as its URL shows them; `localhost` stands for all of loopback.
fn broker_sockets(urls: &str) -> Vec<SocketAddr> {
    let socket = |text: &str| {
        let url = url::Url::parse(text.trim()).ok()?;
        let port = url.port().unwrap_or(4222);
        let host = url.host_str()?.trim_matches(['[', ']']);
        let host = if host == "localhost" { "127.0.0.1" } else { host };
        Some(SocketAddr::new(host.parse().ok()?, port))
    };
    urls.split(',').filter_map(socket).collect()
}

#[cfg(test)]
mod tests {
    use super::broker_sockets;

    #[test]
    fn the_brokers_addresses_are_known() {
        let found = broker_sockets("nats://localhost:4333, tls://[::1]:1,nats://10.0.0.1,nats://name:2");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1:4333", "[::1]:1", "10.0.0.1:4222"]);
    }
}
