//! `/health`: one answer for four documents, and the two probes beside it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use poem::http::StatusCode;
use poem_openapi::payload::{Json, Response};
use poem_openapi::{Object, OpenApi};
use trafficlab_shared::config::{AnalyzerMode, Environment};

use super::app::App;
use super::error::{Probe, Refused};
use super::tags::Tag;
use crate::systems::time;

/// How long the broker may take to say that it is there.
const BROKER_ANSWERS: Duration = Duration::from_secs(2);

/// That the process runs
#[derive(Debug, Clone, Object)]
pub struct Alive {
    /// Always true
    pub success: bool,
    /// Always `alive`
    pub status: String,
    /// Program version
    pub version: String,
    /// RFC 3339 in UTC
    pub timestamp: String,
    /// Since the process began to serve
    pub uptime_seconds: u64,
}

/// How the server is
#[derive(Debug, Clone, Object)]
pub struct Health {
    /// Whether it can serve
    pub success: bool,
    /// `healthy`, `degraded` (the broker is away: what is stored can be read, nothing can be started) or `unhealthy`
    pub status: String,
    /// Program version
    pub version: String,
    /// RFC 3339 in UTC
    pub timestamp: String,
    /// What the analyzer reads: `pcap` or `live`
    pub mode: String,
    /// `development` or `production`
    pub environment: String,
    /// `healthy` or `unhealthy`
    pub database: String,
    /// `healthy` or `unhealthy`
    pub broker: String,
    /// Always `not_used`
    pub redis: String,
    /// Since the process began to serve
    pub uptime_seconds: u64,
    /// Workers that beat
    pub workers: usize,
}

const fn word(good: bool) -> &'static str {
    if good { "healthy" } else { "unhealthy" }
}

/// Looks at the parts. The store decides whether anything can be served, the broker whether all can.
#[must_use]
pub fn look(app: &App) -> Health {
    let database = app.store().read_only().is_none();
    let broker = app.dispatch.broker.is_connected();
    let status = match (database, broker) {
        (true, true) => "healthy",
        (true, false) => "degraded",
        (false, _) => "unhealthy",
    };
    Health {
        success: database,
        status: status.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        timestamp: time::now(),
        mode: mode(app.config.mode).to_owned(),
        environment: environment(app.config.environment).to_owned(),
        database: word(database).to_owned(),
        broker: word(broker).to_owned(),
        redis: "not_used".to_owned(),
        uptime_seconds: app.started.elapsed().as_secs(),
        workers: app.dispatch.registry.live().len(),
    }
}

const fn mode(mode: AnalyzerMode) -> &'static str {
    match mode {
        AnalyzerMode::Pcap => "pcap",
        AnalyzerMode::Live => "live",
    }
}

pub(crate) const fn environment(environment: Environment) -> &'static str {
    match environment {
        Environment::Development => "development",
        Environment::Production => "production",
    }
}

/// Asks what work depends on: a read of the store, and a question to the broker. Not while the server is stopping.
async fn is_ready(app: &App) -> bool {
    if app.draining.load(Ordering::Relaxed) || app.store().read_only().is_some() || app.store().get(b"").is_err() {
        return false;
    }
    tokio::time::timeout(BROKER_ANSWERS, app.dispatch.broker.answers()).await.unwrap_or(false)
}

/// The health endpoints.
pub struct HealthApi(pub Arc<App>);

type Answer = Result<Response<Json<Health>>, Refused<Probe>>;

#[OpenApi(tag = "Tag::Service")]
impl HealthApi {
    /// Whether the server can serve; 503 when it cannot
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn health(&self) -> Answer {
        let health = look(&self.0);
        let status = if health.success { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Ok(Response::new(Json(health)).status(status))
    }

    /// Whether work can be started too; 503 while the store or the broker does not answer, and while the server stops
    #[oai(path = "/health/ready", method = "get", operation_id = "healthReady")]
    async fn ready(&self) -> Answer {
        let ready = is_ready(&self.0).await;
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Ok(Response::new(Json(Health { success: ready, ..look(&self.0) })).status(status))
    }

    /// Whether the process runs: 200 as long as it answers. Nothing else is asked, so that a broker or disk that is away
    /// does not get the process restarted
    #[oai(path = "/health/live", method = "get", operation_id = "healthLive")]
    async fn live(&self) -> Result<Json<Alive>, Refused<Probe>> {
        Ok(Json(Alive {
            success: true,
            status: "alive".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            timestamp: time::now(),
            uptime_seconds: self.0.started.elapsed().as_secs(),
        }))
    }
}
