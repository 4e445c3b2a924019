//! What is measured of captured packets: windows, anomalies, baselines, connections, and what to analyse.

pub mod anomaly;
pub mod baseline;
pub mod connection;
pub mod counts;
pub mod settings;
pub mod summary;
pub mod window;
pub mod work;
