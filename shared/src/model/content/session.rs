//! `config.sessions`: visitors who see several pages with think times between them.

mod pages;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::pages::{MAX_PAGES, PageSpec};
use super::fields::{Faults, ObjectReader, Range};
use crate::error::FieldFault;
use crate::model::arrivals::MICROS_PER_REQUEST;

/// The longest mean think time in seconds.
const MAX_THINK_TIME: f64 = 3_600.0;
/// The highest mean number of pages; a session never has more than twice as many.
const MAX_MEAN_PAGES: f64 = 32.0;

/// The longest beat in seconds.
const MAX_BEAT_S: u32 = 3_600;
/// The rate of one request a second, in millionths of a request per minute.
const ONE_A_SECOND: u64 = 60 * MICROS_PER_REQUEST;

/// How visitors move through a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionsSpec {
    /// Mean seconds between two page views of a visitor, from 1.
    pub think_time: f64,
    /// Mean number of page views of a session, from 1.
    pub pages: f64,
    /// Pages of the site; without any, requests keep their own path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PageSpec>,
    /// Seconds in which about one visitor comes; 1 unless arrivals are rarer. Set when a run starts.
    pub beat_s: u32,
}

impl Default for SessionsSpec {
    fn default() -> Self {
        Self { think_time: 8.0, pages: 4.0, paths: Vec::new(), beat_s: 1 }
    }
}

impl SessionsSpec {
    /// Fits the sessions to the arrivals: `peak` is in millionths of a request per minute and shard.
    ///
    /// With rare arrivals most seconds are empty, and a visitor who is due in one of them would not be seen. Time is
    /// then counted in beats of several seconds, so that about one arrival falls into each.
    pub fn fit(&mut self, peak: u64) {
        let gap_s = ONE_A_SECOND / peak.max(1);
        self.beat_s = u32::try_from(gap_s).unwrap_or(MAX_BEAT_S).clamp(1, MAX_BEAT_S);
    }
}

/// Reads `config.sessions`: `true`, or an object; absent and `false` mean that every request is a visitor of its own.
///
/// # Errors
/// One fault per wrong field.
pub fn parse(config: &Value, path: &str) -> Result<Option<SessionsSpec>, Vec<FieldFault>> {
    let mut faults = Faults::default();
    let path = format!("{path}.sessions");
    let found = match config.get("sessions") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(SessionsSpec::default()),
        Some(Value::Object(map)) => Some(object(map, &path, &mut faults)),
        Some(_) => {
            faults.add(path, "must be true, false or an object");
            None
        }
    };
    faults.finish(found)
}

fn object(map: &Map<String, Value>, path: &str, faults: &mut Faults) -> SessionsSpec {
    let default = SessionsSpec::default();
    let mut reader = ObjectReader::new(map, path);
    let think_time = reader.number(&["think_time"], Range::new(1.0, MAX_THINK_TIME), faults);
    let pages = reader.number(&["pages"], Range::new(1.0, MAX_MEAN_PAGES), faults);
    let paths = pages::read(&mut reader, faults);
    reader.finish(faults);
    SessionsSpec {
        think_time: think_time.unwrap_or(default.think_time),
        pages: pages.unwrap_or(default.pages),
        paths,
        ..default
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn all_forms_are_read() {
        let read = |sessions: Value| parse(&json!({ "sessions": sessions }), "config").unwrap();
        assert_eq!(read(json!(null)), None);
        assert_eq!(read(json!(false)), None);
        assert_eq!(read(json!(true)), Some(SessionsSpec::default()));
        let found = read(json!({"think_time": 2.5, "pages": 3, "paths": [
            "/a", {"path": "/b/{{random_int:1,9}}?q={{country}}", "weight": 4, "entry": true}]}));
        let found = found.unwrap();
        assert!((found.think_time - 2.5).abs() < 1e-9 && (found.pages - 3.0).abs() < 1e-9);
        let expected = PageSpec { path: "/a".into(), weight: 1.0, entry: false };
        assert_eq!(found.paths[0], expected);
        assert!(found.paths[1].entry && (found.paths[1].weight - 4.0).abs() < 1e-9);
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (json!(5), "config.sessions"),
            (json!({"think_time": 0.5}), "config.sessions.think_time"),
            (json!({"pages": 0}), "config.sessions.pages"),
            (json!({"page": 2}), "config.sessions.page"),
            (json!({"paths": "/a"}), "config.sessions.paths"),
            (json!({"paths": ["a"]}), "config.sessions.paths[0]"),
            (json!({"paths": ["/a b"]}), "config.sessions.paths[0]"),
            (json!({"paths": ["/ä"]}), "config.sessions.paths[0]"),
            (json!({"paths": ["/{{slot}}"]}), "config.sessions.paths[0]"),
            (json!({"paths": ["/{{nothing}}"]}), "config.sessions.paths[0]"),
            (json!({"paths": ["/a", {"path": "/b", "weight": 0}]}), "config.sessions.paths[1].weight"),
            (json!({"paths": [{"weight": 1}]}), "config.sessions.paths[0].path"),
            (json!({"paths": [{"path": "/b", "entry": 1}]}), "config.sessions.paths[0].entry"),
        ];
        for (value, field) in cases {
            let faults = parse(&json!({ "sessions": value }), "config").unwrap_err();
            assert_eq!(faults[0].field, field, "{value}");
        }
    }

    #[test]
    fn beats_grow_with_the_gaps_between_arrivals() {
        let beat = |requests_per_hour: u64| {
            let mut spec = SessionsSpec::default();
            spec.fit(requests_per_hour * MICROS_PER_REQUEST / 60);
            spec.beat_s
        };
        assert_eq!([360_000, 3_600, 1_801, 1_800, 600, 1, 0].map(beat), [1, 1, 1, 2, 6, 3_600, 3_600]);
    }
}
