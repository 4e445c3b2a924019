//! The packet analyzer: captures in, windows, connections, anomalies and baselines out.
//!
//! `file` reads packets, `decode` says what their headers hold, `flow` and `tcp` follow connections, `window` measures
//! slices of time, `scan`, `baseline` and `anomaly` judge them. `analyzer` puts them together; `wire` holds the figures
//! to compare with tshark.

pub mod decoded;
pub mod raw;
