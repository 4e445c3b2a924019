//! The API's objects, one a line: what `metrics.jsonl` and `anomalies.jsonl` hold.

use std::borrow::Borrow;
use std::io::{Error, Result, Write};

use serde_json::Value;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::document;

/// Writes windows with their ids.
///
/// # Errors
/// What the writer says.
pub fn windows<W: Borrow<Window>>(mut out: impl Write, windows: impl IntoIterator<Item = (u64, W)>) -> Result<()> {
    windows.into_iter().try_for_each(|(id, window)| line(&mut out, &document::window(window.borrow(), id)))
}

/// Writes anomalies.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(mut out: impl Write, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    anomalies.into_iter().try_for_each(|anomaly| line(&mut out, &document::anomaly(anomaly.borrow())))
}

/// Writes connections.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(mut out: impl Write, connections: impl IntoIterator<Item = C>) -> Result<()> {
    connections.into_iter().try_for_each(|connection| line(&mut out, &document::connection(connection.borrow())))
}

/// One value and a line break.
pub(super) fn line(out: &mut impl Write, value: &Value) -> Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(Error::from)?;
    out.write_all(b"\n")
}
