//! Values of one kind in packs that fit into records.

use serde::Serialize;
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::teller::{Found, Packed};

/// A pack stays below this many bytes where its members allow.
const PACK_BYTES: usize = 60 * 1024;

/// Windows, one pack a record.
pub(super) fn windows(items: &[Window]) -> impl Iterator<Item = Found> {
    in_packs(items).map(|windows| Found { windows, ..Found::default() })
}

/// Anomalies, likewise.
pub(super) fn anomalies(items: &[Anomaly]) -> impl Iterator<Item = Found> {
    in_packs(items).map(|anomalies| Found { anomalies, ..Found::default() })
}

/// Connections, likewise.
pub(super) fn connections(items: &[Connection]) -> impl Iterator<Item = Found> {
    in_packs(items).map(|connections| Found { connections, ..Found::default() })
}

/// What was found in one moment: the first packs of the kinds share a record, and so on.
pub(super) fn together(windows: &[Window], anomalies: &[Anomaly], connections: &[Connection]) -> Vec<Found> {
    let (mut windows, mut anomalies, mut connections) = (in_packs(windows), in_packs(anomalies), in_packs(connections));
    let mut records = Vec::new();
    loop {
        let (window, anomaly, connection) = (windows.next(), anomalies.next(), connections.next());
        if window.is_none() && anomaly.is_none() && connection.is_none() {
            return records;
        }
        records.push(Found {
            windows: window.unwrap_or_default(),
            anomalies: anomaly.unwrap_or_default(),
            connections: connection.unwrap_or_default(),
        });
    }
}

fn in_packs<T: Serialize>(items: &[T]) -> impl Iterator<Item = Packed> + use<T> {
    let packs = pack::batches(items, PACK_BYTES).into_iter();
    packs.map(|pack| Packed { count: u32::try_from(pack.count).unwrap_or(u32::MAX), bytes: pack.bytes })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn everything_of_a_moment_is_in_its_records_once() {
        let windows: Vec<Window> = (0..3).map(|index| Window { index, ..Window::default() }).collect();
        let records = together(&windows, &[], &[]);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].windows.count, 3);
        assert_eq!(records[0].anomalies, Packed::default());
        assert_eq!(pack::read_windows(&records[0].windows.bytes).unwrap(), windows);
        assert!(together(&[], &[], &[]).is_empty());
    }
}
