//! The packet analyzer: captures in, windows, connections, anomalies and baselines out.
//!
//! `file` reads packets, `decode` says what their headers hold, `flow` and `tcp` follow connections, `window` measures
//! slices of time, `scan`, `baseline` and `anomaly` judge them. `analyzer` puts them together; `wire` holds the figures
//! to compare with tshark.

pub mod analyzer;
pub mod anomaly;
pub mod baseline;
pub mod connection;
pub mod craft;
pub mod decode;
pub mod decoded;
pub mod export;
pub mod file;
mod flow;
pub mod link;
mod measure;
pub mod pack;
pub mod raw;
mod scan;
mod service;
pub mod tcp;
pub mod window;
pub mod wire;
pub use analyzer::analyze;
