//! Caddy's JSON lines.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::{LineFault, LogLine, address, host_name, stamp, value};

/// Every access logger's name begins so.
const LOGGER: &str = "http.log.access";

/// What is asked of a line; the rest is not looked at.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    logger: String,
    #[serde(default)]
    ts: Value,
    request: Option<Request>,
    #[serde(default)]
    status: u64,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
struct Request {
    /// The client behind trusted proxies, from version 2.7 on.
    #[serde(default)]
    client_ip: String,
    #[serde(default)]
    remote_ip: String,
    /// With port, before version 2.5.
    #[serde(default)]
    remote_addr: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    uri: String,
    #[serde(default)]
    headers: Headers,
}

#[derive(Deserialize, Default)]
struct Headers {
    #[serde(default, rename = "User-Agent")]
    user_agent: Vec<String>,
    #[serde(default, rename = "Referer")]
    referer: Vec<String>,
}

pub(super) fn parse(line: &[u8]) -> Result<LogLine<'static>, LineFault> {
    if line.first() != Some(&b'{') {
        return Err(LineFault::NotJson);
    }
    let line: Line = serde_json::from_slice(line).or(Err(LineFault::NotJson))?;
    let Some(request) = line.request.filter(|_| line.logger.starts_with(LOGGER)) else {
        return Err(LineFault::NotAccess);
    };
    let client = [&request.client_ip, &request.remote_ip, &request.remote_addr];
    let client = client.into_iter().find(|text| !text.is_empty()).ok_or(LineFault::Address)?;
    let first = |values: Vec<String>| value(Cow::Owned(values.into_iter().next().unwrap_or_default()));
    Ok(LogLine {
        address: address(client.as_bytes())?,
        time_ms: time(&line.ts).ok_or(LineFault::Time)?,
        method: value(Cow::Owned(request.method)),
        host: host_name(value(Cow::Owned(request.host))),
        target: value(Cow::Owned(request.uri)),
        status: u16::try_from(line.status)
            .ok()
            .filter(|status| (100..=599).contains(status))
            .ok_or(LineFault::Status)?,
        bytes: line.size,
        referrer: first(request.headers.referer),
        user_agent: first(request.headers.user_agent),
    })
}

/// Caddy writes seconds with a fraction by default, and by its settings milliseconds, nanoseconds or a text.
fn time(ts: &Value) -> Option<i64> {
    let number = match ts {
        Value::String(text) => return stamp::of_iso(text.as_bytes()),
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    let millis = match number {
        0.0..1e11 => number * 1e3,
        1e11..1e14 => number,
        1e14..1e20 => number / 1e6,
        _ => return None,
    };
    Some(whole(millis))
}

#[allow(clippy::cast_possible_truncation, reason = "at most 1e14, which an i64 holds")]
fn whole(millis: f64) -> i64 {
    millis.round() as i64
}
