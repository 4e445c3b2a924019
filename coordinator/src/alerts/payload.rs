//! What each kind of hook is sent. Pure: the same alert at the same time gives the same bytes.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use trafficlab_engine::packet::export::document;
use trafficlab_shared::config::{AlertHook, HookKind, Secret};
use trafficlab_shared::model::capture::anomaly::Severity;

use crate::store::alerts::Alert;
use crate::systems::time::rfc3339;

/// Longest summary that PagerDuty takes.
const PAGERDUTY_SUMMARY: usize = 1024;
/// Longest text of a Slack section.
const SLACK_TEXT: usize = 2900;

/// A call of a hook.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// Where; secret for most hooks.
    pub(super) url: String,
    /// Headers besides the content type, which is JSON.
    pub(super) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(super) body: Vec<u8>,
}

/// Writes an alert for a hook at a time (nanoseconds since 1970).
pub(super) fn call(hook: &AlertHook, pagerduty: &str, alert: &Alert, now_ns: u64) -> Call {
    let url = hook.url.as_ref().map(Secret::expose).unwrap_or_default().to_owned();
    match hook.kind {
        HookKind::Slack => Call { url, headers: Vec::new(), body: bytes(&slack(alert)) },
        HookKind::Pagerduty => {
            let key = hook.routing_key.as_ref().map(Secret::expose).unwrap_or_default();
            Call { url: format!("{pagerduty}/v2/enqueue"), headers: Vec::new(), body: bytes(&event(alert, key)) }
        }
        HookKind::Webhook => {
            let body = bytes(&webhook(alert));
            let mut headers = vec![("idempotency-key", alert.key.clone())];
            if let Some(secret) = &hook.secret {
                headers.push(("x-trafficlab-signature", signature(secret, now_ns / 1_000_000_000, &body)));
            }
            Call { url, headers, body }
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`. The time is signed, so that an old call cannot be sent again.
fn signature(secret: &Secret, seconds: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

fn webhook(alert: &Alert) -> Value {
    json!({
        "version": 1,
        "event": "anomaly",
        "id": alert.key,
        "subject": alert.subject,
        "created_at": rfc3339(alert.created_ns),
        "capture": {"id": alert.capture, "name": alert.capture_name, "live": alert.live, "place": alert.place},
        "anomaly": document::anomaly(&alert.anomaly),
        "suppressed": alert.suppressed,
    })
}

/// A message with blocks; `text` is what notifications show.
fn slack(alert: &Alert) -> Value {
    let anomaly = &alert.anomaly;
    let sign = match anomaly.severity {
        Severity::High => ":red_circle:",
        Severity::Medium => ":large_orange_circle:",
    };
    let title = format!("{} on {}", anomaly.kind.as_str(), alert.place);
    let field = |name: &str, value: &str| json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", escaped(value))});
    let mut fields = vec![
        field("Severity", anomaly.severity.as_str()),
        field("Metric", &anomaly.metric),
        field("Value / threshold", &format!("{} / {}", shown(anomaly.current_value), shown(anomaly.threshold))),
        field("Window from", &window_start(alert)),
    ];
    for (name, end) in [("From", &anomaly.flow_src), ("To", &anomaly.flow_dst)] {
        fields.extend(end.as_ref().map(|end| field(name, end)));
    }
    let mut context = format!("capture {} ({})", escaped(&alert.capture_name), escaped(&alert.capture));
    if alert.suppressed > 0 {
        context.push_str(&format!(", {} more like it were kept back", alert.suppressed));
    }
    json!({
        "text": format!("{sign} {}: {}", escaped(&title), escaped(&cut(&anomaly.message, SLACK_TEXT))),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": cut(&title, 150)}},
            {"type": "section", "text": {"type": "mrkdwn", "text": format!("{sign} {}", cut(&escaped(&anomaly.message), SLACK_TEXT))}},
            {"type": "section", "fields": fields},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
    })
}

/// An event of `PagerDuty`'s Events API v2. Findings of one kind about one flow or host join one incident.
fn event(alert: &Alert, routing_key: &str) -> Value {
    let anomaly = &alert.anomaly;
    let severity = match anomaly.severity {
        Severity::High => "critical",
        Severity::Medium => "warning",
    };
    let summary = format!("{} on {}: {}", anomaly.kind.as_str(), alert.place, anomaly.message);
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": alert.subject,
        "client": "trafficlab",
        "payload": {
            "summary": cut(&summary, PAGERDUTY_SUMMARY),
            "source": alert.place,
            "severity": severity,
            "timestamp": window_start(alert),
            "component": alert.capture_name,
            "group": "trafficlab",
            "class": anomaly.kind.as_str(),
            "custom_details": webhook(alert),
        },
    })
}

fn window_start(alert: &Alert) -> String {
    rfc3339(u64::try_from(alert.anomaly.start_ns).unwrap_or(0))
}

/// A figure for people, without a tail of decimals.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Slack's control characters as entities.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::alerts::policy::sample;

    fn hook(text: &str) -> AlertHook {
        serde_json::from_str(text).unwrap()
    }

    fn body(call: &Call) -> Value {
        serde_json::from_slice(&call.body).unwrap()
    }

    #[test]
    fn a_webhook_is_signed_with_its_time() {
        let hook = hook(r#"{"name":"h","kind":"webhook","url":"http://x.test/y","secret":"k"}"#);
        let mut alert = sample(1_700_000_000_000_000_000);
        alert.suppressed = 3;
        let call = call(&hook, "", &alert, 1_700_000_001_500_000_000);
        assert_eq!(call.url, "http://x.test/y");
        let sent = body(&call);
        assert_eq!((sent["id"].as_str().unwrap(), &sent["suppressed"]), (alert.key.as_str(), &json!(3)));
        assert_eq!(sent["anomaly"]["type"], "traffic_spike");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"k").unwrap();
        mac.update(&[b"1700000001.".as_slice(), &call.body].concat());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let signed = ("x-trafficlab-signature", format!("t=1700000001,v1={hex}"));
        assert_eq!(call.headers, [("idempotency-key", alert.key), signed]);
    }

    #[test]
    fn slack_gets_text_that_cannot_become_markup() {
        let hook = hook(r#"{"name":"h","kind":"slack","url":"https://hooks.slack.com/s"}"#);
        let mut alert = sample(0);
        alert.anomaly.message = "<!channel> & \"x\"".to_owned();
        alert.anomaly.flow_src = Some("10.0.0.1:80".to_owned());
        let sent = body(&call(&hook, "", &alert, 0));
        assert!(sent["text"].as_str().unwrap().contains("&lt;!channel&gt; &amp;"));
        assert!(!sent.to_string().contains("<!channel>"));
        assert_eq!(sent["blocks"][2]["fields"].as_array().unwrap().len(), 5);
        assert_eq!(sent["blocks"][0]["type"], "header");
    }

    #[test]
    fn pagerduty_maps_severities_and_joins_incidents() {
        let hook = hook(r#"{"name":"h","kind":"pagerduty","routing_key":"R"}"#);
        let mut alert = sample(0);
        let sent = |alert: &Alert| call(&hook, "https://events.test", alert, 0);
        assert_eq!(sent(&alert).url, "https://events.test/v2/enqueue");
        assert_eq!(body(&sent(&alert))["payload"]["severity"], "warning");
        alert.anomaly.severity = Severity::High;
        alert.anomaly.message = "x".repeat(2000);
        let event = body(&sent(&alert));
        assert_eq!(event["payload"]["severity"], "critical");
        assert_eq!((event["routing_key"].as_str(), event["event_action"].as_str()), (Some("R"), Some("trigger")));
        assert_eq!(event["dedup_key"], alert.subject);
        assert_eq!(event["payload"]["summary"].as_str().unwrap().chars().count(), PAGERDUTY_SUMMARY);
    }

    #[test]
    fn figures_have_no_tail() {
        assert_eq!([shown(83.333_33), shown(5.0), shown(0.0), shown(1200.5)], ["83.33", "5", "0", "1200.5"]);
    }
}
