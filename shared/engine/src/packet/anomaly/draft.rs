//! The common part of anomalies.

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::window::Window;

use super::usual::{Usual, rounded};

/// Packets a window needs before its rates and mix are compared with others.
pub(super) const ENOUGH_PACKETS: u64 = 100;

/// What all kinds of anomalies say.
pub(super) struct Draft {
    pub(super) kind: AnomalyKind,
    pub(super) high: bool,
    pub(super) metric: &'static str,
    pub(super) value: f64,
    pub(super) threshold: f64,
    pub(super) usual: Option<Usual>,
    pub(super) message: String,
}

impl Draft {
    /// The anomaly of a window, about no flow in particular.
    pub(super) fn of(self, window: &Window) -> Anomaly {
        let fixed = || BaselineUsed { source: "fixed".to_owned(), median: None, mad: None, windows: None };
        Anomaly {
            kind: self.kind,
            severity: if self.high { Severity::High } else { Severity::Medium },
            window_index: window.index,
            start_ns: window.start_ns,
            end_ns: window.end_ns,
            message: self.message,
            metric: self.metric.to_owned(),
            current_value: rounded(self.value),
            threshold: rounded(self.threshold),
            baseline: self.usual.as_ref().map_or_else(fixed, Usual::told),
            flow_src: None,
            flow_dst: None,
            protocol: None,
        }
    }
}

/// The greatest of some limits.
pub(super) fn highest<const N: usize>(limits: [f64; N]) -> f64 {
    limits.into_iter().fold(f64::NEG_INFINITY, f64::max)
}
