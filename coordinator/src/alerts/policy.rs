//! Who is told of what, under which key, and when to try again. Pure.

use std::time::Duration;

use sha2::{Digest, Sha256};
use trafficlab_shared::config::{AlertHook, AlertsConfig};
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};

use crate::store::alerts::Alert;

/// Receivers that ask for a longer rest than this get this.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// Whether a hook wants to be told.
pub(super) fn wants(hook: &AlertHook, live: bool, anomaly: &Anomaly) -> bool {
    (live || hook.files)
        && (hook.severities.is_empty() || hook.severities.contains(&anomaly.severity))
        && (hook.types.is_empty() || hook.types.contains(&anomaly.kind))
}

/// What a finding is about: its kind at one place, and its flow or host.
pub(super) fn subject(place: &str, anomaly: &Anomaly) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let (src, dst, protocol) = (part(&anomaly.flow_src), part(&anomaly.flow_dst), part(&anomaly.protocol));
    digest(&["subject", place, anomaly.kind.as_str(), &src, &dst, &protocol])
}

/// The same finding's name, whoever computes it how often.
pub(super) fn key(capture: &str, subject: &str, anomaly: &Anomaly) -> String {
    digest(&["finding", capture, subject, &anomaly.metric, &anomaly.window_index.to_string()])
}

/// 32 hexadecimal digits; lengths are hashed too, so that parts do not run into one another.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The wait after the given attempt (from 1): exponential, the upper half of it by `jitter` (any number), not below what
/// the receiver asked for. "Equal jitter" of Brooker, Exponential Backoff And Jitter (2015).
pub(super) fn rest(config: &AlertsConfig, attempt: u32, asked: Option<Duration>, jitter: u64) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1).min(30));
    let whole = config.first_retry.duration().saturating_mul(doubled).min(config.longest_retry.duration());
    let half = whole / 2;
    let share = u32::try_from(jitter % 1001).unwrap_or(0);
    let rest = half + (half / 1000).saturating_mul(share);
    rest.max(asked.unwrap_or_default().min(LONGEST_REST))
}

/// What is sent when a hook is tried.
pub(super) fn sample(now_ns: u64) -> Alert {
    let end_ns = i64::try_from(now_ns).unwrap_or(i64::MAX);
    let anomaly = Anomaly {
        kind: AnomalyKind::TrafficSpike,
        severity: Severity::Medium,
        window_index: 0,
        start_ns: end_ns - 10_000_000_000,
        end_ns,
        message: "This is a test of the alert hook; nothing has happened".to_owned(),
        metric: "avg_bps".to_owned(),
        current_value: 0.0,
        threshold: 0.0,
        baseline: BaselineUsed { source: "fixed".to_owned(), median: None, mad: None, windows: None },
        flow_src: None,
        flow_dst: None,
        protocol: None,
    };
    let subject = subject("test", &anomaly);
    Alert {
        capture: "test".to_owned(),
        capture_name: "test".to_owned(),
        live: false,
        place: "test".to_owned(),
        key: key("test", &subject, &anomaly),
        subject,
        anomaly,
        suppressed: 0,
        created_ns: now_ns,
        attempts: 0,
        not_before_ns: 0,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> AlertsConfig {
        let span = |seconds| Duration::from_secs(seconds).into();
        AlertsConfig { hooks: Vec::new(), pending: 9, attempts: 9, first_retry: span(1), longest_retry: span(300) }
    }

    #[test]
    fn rests_double_up_to_the_longest_and_honour_the_receiver() {
        let after = |attempt, asked: Option<u64>, jitter| {
            rest(&config(), attempt, asked.map(Duration::from_secs), jitter).as_millis()
        };
        assert_eq!((after(1, None, 0), after(1, None, 1000)), (500, 1000));
        assert_eq!((after(4, None, 0), after(4, None, 1000)), (4000, 8000));
        assert_eq!((after(20, None, 1000), after(u32::MAX, None, 0)), (300_000, 150_000));
        assert_eq!((after(1, Some(60), 5), after(1, Some(1_000_000), 5)), (60_000, 3_600_000));
    }

    #[test]
    fn keys_tell_findings_apart_and_subjects_flows() {
        let first = sample(0).anomaly;
        let later = Anomaly { window_index: 9, ..first.clone() };
        let other = Anomaly { flow_src: Some("10.0.0.1".to_owned()), ..first.clone() };
        let subject = subject("eth0", &first);
        assert_eq!(subject, super::subject("eth0", &later));
        assert_ne!(subject, super::subject("eth1", &first));
        assert_ne!(subject, super::subject("eth0", &other));
        assert_eq!(key("c", &subject, &first), key("c", &subject, &first.clone()));
        assert_ne!(key("c", &subject, &first), key("c", &subject, &later));
        assert_ne!(key("c", &subject, &first), key("d", &subject, &first));
    }
}
