//! Rules that one value or several together must keep, beyond their types.

use std::net::SocketAddr;

use super::{AnomaliesConfig, Config, Environment};
use crate::allow::AllowList;
use crate::error::FieldFault;

const MIN_SECRET_BYTES: usize = 32;

/// Ranges and forms, for every process.
pub(super) fn check_values(config: &Config) -> Vec<FieldFault> {
    let mut broken = Broken(Vec::new());
    check_numbers(config, &mut broken);
    check_anomalies(&config.anomalies, &mut broken);
    check_broker(config, &mut broken);
    check_access(config, &mut broken);
    check_names(config, &mut broken);
    broken.0.extend(super::alerts::check(config));
    let targets = AllowList::parse(&config.generator.allow_targets);
    broken.0.extend(targets.err().into_iter().flatten());
    broken.0
}

/// The rules that do not hold.
struct Broken(Vec<FieldFault>);

impl Broken {
    fn unless(&mut self, holds: bool, key: &str, message: &str) {
        if !holds {
            self.0.push(FieldFault::new(key, message));
        }
    }
}

fn check_numbers(config: &Config, broken: &mut Broken) {
    for (number, key) in [
        (config.generator.max_rate, "generator.max_rate"),
        (config.generator.max_rate_per_target, "generator.max_rate_per_target"),
        (u64::from(config.captures.window_seconds), "captures.window_seconds"),
    ] {
        broken.unless(number > 0, key, "must be at least 1");
    }
    for (span, key) in [(config.rules.interval, "rules.interval"), (config.outbound.timeout, "outbound.timeout")] {
        broken.unless(span.nanoseconds() > 0, key, "must be longer than nothing");
    }
    let (shards, replicas) = (config.generator.max_shards, config.nats.replicas);
    let body = config.limits.max_body_bytes.0;
    broken.unless((1..=4096).contains(&shards), "generator.max_shards", "must be from 1 to 4096");
    broken.unless((1..=5).contains(&replicas), "nats.replicas", "must be from 1 to 5");
    broken.unless(body >= 1024, "limits.max_body_bytes", "must be at least 1024");
    broken.unless(!config.listen.is_empty(), "listen", "names no address");
}

fn check_anomalies(config: &AnomaliesConfig, broken: &mut Broken) {
    for (ratio, key) in [
        (config.traffic_spike_ratio, "anomalies.traffic_spike_ratio"),
        (config.latency_ratio, "anomalies.latency_ratio"),
    ] {
        broken.unless(ratio.is_finite() && ratio > 1.0, key, "must be greater than 1");
    }
    for (value, key) in [
        (config.high_latency_ms, "anomalies.high_latency_ms"),
        (config.robust_deviations, "anomalies.robust_deviations"),
    ] {
        broken.unless(value.is_finite() && value > 0.0, key, "must be greater than 0");
    }
    for (percent, key) in [
        (config.packet_loss_percent, "anomalies.packet_loss_percent"),
        (config.flow_loss_percent, "anomalies.flow_loss_percent"),
        (config.flow_loss_high_percent, "anomalies.flow_loss_high_percent"),
        (config.protocol_shift_percent, "anomalies.protocol_shift_percent"),
    ] {
        broken.unless(percent > 0.0 && percent <= 100.0, key, "must be above 0 and at most 100");
    }
    let drop = config.traffic_drop_ratio;
    broken.unless((0.0..1.0).contains(&drop), "anomalies.traffic_drop_ratio", "must be at least 0 and below 1");
    broken.unless(config.port_scan_ports >= 2, "anomalies.port_scan_ports", "must be at least 2");
}

fn check_broker(config: &Config, broken: &mut Broken) {
    let url = config.nats.url.as_deref().unwrap_or_default();
    let servers = url.split(',').map(str::trim).filter(|server| !server.is_empty());
    let parsed: Vec<Option<url::Url>> = servers.map(broker_url).collect();
    let form = "must be one or more of `nats://HOST:PORT` or `tls://HOST:PORT`, with commas between";
    broken.unless(parsed.iter().all(Option::is_some), "nats.url", form);
    // The broker client ignores credentials in a URL and then waits for ever, so we refuse them.
    let bare = |url: &url::Url| url.username().is_empty() && url.password().is_none();
    let instead = "must not carry credentials; set `nats.user` and `nats.password`";
    broken.unless(parsed.iter().flatten().all(bare), "nats.url", instead);
    let named = config.nats.password.is_none() || config.nats.user.is_some();
    broken.unless(named, "nats.password", "needs `nats.user`");
}

