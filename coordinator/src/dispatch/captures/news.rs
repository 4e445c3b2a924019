//! What changed of captures, for everybody in this process who wants to know at once.

use crate::store::captures::{CaptureState, Gap};

/// News of one capture, told after the commit that made it true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureNews {
    /// Windows `from..next` are stored.
    Windows {
        /// The capture.
        capture: String,
        /// Id of the first.
        from: u64,
        /// The id behind the last.
        next: u64,
    },
    /// Anomalies `from..next` of `job` are stored and count. A detection that replaces another tells from 0.
    Anomalies {
        /// The capture.
        capture: String,
        /// The job that found them, the first part of their keys.
        job: String,
        /// Number of the first.
        from: u64,
        /// The number behind the last.
        next: u64,
    },
    /// The capture stands elsewhere.
    State {
        /// The capture.
        capture: String,
        /// Its new state.
        state: CaptureState,
    },
    /// A live capture took nothing for a while.
    Gap {
        /// The capture.
        capture: String,
        /// When and why.
        gap: Gap,
    },
    /// The capture is gone.
    Removed {
        /// The capture.
        capture: String,
    },
}

impl CaptureNews {
    /// The capture it is about.
    #[must_use]
    pub fn capture(&self) -> &str {
        match self {
            Self::Windows { capture, .. }
            | Self::Anomalies { capture, .. }
            | Self::State { capture, .. }
            | Self::Gap { capture, .. }
            | Self::Removed { capture } => capture,
        }
    }
}
