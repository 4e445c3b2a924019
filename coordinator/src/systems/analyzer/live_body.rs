//! What a live capture is asked to do.

use serde_json::{Map, Value};
use trafficlab_shared::model::capture::work::{KeepSpec, LiveSpec};

use super::compute::window_ns;
use super::output;
use crate::systems::fields::Fields;
use crate::systems::time::whole;
use crate::systems::{Fault, Outcome};

/// The longest capture that can be asked for; one without a duration runs until it is stopped.
const MOST_SECONDS: f64 = 31_536_000.0;
/// Files of a ring unless said otherwise, and bytes of each.
const KEPT_FILES: u64 = 10;
const KEPT_BYTES: u64 = 100 << 20;

/// What to capture.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub(super) spec: LiveSpec,
    pub(super) interface: Option<String>,
    pub(super) output_file: Option<String>,
    pub(super) duration: Option<f64>,
    pub(super) window_ns: Option<u64>,
    pub(super) host: Option<String>,
}

impl Asked {
    /// Reads the body.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn read(body: &Map<String, Value>) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fields = Fields::new(body, "", &mut faults);
        let text = |fields: &mut Fields<'_, '_>, key, most| fields.text(key, most).map(str::to_owned);
        let duration = fields.number_above("duration", 0.0, MOST_SECONDS);
        let spec = LiveSpec {
            filter: text(&mut fields, "filter", 4096).unwrap_or_default(),
            snap_length: fields
                .whole("snap_length", 64..=262_144)
                .and_then(|bytes| u32::try_from(bytes).ok())
                .unwrap_or(0),
            payload: fields.flag("payload").unwrap_or(false),
            promiscuous: fields.flag("promiscuous").unwrap_or(false),
            immediate: fields.flag("immediate").unwrap_or(false),
            duration_ms: duration.map(|seconds| whole(seconds * 1000.0).max(1)),
            keep: keep(&mut fields),
            ..LiveSpec::default()
        };
        let asked = Self {
            interface: text(&mut fields, "interface", 64),
            output_file: text(&mut fields, "output_file", 255),
            window_ns: window_ns(&mut fields),
            host: text(&mut fields, "host", 255),
            duration,
            spec,
        };
        asked.output_file.as_deref().map_or(Ok(()), output::check)?;
        if faults.is_empty() { Ok(asked) } else { Err(Fault::validation(faults)) }
    }
}

/// `true`, or the ring's size.
fn keep(fields: &mut Fields<'_, '_>) -> Option<KeepSpec> {
    let spec = |files: u64, file_bytes: u64| KeepSpec { file_bytes, files: u32::try_from(files).unwrap_or(u32::MAX) };
    match fields.get("keep")? {
        Value::Bool(false) => None,
        Value::Bool(true) => Some(spec(KEPT_FILES, KEPT_BYTES)),
        Value::Object(members) => {
            let path = fields.path_of("keep");
            let mut inner = Fields::new(members, path, fields.faults());
            let files = inner.whole("files", 1..=10_000).unwrap_or(KEPT_FILES);
            Some(spec(files, inner.whole("file_bytes", 65_536..=(1 << 40)).unwrap_or(KEPT_BYTES)))
        }
        _ => {
            fields.fault("keep", "must be true, false, or an object with `files` and `file_bytes`");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_are_read_whole_and_mistakes_named() {
        let read = |body: Value| Asked::read(body.as_object().unwrap());
        let body = json!({"interface": "eth0", "output_file": "logs/live.jsonl", "duration": 300, "filter": "tcp",
            "snap_length": 128, "payload": true, "keep": {"files": 3}});
        let asked = read(body).unwrap();
        assert_eq!(asked.spec.duration_ms, Some(300_000));
        assert_eq!(asked.spec.keep, Some(KeepSpec { files: 3, file_bytes: KEPT_BYTES }));
        assert_eq!((asked.spec.snap_length, asked.spec.payload, asked.spec.promiscuous), (128, true, false));
        let wrong = json!({"interface": 7, "duration": 0, "filter": [], "snap_length": 1, "keep": 3, "host": {}});
        assert_eq!(read(wrong).unwrap_err().details.len(), 6);
        assert!(read(json!({"output_file": "../x"})).is_err());
        assert!(read(json!({"duration": -1})).is_err());
    }
}
