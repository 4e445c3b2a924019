//! One call of a hook, and what its answer means.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use trafficlab_shared::clock;
use trafficlab_shared::config::AlertHook;
use url::Url;

use super::Alerts;
use super::payload::{self, Call};
use crate::outbound::refusal;
use crate::store::alerts::Alert;

/// Bytes of an answer that are read, to say why it refuses.
const ANSWER_BYTES: usize = 300;

/// How a call ended. Reasons never hold the URL, which often is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The receiver took it.
    Delivered,
    /// Another attempt may do.
    Retry {
        /// Why it failed.
        reason: String,
        /// The rest the receiver asks for.
        after: Option<Duration>,
    },
    /// No attempt will do.
    Refused(String),
}

impl Alerts {
    /// Sends an alert once.
    pub(super) async fn send(&self, hook: &AlertHook, alert: &Alert) -> Sent {
        let call = payload::call(hook, &self.pagerduty, alert, clock::wall_ns());
        let Ok(url) = Url::parse(&call.url) else {
            return Sent::Refused("its URL cannot be read".to_owned());
        };
        if let Err(refusal) = self.outbound.check(&url) {
            return Sent::Refused(refusal.to_string());
        }
        match self.post(url, call).await {
            Ok(response) => judge(response).await,
            Err(error) => failed(&error),
        }
    }

    async fn post(&self, url: Url, call: Call) -> reqwest::Result<Response> {
        let mut request = self.outbound.client.post(url).header(CONTENT_TYPE, "application/json");
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        request.body(call.body).send().await
    }
}

/// What went wrong before there was an answer.
fn failed(error: &reqwest::Error) -> Sent {
    if let Some(refusal) = refusal(error) {
        return Sent::Refused(refusal.to_string());
    }
    let reason = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {}", innermost(error))
    } else {
        format!("the call failed: {}", innermost(error))
    };
    Sent::Retry { reason, after: None }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut found: &dyn std::error::Error = error;
    while let Some(source) = found.source() {
        found = source;
    }
    // The outermost error of reqwest alone names the URL.
    if found.source().is_none() && std::error::Error::source(error).is_none() {
        return "the request could not be sent".to_owned();
    }
    found.to_string()
}

async fn judge(response: Response) -> Sent {
    let status = response.status();
    if status.is_success() {
        return Sent::Delivered;
    }
    let after = retry_after(response.headers());
    let text = beginning(response).await;
    let reason = match text.trim() {
        "" => format!("it answered {}", status.as_u16()),
        text => format!("it answered {}: {}", status.as_u16(), text.escape_debug()),
    };
    let passing = status.is_server_error()
        || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY].contains(&status);
    if passing { Sent::Retry { reason, after } } else { Sent::Refused(reason) }
}

/// Seconds, or a date in the form of HTTP.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_nanos(clock::wall_ns())))
}

async fn beginning(response: Response) -> String {
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(Ok(chunk)) = body.next().await {
        bytes.extend(chunk.iter().take(ANSWER_BYTES - bytes.len()));
        if bytes.len() >= ANSWER_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn asked(value: &str) -> Option<u64> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        retry_after(&headers).map(|span| span.as_secs())
    }

    #[test]
    fn the_receivers_rest_is_read_in_both_forms() {
        assert_eq!((asked("7"), asked("soon")), (Some(7), None));
        assert_eq!(asked("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        let date =
            httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_nanos(clock::wall_ns() + 90_000_000_000));
        assert!(asked(&date).is_some_and(|seconds| (80..=90).contains(&seconds)), "{date}");
    }
}
