//! The sections that every process reads: addresses, broker, access, limits, generator, worker, log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::optional::{networks, unset};
use super::secret::Secret;
use super::units::{ByteSize, Span};

/// What the analyzer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnalyzerMode {
    /// Capture files.
    Pcap,
    /// An interface.
    Live,
}

/// How strict the process is about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Secrets are made when they are missing.
    Development,
    /// Secrets must be given.
    Production,
}

/// The HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Networks of proxies whose forwarding headers are believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// PEM file of the certificate chain.
    #[serde(deserialize_with = "unset")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the private key.
    #[serde(deserialize_with = "unset")]
    pub tls_key: Option<PathBuf>,
    /// How long requests are still taken after the order to stop.
    pub drain: Span,
}

/// The broker and how to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsConfig {
    /// Servers with commas between them.
    #[serde(deserialize_with = "unset")]
    pub url: Option<String>,
    /// User name of this process's role.
    #[serde(deserialize_with = "unset")]
    pub user: Option<String>,
    /// Password of that user.
    #[serde(deserialize_with = "unset")]
    pub password: Option<Secret>,
    /// File with an NKey seed.
    #[serde(deserialize_with = "unset")]
    pub nkey_file: Option<PathBuf>,
    /// PEM file of the broker's authority.
    #[serde(deserialize_with = "unset")]
    pub tls_ca: Option<PathBuf>,
    /// Copies of every stream.
    pub replicas: u8,
    /// Bound of the results stream.
    pub results_max_bytes: ByteSize,
    /// Bound of the files on their way to workers.
    pub files_max_bytes: ByteSize,
}

/// What the holder of an API token may do; each role includes the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read everything.
    Read,
    /// Start and stop, sessions, uploads, computing.
    Operate,
    /// Live capture, logs, configuration, deleting, importing.
    Admin,
}

/// One caller of the families without a login of their own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Name in logs.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// SHA-256 of the token, 64 hexadecimal digits.
    pub sha256: String,
}

/// Who may register a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Open on loopback, else `FirstOnly`.
    Auto,
    /// Anybody.
    Open,
    /// Only while there is no tenant.
    FirstOnly,
    /// Nobody.
    Closed,
}

/// Access.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Signs the ad-ops tokens.
    #[serde(deserialize_with = "unset")]
    pub jwt_secret: Option<Secret>,
    /// Former ones, whose tokens are good until they end.
    pub jwt_previous: Vec<Secret>,
    /// Callers of the other families.
    pub api_tokens: Vec<ApiToken>,
    /// True lets everybody call them.
    pub open: bool,
    /// Seals secrets at rest.
    #[serde(deserialize_with = "unset")]
    pub secrets_key: Option<Secret>,
    /// Who may register.
    pub registration: Registration,
}

/// Rates that callers are held to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Ad-ops requests a minute for each caller.
    pub api_per_minute: u32,
    /// Ad-ops requests that may come at once beyond that.
    pub api_burst: u32,
    /// Login attempts a minute.
    pub login_per_minute: u32,
    /// Conversion events a second for each credential.
    pub capi_per_second: u32,
    /// Visits a second for each client.
    pub visit_per_second: u32,
    /// Visits that may come at once.
    pub visit_burst: u32,
    /// Whether visits are limited while the server listens on loopback only.
    pub visit_on_loopback: bool,
    /// Clients of live streams (SSE and WebSocket) at once.
    pub stream_clients: u32,
    /// Largest JSON body.
    pub max_body_bytes: ByteSize,
}

/// Traffic generation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// Allow-list entries as written.
    pub allow_targets: Vec<String>,
    /// Makes ownership lines.
    #[serde(deserialize_with = "unset")]
    pub ownership_secret: Option<Secret>,
    /// Requests a second of one campaign at most.
    pub max_rate: u64,
    /// Requests a second of all campaigns against one target at most.
    pub max_rate_per_target: u64,
    /// Shards of one run at most.
    pub max_shards: u32,
    /// Stored entries a second of each run; 0 keeps all.
    pub entries_per_second_kept: u32,
    /// Days until finished runs are removed.
    pub keep_days: u32,
    /// Size at which the oldest finished run is removed.
    pub quota_bytes: ByteSize,
    /// How much delay is sent late in `http` mode.
    pub catch_up: Span,
}

/// A worker process.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Name in heartbeats and entries.
    #[serde(deserialize_with = "unset")]
    pub id: Option<String>,
    /// Shards that run at once, and the worker's weight when runs are shared out; 0 is 256 for each lane.
    pub capacity: u32,
    /// Sending threads; 0 is one for each core.
    pub lanes: u16,
    /// Free words for placing jobs.
    pub labels: BTreeMap<String, String>,
    /// Address for Prometheus.
    #[serde(deserialize_with = "unset")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where live captures keep their packets; unset is `kept` in `data_dir`.
    #[serde(deserialize_with = "unset")]
    pub capture_dir: Option<PathBuf>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Logging.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Level or directives.
    pub level: String,
    /// Form of the lines.
    pub format: LogFormat,
    /// File beside stderr.
    #[serde(deserialize_with = "unset")]
    pub file: Option<PathBuf>,
}
