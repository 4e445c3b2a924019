//! The configuration of both binaries: one embedded schema, four layers over it, typed sections.

mod alerts;
mod check;
mod fault;
mod layers;
mod optional;
mod platforms;
mod print;
mod schema;
mod secret;
mod sections;
mod systems;
#[cfg(test)]
mod tests;
mod units;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use alerts::{AlertHook, AlertsConfig, HookKind, QuietHours};
pub use check::check_exposure;
pub use fault::{ConfigErrors, ConfigFault};
use layers::Layers;
pub use layers::Origin;
pub use platforms::{GoogleConfig, LinkedinConfig, MetaConfig, PlatformsConfig, SnapchatConfig, TiktokConfig};
pub use secret::{MASK, Secret};
pub use sections::{
    AnalyzerMode, ApiToken, AuthConfig, Environment, GeneratorConfig, HttpConfig, LimitsConfig, LogConfig, LogFormat,
    NatsConfig, Registration, Role, WorkerConfig,
};
pub use systems::{
    AnomaliesConfig, CapturesConfig, CurrencyConfig, ExportsConfig, GdprConfig, MailConfig, OutboundConfig,
    PagerdutyConfig, RulesConfig, SlackConfig, TrackerConfig, UniqueMode, WhatsappConfig,
};
pub use toml::{Table, Value};
pub use units::{ByteSize, Span};

/// Every environment variable with this beginning is a key, or a mistake.
pub const ENV_PREFIX: &str = "TRAFFICLAB_";

/// Variables with our prefix that are no keys: they say where a tool or file is found, or which
/// fault a worker of a debug build shows.
const OTHER_VARIABLES: [&str; 3] = ["TRAFFICLAB_NATS_SERVER", "TRAFFICLAB_CONFIG", "TRAFFICLAB_FAULT"];

/// What the `dev` command presets above the defaults.
pub const DEV_PRESET: (&str, &str) = ("dev", include_str!("../../../config/dev.toml"));

/// All settings of a process. Keys and defaults are explained in `config/default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Addresses of the HTTP server.
    pub listen: Vec<SocketAddr>,
    /// URL that people use.
    #[serde(deserialize_with = "optional::unset")]
    pub public_url: Option<String>,
    /// Folder of all state.
    pub data_dir: PathBuf,
    /// What the analyzer reads.
    pub mode: AnalyzerMode,
    /// How strict the process is about secrets.
    pub environment: Environment,
    /// The HTTP server.
    pub http: HttpConfig,
    /// The broker.
    pub nats: NatsConfig,
    /// Access.
    pub auth: AuthConfig,
    /// Rates of callers.
    pub limits: LimitsConfig,
    /// Traffic generation.
    pub generator: GeneratorConfig,
    /// A worker process.
    pub worker: WorkerConfig,
    /// Captures.
    pub captures: CapturesConfig,
    /// Thresholds of the analyzer.
    pub anomalies: AnomaliesConfig,
    /// Who is told of anomalies.
    pub alerts: AlertsConfig,
    /// Visits.
    pub tracker: TrackerConfig,
    /// Automation rules.
    pub rules: RulesConfig,
    /// Erasure.
    pub gdpr: GdprConfig,
    /// Files that tenants ask for.
    pub exports: ExportsConfig,
    /// Exchange rates.
    pub currency: CurrencyConfig,
    /// Mail.
    pub mail: MailConfig,
    /// Slack.
    pub slack: SlackConfig,
    /// `PagerDuty`.
    pub pagerduty: PagerdutyConfig,
    /// `WhatsApp`.
    pub whatsapp: WhatsappConfig,
    /// Advertising platforms.
    pub platforms: PlatformsConfig,
    /// Outside calls.
    pub outbound: OutboundConfig,
    /// Logging.
    pub log: LogConfig,
    #[serde(skip)]
    printed: String,
}

/// Who reads the configuration, which decides what it must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A server: access and secrets are checked too.
    Coordinator,
    /// A worker.
    Worker,
    /// `--print-config`: only what cannot be read is a mistake.
    Print,
}

/// The layers above the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Name and text of what the command presets.
    pub preset: Option<(&'static str, &'static str)>,
    /// The file named by `--config`.
    pub file: Option<PathBuf>,
    /// Environment variables; others than ours are left alone.
    pub env: Vec<(String, String)>,
    /// Keys set by flags.
    pub flags: Table,
}

