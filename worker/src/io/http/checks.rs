//! Response checks: what a campaign calls a success.

/// Conditions on a response; with none of them, 2xx and 3xx are a success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseChecks {
    /// The permitted status codes; empty for no condition.
    pub statuses: Vec<u16>,
    /// A text the body must contain within its first MiB.
    pub body_contains: Option<String>,
    /// The longest response time from the intended moment, in nanoseconds.
    pub max_latency_ns: Option<u64>,
}

impl ResponseChecks {
    /// Whether any condition is set.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.statuses.is_empty() || self.body_contains.is_some() || self.max_latency_ns.is_some()
    }

    /// Whether a response keeps every condition.
    pub(super) fn hold(&self, status: u16, body: &[u8], latency_ns: u64) -> bool {
        let status_fits = self.statuses.is_empty() || self.statuses.contains(&status);
        let body_fits = self.body_contains.as_ref().is_none_or(|text| contains(body, text.as_bytes()));
        status_fits && body_fits && self.max_latency_ns.is_none_or(|longest| latency_ns <= longest)
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_counts() {
        let checks =
            ResponseChecks { statuses: vec![200, 404], body_contains: Some("ok".into()), max_latency_ns: Some(10) };
        assert!(checks.any() && checks.hold(404, b"it is ok", 10));
        assert!(!checks.hold(500, b"ok", 1));
        assert!(!checks.hold(200, b"no", 1));
        assert!(!checks.hold(200, b"", 1));
        assert!(!checks.hold(200, b"ok", 11));
        assert!(!ResponseChecks::default().any());
    }
}
