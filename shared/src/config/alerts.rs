//! Who is told of anomalies, and how patiently.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

use super::secret::Secret;
use super::units::Span;
use super::{Config, SlackConfig};
use crate::error::FieldFault;
use crate::model::capture::anomaly::{AnomalyKind, Severity};

/// Alerts of anomalies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertsConfig {
    /// Who is told.
    pub hooks: Vec<AlertHook>,
    /// Alerts of one hook that wait at the most.
    pub pending: u32,
    /// Attempts of one alert.
    pub attempts: u32,
    /// Wait before the second attempt; doubled each time.
    pub first_retry: Span,
    /// Longest wait between two attempts.
    pub longest_retry: Span,
}

/// How a hook wants to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookKind {
    /// An incoming webhook of Slack.
    Slack,
    /// Events of PagerDuty, version 2.
    Pagerduty,
    /// JSON of ours to any address.
    Webhook,
}

impl HookKind {
    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Pagerduty => "pagerduty",
            Self::Webhook => "webhook",
        }
    }
}

/// One receiver of alerts. Without severities or types it takes all of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertHook {
    /// Its name in the API and in logs.
    pub name: String,
    /// How it wants to be told.
    pub kind: HookKind,
    /// Where; its path often is a secret. PagerDuty has its own key for this.
    #[serde(default)]
    pub url: Option<Secret>,
    /// PagerDuty's integration key.
    #[serde(default)]
    pub routing_key: Option<Secret>,
    /// Signs the JSON of a webhook.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// How bad an anomaly must be.
    #[serde(default)]
    pub severities: Vec<Severity>,
    /// Which kinds are told.
    #[serde(default)]
    pub types: Vec<AnomalyKind>,
    /// How long nothing more is told of the same kind and flow or host.
    #[serde(default = "quiet_period")]
    pub quiet_period: Span,
    /// When alerts wait, by the clock of UTC.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// Whether anomalies of files are told too, not only those of live captures.
    #[serde(default)]
    pub files: bool,
}

fn quiet_period() -> Span {
    Span::from(Duration::from_secs(600))
}

/// A stretch of each day, minutes from midnight UTC, half open; it may pass midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Its beginning.
    pub from_minute: u16,
    /// Its end.
    pub to_minute: u16,
}

const DAY_MINUTES: u64 = 24 * 60;
const MINUTE_NS: u64 = 60_000_000_000;

impl QuietHours {
    /// How many nanoseconds of the quiet hours are left at this time; none outside them.
    #[must_use]
    pub fn left_ns(self, epoch_ns: u64) -> Option<u64> {
        let minute = (epoch_ns / MINUTE_NS) % DAY_MINUTES;
        let (from, to) = (u64::from(self.from_minute), u64::from(self.to_minute));
        let length = (to + DAY_MINUTES - from) % DAY_MINUTES;
        let since = (minute + DAY_MINUTES - from) % DAY_MINUTES;
        (since < length).then(|| (length - since) * MINUTE_NS - epoch_ns % MINUTE_NS)
    }
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let both = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
        let both = both.filter(|(from, to)| from != to);
        let (from_minute, to_minute) =
            both.ok_or_else(|| format!("`{text}` is not a stretch of the day such as `22:00-06:30`"))?;
        Ok(Self { from_minute, to_minute })
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What is wrong with the hooks.
pub(super) fn check(config: &Config) -> Vec<FieldFault> {
    let alerts = &config.alerts;
    let mut faults = Vec::new();
    let mut unless = |holds: bool, key: &str, message: String| {
        if !holds {
            faults.push(FieldFault::new(key, message));
        }
    };
    unless((1..=100_000).contains(&alerts.pending), "alerts.pending", "must be from 1 to 100000".to_owned());
    unless((1..=100).contains(&alerts.attempts), "alerts.attempts", "must be from 1 to 100".to_owned());
    unless(alerts.first_retry.nanoseconds() > 0, "alerts.first_retry", "must be longer than nothing".to_owned());
    for (number, hook) in alerts.hooks.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let named = (1..=64).contains(&hook.name.len()) && hook.name.bytes().all(plain);
        unless(named, "alerts.hooks", format!("hook {number}: `name` needs 1 to 64 letters, digits, `-` and `_`"));
        let first = alerts.hooks.iter().position(|other| other.name == hook.name) == Some(number);
        unless(first, "alerts.hooks", format!("two hooks are called `{}`", hook.name));
        if let Err(message) = complete(hook, &config.slack) {
            unless(false, "alerts.hooks", format!("hook `{}`: {message}", hook.name));
        }
    }
    faults
}