/// Puts a flag's value at `key`, when it was given.
pub fn set_flag(flags: &mut Table, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        schema::place(flags, key, value.into());
    }
}

impl Sources {
    /// The layers of this process, with its environment.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Table) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(ENV_PREFIX))?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        Self { preset: None, file, env: std::env::vars_os().filter_map(text).collect(), flags }
    }
}

impl Config {
    /// Reads all layers and checks the result.
    ///
    /// # Errors
    /// Every mistake of every layer, each with its key and origin.
    pub fn load(sources: &Sources, purpose: Purpose) -> Result<Self, ConfigErrors> {
        let mut layers = stack(sources);
        let typed = decode(&mut layers);
        let mut faults = std::mem::take(&mut layers.faults);
        let Some(mut config) = typed else {
            return Err(ConfigErrors(faults));
        };
        // Rules say nothing about a layer that could not be read, nor about a key whose unreadable
        // value was replaced by its default.
        let known: Vec<String> = faults.iter().map(|fault| fault.key.clone()).collect();
        let whole = known.iter().all(|key| !key.is_empty());
        let broken = rules(&config, purpose).into_iter().filter(|fault| whole && !known.contains(&fault.field));
        for fault in broken {
            faults.push(ConfigFault::new(&fault.field, layers.origin(&fault.field), fault.message));
        }
        if !faults.is_empty() {
            return Err(ConfigErrors(faults));
        }
        config.printed = print::to_toml_masked(&layers);
        Ok(config)
    }

    /// The effective configuration as TOML: secrets masked, `# from …` beside each key.
    #[must_use]
    pub fn to_toml_masked(&self) -> &str {
        &self.printed
    }

    /// The broker's URL, for commands that cannot do without one.
    ///
    /// # Errors
    /// A sentence that says how to name one.
    pub fn require_broker(&self) -> Result<&str, ConfigErrors> {
        let missing = || {
            let message = "names no broker: set it in the file, as `TRAFFICLAB_NATS__URL` or with `--nats`";
            ConfigErrors(vec![ConfigFault::new("nats.url", Origin::Default, message)])
        };
        self.nats.url.as_deref().ok_or_else(missing)
    }

    /// Whether every address of the server can be reached from this machine only, so far as we know.
    #[must_use]
    pub fn is_loopback_only(&self) -> bool {
        let local = self.listen.iter().all(|address| address.ip().to_canonical().is_loopback());
        local && self.public_url.is_none() && self.http.trusted_proxies.is_empty()
    }
}

fn stack(sources: &Sources) -> Layers {
    let mut layers = Layers::new();
    if let Some((name, text)) = sources.preset {
        layers.lay_text(text, Origin::Preset(name));
    }
    if let Some(path) = &sources.file {
        let origin = Origin::File(path.display().to_string());
        match std::fs::read_to_string(path) {
            Ok(text) => layers.lay_text(&text, origin),
            Err(error) => layers.faults.push(ConfigFault::new("", origin, format!("cannot be read: {error}"))),
        }
    }
    let mut variables: Vec<_> = sources.env.iter().collect();
    variables.sort();
    for (name, text) in variables {
        if let Some(path) = name.strip_prefix(ENV_PREFIX).filter(|_| !OTHER_VARIABLES.contains(&name.as_str())) {
            layers.lay_variable(name, path, text);
        }
    }
    layers.lay(sources.flags.clone(), &Origin::Flag);
    layers
}

/// Reads the typed form. A value that cannot be read is noted and replaced by its default, and
/// reading starts again: that way one look finds every mistake.
fn decode(layers: &mut Layers) -> Option<Config> {
    for _ in 0..=layers.origins.len() {
        let error = match serde_path_to_error::deserialize::<_, Config>(layers.values.clone()) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let path = error.path().to_string();
        let key = layers.key_of(&path).unwrap_or_else(|| path.clone());
        let message =
            if schema::is_secret(&key) { "must be a text".to_owned() } else { error.inner().message().to_owned() };
        let origin = layers.origin(&key);
        layers.faults.push(ConfigFault::new(&path, origin, message));
        layers.reset(&key);
    }
    None
}

fn rules(config: &Config, purpose: Purpose) -> Vec<crate::error::FieldFault> {
    if purpose == Purpose::Print {
        return Vec::new();
    }
    let mut faults = check::check_values(config);
    if purpose == Purpose::Coordinator {
        faults.extend(check_exposure(config).err());
        faults.extend(check::check_secrets(config));
    }
    faults
}
