//! One JSON object with everything. Fields are added, never renamed: `schema_version` says so.

use std::io::{Error, Result, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq as _, Serializer as _};
use serde_json::Value;
use trafficlab_engine::packet::export::document;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;

/// Version of the object; it grows when a field is renamed or means something else.
const SCHEMA_VERSION: u32 = 1;

/// What the object is made of.
pub(super) struct Parts<'a> {
    /// The capture as it was named.
    pub(super) file: &'a str,
    /// Its length, of ordinary files.
    pub(super) file_bytes: Option<u64>,
    /// Figures of the whole.
    pub(super) summary: &'a Summary,
    /// Windows in the order of time.
    pub(super) windows: &'a [Window],
    /// What is strange in them.
    pub(super) anomalies: &'a [Anomaly],
}

/// Writes the object, with `wire` as its last member, and a line break. Windows are made one by one: there may be a
/// hundred thousand.
pub(super) fn write(out: &mut (impl Write + ?Sized), parts: &Parts<'_>, wire: &impl Serialize) -> Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut *out);
    let mut object = serializer.serialize_map(None).map_err(Error::from)?;
    let windows = Each(|| (0_u64..).zip(parts.windows).map(|(id, window)| document::window(window, id)));
    let anomalies = Each(|| parts.anomalies.iter().map(document::anomaly));
    let written = object
        .serialize_entry("schema_version", &SCHEMA_VERSION)
        .and_then(|()| object.serialize_entry("version", env!("CARGO_PKG_VERSION")))
        .and_then(|()| object.serialize_entry("file", parts.file))
        .and_then(|()| object.serialize_entry("file_bytes", &parts.file_bytes))
        .and_then(|()| object.serialize_entry("summary", &document::summary(parts.summary)))
        .and_then(|()| object.serialize_entry("windows", &windows))
        .and_then(|()| object.serialize_entry("anomalies", &anomalies))
        .and_then(|()| object.serialize_entry("wire", wire))
        .and_then(|()| SerializeMap::end(object));
    written.map_err(Error::from)?;
    out.write_all(b"\n")
}

/// An array whose members are made while it is written.
struct Each<F>(F);

impl<I: Iterator<Item = Value>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        (self.0)().try_for_each(|value| sequence.serialize_element(&value))?;
        sequence.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::analyze::table::samples;
    use serde_json::json;

    #[test]
    fn the_object_has_its_members() {
        let sample = samples::report();
        let wire = json!({"packets": 3});
        let parts = Parts {
            file: "x.pcap",
            file_bytes: Some(7),
            summary: &sample.summary,
            windows: &sample.windows,
            anomalies: &sample.anomalies,
        };
        let mut out = Vec::new();
        write(&mut out, &parts, &wire).unwrap();
        assert!(out.ends_with(b"}\n"));
        let shown: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            (&shown["schema_version"], &shown["file"], &shown["file_bytes"]),
            (&json!(1), &json!("x.pcap"), &json!(7))
        );
        assert_eq!(
            (&shown["wire"]["packets"], &shown["summary"]["packets"]),
            (&json!(3), &json!(sample.summary.packets))
        );
        let ids: Vec<u64> =
            shown["windows"].as_array().unwrap().iter().map(|of| of["window_id"].as_u64().unwrap()).collect();
        assert!(ids.iter().copied().eq(0..sample.windows.len().try_into().unwrap()));
        assert_eq!(shown["anomalies"].as_array().unwrap().len(), sample.anomalies.len());
    }
}