/// Whether a hook has what its kind needs.
fn complete(hook: &AlertHook, slack: &SlackConfig) -> Result<(), String> {
    if hook.kind == HookKind::Pagerduty {
        let keyed = hook.routing_key.as_ref().is_some_and(|key| !key.expose().is_empty());
        let bare = hook.url.is_none() && hook.secret.is_none();
        return match (keyed, bare) {
            (false, _) => Err("`routing_key` is missing".to_owned()),
            (true, false) => Err("takes no `url` or `secret`; see `pagerduty.base_url`".to_owned()),
            (true, true) => Ok(()),
        };
    }
    if hook.routing_key.is_some() {
        return Err("`routing_key` is PagerDuty's".to_owned());
    }
    if hook.kind == HookKind::Slack && hook.secret.is_some() {
        return Err("`secret` signs webhooks of kind `webhook` only".to_owned());
    }
    let url = hook.url.as_ref().and_then(|url| url::Url::parse(url.expose()).ok());
    let web = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    let Some(url) = web else {
        return Err("`url` must be `http://…` or `https://…` without a user".to_owned());
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if hook.kind == HookKind::Slack && !slack.allow_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        return Err(format!("the host `{host}` is not in `slack.allow_hosts`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::super::{Purpose, Sources};
    use super::*;

    fn load(hooks: &str) -> Result<Config, super::super::ConfigErrors> {
        let flags = format!("[alerts]\nhooks = [{hooks}]").parse().unwrap();
        Config::load(&Sources { flags, ..Sources::default() }, Purpose::Worker)
    }

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let hours: QuietHours = "22:00-06:30".parse().unwrap();
        let at = |hour: u64, minute: u64, second: u64| {
            let left = hours.left_ns((20_000 * DAY_MINUTES + hour * 60 + minute) * MINUTE_NS + second * 1_000_000_000);
            left.map(|left| left / 1_000_000_000)
        };
        assert_eq!(at(21, 59, 59), None);
        assert_eq!(at(22, 0, 0), Some(8 * 3600 + 1800));
        assert_eq!(at(6, 29, 59), Some(1));
        assert_eq!(at(6, 30, 0), None);
        for text in ["", "22:00", "24:00-01:00", "10:00-10:00", "a:b-c:d", "1:60-2:00"] {
            assert!(text.parse::<QuietHours>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_hook_has_what_its_kind_needs_and_its_secrets_are_never_shown() {
        let good = r#"{ name = "ops", kind = "slack", url = "https://hooks.slack.com/services/T/B/xyz" },
            { name = "duty", kind = "pagerduty", routing_key = "r0uting", severities = ["high"] },
            { name = "own", kind = "webhook", url = "http://[::1]:9/x", secret = "s1gner", types = ["port_scan"],
              quiet_period = "1m", quiet_hours = "22:00-06:00", files = true }"#;
        let config = load(good).unwrap();
        assert_eq!(config.alerts.hooks.len(), 3);
        let shown = format!("{config:?}\n{}", config.to_toml_masked());
        assert!(shown.contains("own"), "{shown}");
        for secret in ["xyz", "r0uting", "s1gner"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn incomplete_hooks_are_named() {
        for (hook, part) in [
            (r#"{ name = "a b", kind = "pagerduty", routing_key = "k" }"#, "`name` needs"),
            (r#"{ name = "a", kind = "pagerduty" }"#, "`routing_key` is missing"),
            (r#"{ name = "a", kind = "slack", url = "https://evil.example/x" }"#, "slack.allow_hosts"),
            (r#"{ name = "a", kind = "webhook" }"#, "`url` must be"),
            (r#"{ name = "a", kind = "webhook", url = "ftp://x/" }"#, "`url` must be"),
            (r#"{ name = "a", kind = "mail" }"#, "unknown variant `mail`"),
            (r#"{ name = "a", kind = "webhook", url = "http://x/", severity = ["high"] }"#, "unknown field `severity`"),
            (r#"{ name = "a", kind = "webhook", url = "http://x/", types = ["flood"] }"#, "unknown variant `flood`"),
        ] {
            let shown = load(hook).unwrap_err().to_string();
            assert!(shown.contains(part), "{hook}: {shown}");
        }
        let twice = r#"{ name = "a", kind = "pagerduty", routing_key = "k" }"#;
        assert!(load(&format!("{twice}, {twice}")).unwrap_err().to_string().contains("two hooks"));
    }
}
