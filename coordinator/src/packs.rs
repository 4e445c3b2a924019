//! Packs of windows, anomalies and connections as the engine writes them; no bytes are an empty pack.

use bytes::Bytes;
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

pub use pack::PackFault;

fn unless_empty<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> Result<Vec<T>, PackFault>) -> Result<Vec<T>, PackFault> {
    if bytes.is_empty() { Ok(Vec::new()) } else { read(bytes) }
}

/// The windows of a pack.
///
/// # Errors
/// When the bytes are no such pack.
pub fn windows(bytes: &[u8]) -> Result<Vec<Window>, PackFault> {
    unless_empty(bytes, pack::read_windows)
}

/// The anomalies of a pack.
///
/// # Errors
/// As [`windows`].
pub fn anomalies(bytes: &[u8]) -> Result<Vec<Anomaly>, PackFault> {
    unless_empty(bytes, pack::read_anomalies)
}

/// The connections of a pack.
///
/// # Errors
/// As [`windows`].
pub fn connections(bytes: &[u8]) -> Result<Vec<Connection>, PackFault> {
    unless_empty(bytes, pack::read_connections)
}

/// Windows as a pack, for jobs that are given windows.
#[must_use]
pub fn write_windows(windows: &[Window]) -> Bytes {
    pack::windows(windows)
}