fn check_access(config: &Config, broken: &mut Broken) {
    let public = config.public_url.as_deref().is_none_or(is_public_url);
    let form = "must be `http://HOST` or `https://HOST` without user, query or fragment";
    broken.unless(public, "public_url", form);
    let both = config.http.tls_cert.is_some() == config.http.tls_key.is_some();
    broken.unless(both, "http.tls_cert", "`http.tls_cert` and `http.tls_key` go together");
    let hex = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tokens = &config.auth.api_tokens;
    let hashed = tokens.iter().all(|token| hex(&token.sha256));
    broken.unless(hashed, "auth.api_tokens", "each `sha256` must have 64 hexadecimal digits");
    let named = tokens.iter().all(|token| !token.name.is_empty());
    broken.unless(named, "auth.api_tokens", "each token needs a name");
}

fn check_names(config: &Config, broken: &mut Broken) {
    let directives = tracing_subscriber::EnvFilter::try_new(&config.log.level);
    let form = "must be a level such as `info`, or directives such as `info,sled=warn`";
    broken.unless(directives.is_ok(), "log.level", form);
    let code = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let (base, rates) = (&config.currency.base, &config.currency.rates);
    broken.unless(code(base), "currency.base", "must be a code of three capital letters");
    let named = rates.keys().all(|name| code(name));
    broken.unless(named, "currency.rates", "each name must be a code of three capital letters");
    let positive = rates.values().all(|rate| rate.is_finite() && *rate > 0.0);
    broken.unless(positive, "currency.rates", "each rate must be above 0");
    let id = config.worker.id.as_deref().unwrap_or("w");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    // The id is a token of broker subjects, where dots and wildcards would change the meaning.
    let fits = id.len() <= 64 && id.bytes().all(plain);
    broken.unless(fits, "worker.id", "may have at most 64 letters, digits, `-` and `_`");
}

fn broker_url(text: &str) -> Option<url::Url> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("nats://{text}") };
    let url = url::Url::parse(&with_scheme).ok()?;
    let known = matches!(url.scheme(), "nats" | "tls" | "ws" | "wss");
    (known && url.host_str().is_some()).then_some(url)
}

fn is_public_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        web && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Refuses a server that strangers can reach and that asks nobody who they are.
///
/// # Errors
/// One fault that names what makes the server reachable and what to set.
pub fn check_exposure(config: &Config) -> Result<(), FieldFault> {
    if config.auth.open || !config.auth.api_tokens.is_empty() {
        return Ok(());
    }
    let remedy = "set `auth.api_tokens`, or `auth.open = true` if everybody who reaches the server may use it";
    if let Some(address) = config.listen.iter().find(|address| !is_loopback(address)) {
        return Err(FieldFault::new("listen", format!("`{address}` can be reached from other machines: {remedy}")));
    }
    if config.public_url.is_some() {
        return Err(FieldFault::new("public_url", format!("people reach the server from elsewhere: {remedy}")));
    }
    if !config.http.trusted_proxies.is_empty() {
        return Err(FieldFault::new("http.trusted_proxies", format!("a proxy lets others reach the server: {remedy}")));
    }
    Ok(())
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Refuses production without its secrets.
pub(super) fn check_secrets(config: &Config) -> Vec<FieldFault> {
    let named = [
        ("auth.jwt_secret", &config.auth.jwt_secret),
        ("auth.secrets_key", &config.auth.secrets_key),
        ("generator.ownership_secret", &config.generator.ownership_secret),
    ];
    let mut faults = Vec::new();
    for (key, secret) in named {
        match secret {
            None if config.environment == Environment::Production => {
                let message = "must be set in production: take the output of `openssl rand -hex 32`";
                faults.push(FieldFault::new(key, message));
            }
            Some(secret) if secret.expose().len() < MIN_SECRET_BYTES => {
                faults.push(FieldFault::new(key, format!("must have at least {MIN_SECRET_BYTES} bytes")));
            }
            _ => {}
        }
    }
    for (place, secret) in config.auth.jwt_previous.iter().enumerate() {
        if secret.expose().len() < MIN_SECRET_BYTES {
            let message = format!("must have at least {MIN_SECRET_BYTES} bytes");
            faults.push(FieldFault::new(format!("auth.jwt_previous[{place}]"), message));
        }
    }
    faults
}
