//! The sections of single systems: captures, anomalies, tracker, ad-ops and outside services.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::optional::unset;
use super::secret::Secret;
use super::units::{ByteSize, Span};
use crate::model::capture::settings::Thresholds;

/// Captured files and live runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapturesConfig {
    /// Folders that `pcap_file` may name files in.
    pub dirs: Vec<PathBuf>,
    /// The file that `compute` takes by default.
    #[serde(deserialize_with = "unset")]
    pub pcap_file: Option<PathBuf>,
    /// Interface of live mode.
    #[serde(deserialize_with = "unset")]
    pub interface: Option<String>,
    /// Length of a window.
    pub window_seconds: u32,
    /// Largest upload.
    pub max_upload_bytes: ByteSize,
    /// Largest upload after decompression.
    pub max_decompressed_bytes: ByteSize,
    /// All captures together.
    pub quota_bytes: ByteSize,
    /// Days until a capture is removed.
    pub keep_days: u32,
}

/// When a window counts as strange.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnomaliesConfig {
    /// Multiple of the usual traffic that is a spike.
    pub traffic_spike_ratio: f64,
    /// Multiple of the usual traffic below which it has dropped.
    pub traffic_drop_ratio: f64,
    /// Retransmitted data segments of a whole window, in percent.
    pub packet_loss_percent: f64,
    /// Retransmitted data segments of one direction of a flow, in percent: medium.
    pub flow_loss_percent: f64,
    /// The same: high.
    pub flow_loss_high_percent: f64,
    /// Round trip time in milliseconds that is high when nothing usual is known.
    pub high_latency_ms: f64,
    /// Round trip time as a multiple of the usual one.
    pub latency_ratio: f64,
    /// Ports of one host that a source tries in vain.
    pub port_scan_ports: u32,
    /// Shift of a protocol's share in percentage points.
    pub protocol_shift_percent: f64,
    /// Robust deviations from the median.
    pub robust_deviations: f64,
}

impl From<&AnomaliesConfig> for Thresholds {
    fn from(config: &AnomaliesConfig) -> Self {
        Self {
            traffic_spike_ratio: config.traffic_spike_ratio,
            traffic_drop_ratio: config.traffic_drop_ratio,
            packet_loss_percent: config.packet_loss_percent,
            flow_loss_percent: config.flow_loss_percent,
            flow_loss_high_percent: config.flow_loss_high_percent,
            high_latency_ms: config.high_latency_ms,
            latency_ratio: config.latency_ratio,
            port_scan_ports: config.port_scan_ports,
            protocol_shift_percent: config.protocol_shift_percent,
            robust_deviations: config.robust_deviations,
        }
    }
}

/// How visitors are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UniqueMode {
    /// Address and browser, hashed with the day's salt.
    Accurate,
    /// The same with the address's network only.
    Masked,
    /// Every visit is its own visitor.
    Random,
}

/// The visit tracker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackerConfig {
    /// Sites that are counted; empty takes them as they appear.
    pub sites: Vec<String>,
    /// Origins that may send visits.
    pub cors_origins: Vec<String>,
    /// Name of the script.
    pub script_name: String,
    /// How visitors are told apart.
    pub unique_mode: UniqueMode,
    /// Keys of servers that send addresses of their visitors.
    pub ingest_keys: Vec<Secret>,
    /// MaxMind database.
    #[serde(deserialize_with = "unset")]
    pub mmdb: Option<PathBuf>,
    /// Days until visits are removed.
    pub keep_days: u32,
    /// Whether user ids are stored as they are.
    pub keep_user_id: bool,
    /// Whether DNT and Sec-GPC are honoured.
    pub respect_dnt: bool,
}

/// Automation rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesConfig {
    /// Time between evaluations.
    pub interval: Span,
}

/// Erasure of people's data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GdprConfig {
    /// Longest time until erased data is gone from every file.
    pub erase_within: Span,
}

/// Files that tenants ask for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportsConfig {
    /// How long a file can be downloaded.
    pub keep: Span,
    /// Exports of a tenant under way at once.
    pub per_tenant: u32,
    /// Bytes of all files.
    pub quota_bytes: ByteSize,
}

/// Exchange rates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyConfig {
    /// ISO 4217 code that rates refer to.
    pub base: String,
    /// Units of each currency that one unit of the base buys.
    pub rates: BTreeMap<String, f64>,
}

/// Outgoing mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Server with credentials; unset writes files.
    #[serde(deserialize_with = "unset")]
    pub smtp_url: Option<Secret>,
    /// Sender.
    pub from: String,
}

/// Slack webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// Hosts that a webhook may have.
    pub allow_hosts: Vec<String>,
}

/// `PagerDuty` events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerdutyConfig {
    /// Where events go.
    pub base_url: String,
}

/// `WhatsApp` Business.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsappConfig {
    /// Where messages go.
    pub base_url: String,
    /// Sender's number id.
    #[serde(deserialize_with = "unset")]
    pub phone_number_id: Option<String>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
    /// Signs webhooks.
    #[serde(deserialize_with = "unset")]
    pub app_secret: Option<Secret>,
    /// Answers the webhook's challenge.
    #[serde(deserialize_with = "unset")]
    pub verify_token: Option<Secret>,
}

/// Calls to outside services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundConfig {
    /// Whether private addresses are allowed.
    pub allow_private: bool,
    /// Time one call may take.
    pub timeout: Span,
}
