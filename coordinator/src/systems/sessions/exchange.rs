//! The keys of `config` that say what a real request is and what makes its response a success.

use serde_json::Value;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::run::{HeaderField, HttpVersion, ResponseChecks};
use trafficlab_shared::target::{check_headers, check_method};
use trafficlab_shared::template::Template;

use crate::systems::fields::Fields;

const MAX_BODY: usize = 32 * 1024;
const MAX_TIMEOUT_MS: u64 = 600_000;

/// A real request and its limits, without its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Method.
    pub method: String,
    /// Header fields, secrets sealed.
    pub headers: Vec<HeaderField>,
    /// Body.
    pub body: Option<String>,
    /// Most connections over all shards.
    pub connections: u32,
    /// Time-out in milliseconds.
    pub timeout_ms: u64,
    /// How many redirects are followed.
    pub max_redirects: u8,
    /// The version of HTTP.
    pub version: HttpVersion,
    /// Whether connections serve more than one request.
    pub keep_alive: bool,
    /// Requests at once on an HTTP/2 connection, when the campaign says.
    pub streams: Option<u32>,
    /// What makes a response a success.
    pub checks: ResponseChecks,
}

pub(super) fn read(config: &mut Fields<'_, '_>) -> Exchange {
    let method = config.text("method", 32).unwrap_or("GET").to_owned();
    if let Err(fault) = check_method(&method, &config.path_of("method")) {
        config.faults().push(fault);
    }
    let headers = headers(config);
    let body = body(config);
    let connections = config.whole("connections", 1..=10_000).unwrap_or(64);
    let timeout_ms = config.whole("timeout_ms", 1..=MAX_TIMEOUT_MS).unwrap_or(30_000);
    let redirects = config.whole("max_redirects", 0..=10).unwrap_or(0);
    Exchange {
        method,
        headers,
        body,
        connections: u32::try_from(connections).unwrap_or(64),
        timeout_ms,
        max_redirects: u8::try_from(redirects).unwrap_or(0),
        version: version(config),
        keep_alive: config.flag("keep_alive").unwrap_or(true),
        streams: config.whole("streams", 1..=1000).and_then(|streams| u32::try_from(streams).ok()),
        checks: checks(config),
    }
}

fn version(config: &mut Fields<'_, '_>) -> HttpVersion {
    match config.text("http_version", 8) {
        None | Some("1.1") => HttpVersion::Http1,
        Some("2") => HttpVersion::Http2,
        Some(_) => {
            config.fault("http_version", "must be \"1.1\" or \"2\"");
            HttpVersion::Http1
        }
    }
}

/// Headers as `secrets` left them: a text, `{"value"}`, or `{"sealed"}`.
fn headers(config: &mut Fields<'_, '_>) -> Vec<HeaderField> {
    let path = config.path_of("headers");
    let Some(map) = config.object("headers") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in map {
        let (text, sealed) = match value {
            Value::String(text) => (text.as_str(), false),
            Value::Object(members) => match (members.get("sealed"), members.get("value")) {
                (Some(Value::String(sealed)), _) => (sealed.as_str(), true),
                (None, Some(Value::String(text))) => (text.as_str(), false),
                _ => ("", true),
            },
            _ => {
                config
                    .faults()
                    .push(FieldFault::new(format!("{path}.{name}"), "must be a text or {\"value\", \"secret\"}"));
                continue;
            }
        };
        if !sealed && let Err(error) = Template::parse_without_table(text) {
            config.faults().push(FieldFault::new(format!("{path}.{name}"), error.to_string()));
        }
        found.push(HeaderField { name: name.clone(), value: text.to_owned(), sealed });
    }
    let plain =
        found.iter().map(|header| (header.name.as_str(), if header.sealed { "" } else { header.value.as_str() }));
    config.faults().extend(check_headers(plain, &path));
    found
}

/// A text, or JSON that is sent as its text.
fn body(config: &mut Fields<'_, '_>) -> Option<String> {
    let text = match config.get("body")? {
        Value::String(text) => text.clone(),
        json @ (Value::Object(_) | Value::Array(_)) => json.to_string(),
        _ => {
            config.fault("body", "must be a text, an object or a list");
            return None;
        }
    };
    if text.len() > MAX_BODY {
        config.fault("body", format!("must have at most {MAX_BODY} bytes"));
    }
    if let Err(error) = Template::parse_without_table(&text) {
        config.fault("body", error.to_string());
    }
    Some(text)
}

fn checks(config: &mut Fields<'_, '_>) -> ResponseChecks {
    let path = config.path_of("checks");
    let Some(map) = config.object("checks") else {
        return ResponseChecks::default();
    };
    let mut inner = Fields::new(map, path, config.faults());
    let statuses = inner.list("statuses", 100).unwrap_or_default();
    let mut accepted = Vec::new();
    for (index, status) in statuses.iter().enumerate() {
        match status
            .as_u64()
            .filter(|status| (100..=599).contains(status))
            .and_then(|status| u16::try_from(status).ok())
        {
            Some(status) => accepted.push(status),
            None => inner.fault(&format!("statuses[{index}]"), "must be a status code from 100 to 599"),
        }
    }
    ResponseChecks {
        statuses: accepted,
        body_contains: inner.text("body_contains", 4096).map(str::to_owned).filter(|text| !text.is_empty()),
        max_latency_ms: inner.whole("max_latency_ms", 1..=MAX_TIMEOUT_MS),
    }
}
