//! What is known to be in the files, so that only what is missing is written.

use std::collections::HashMap;

/// What was written since the process started.
#[derive(Debug, Default)]
pub struct Ledger {
    captures: HashMap<String, Written>,
    /// When the baseline was made whose file is there, by kind.
    pub(super) baselines: HashMap<String, u64>,
}

/// Lines in the files of one capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Windows in the file; none when nobody has looked yet.
    pub(super) windows: Option<u64>,
    /// The job whose anomalies are in the file, and how many.
    pub(super) anomalies: Option<(String, u64)>,
}

impl Ledger {
    pub(super) fn of(&mut self, capture: &str) -> &mut Written {
        self.captures.entry(capture.to_owned()).or_default()
    }

    /// A capture is gone, and its files with it.
    pub fn forget(&mut self, capture: &str) {
        self.captures.remove(capture);
    }
}
