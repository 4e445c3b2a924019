//! Baselines: what is usual, as stored, and made anew from the windows of a capture.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};
use trafficlab_engine::packet::export::document;
use trafficlab_shared::model::capture::baseline::BaselineKind;
use trafficlab_shared::model::capture::work::Work;

use super::jobs::{self, Pending, Waited};
use super::{files, select};
use crate::dispatch::captures::Between;
use crate::http::App;
use crate::store::Store;
use crate::store::captures::{BASELINES, Capture, JOBS_OF, StoredBaseline, WORKS};
use crate::systems::fields::Fields;
use crate::systems::time::{now, rfc3339};
use crate::systems::{Fault, Outcome};

/// All baselines there are.
#[derive(Debug, Serialize)]
pub struct BaselineList {
    /// How many.
    pub available: usize,
    /// By kind.
    pub baselines: BTreeMap<&'static str, Value>,
    /// Now.
    pub timestamp: String,
}

/// One baseline.
#[derive(Debug, Serialize)]
pub struct OneBaseline {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its figures.
    pub baseline: Value,
    /// Now.
    pub timestamp: String,
}

/// Baselines made.
#[derive(Debug, Serialize)]
pub struct Generated {
    /// Always true.
    pub success: bool,
    /// For people.
    pub message: String,
    /// One file for each kind lies here, relative to the data folder.
    pub baselines_dir: String,
    /// Whether there is one now, by kind; a kind without data has none.
    pub generated: BTreeMap<&'static str, bool>,
    /// Seconds it took.
    pub generation_time: f64,
    /// Now.
    pub timestamp: String,
    /// The capture whose windows they are of.
    pub capture: String,
    /// The job that made them.
    pub job: Option<String>,
    /// Whether they were there before the request.
    pub computed_before: bool,
}

/// The stored baselines in the order of the document; only those of one capture when it is named.
fn stored(store: &Store, capture: Option<&str>) -> Outcome<Vec<(BaselineKind, StoredBaseline)>> {
    if let Some(id) = capture {
        select::readable(store, Some(id))?;
    }
    let mut found = Vec::new();
    for kind in BaselineKind::ALL {
        let row = BASELINES.get(store, &kind.as_str().to_owned())?;
        found.extend(row.filter(|row| capture.is_none_or(|id| row.capture == id)).map(|row| (kind, row)));
    }
    Ok(found)
}

/// A baseline as it is shown and written to its file.
#[must_use]
pub fn shown(stored: &StoredBaseline) -> Value {
    let mut value = document::baseline(&stored.baseline);
    if let Value::Object(members) = &mut value {
        members.insert("capture".to_owned(), stored.capture.clone().into());
        members.insert("created_at".to_owned(), rfc3339(stored.created_ns).into());
    }
    value
}

/// All of them.
///
/// # Errors
/// 404 for an unknown capture.
pub fn list(store: &Store, capture: Option<&str>) -> Outcome<BaselineList> {
    let found = stored(store, capture)?;
    let baselines: BTreeMap<_, _> = found.iter().map(|(kind, stored)| (kind.as_str(), shown(stored))).collect();
    Ok(BaselineList { available: baselines.len(), baselines, timestamp: now() })
}

/// The one of a kind.
///
/// # Errors
/// 404 with the document's body.
pub fn one(store: &Store, capture: Option<&str>, word: &str) -> Outcome<OneBaseline> {
    let found = stored(store, capture)?.into_iter().find(|(kind, _)| kind.as_str() == word);
    let (kind, stored) = found.ok_or_else(|| {
        let shown: String = word.chars().take(64).collect();
        Fault::not_found("Baseline not found").with("type", shown)
    })?;
    Ok(OneBaseline { kind: kind.as_str(), baseline: shown(&stored), timestamp: now() })
}

/// The main figures of all of them, null where there is none.
///
/// # Errors
/// 404 for an unknown capture.
pub fn stats(store: &Store, capture: Option<&str>) -> Outcome<Value> {
    let found = stored(store, capture)?;
    let figures = |kind: BaselineKind, unit: &str| {
        let of = found.iter().find(|(known, _)| *known == kind).map(|(_, stored)| shown(stored)).unwrap_or_default();
        let figure = |name: &str| (format!("{name}_{unit}"), of.get(name).cloned().unwrap_or_default());
        Value::Object(["mean", "median", "max", "min", "p95", "p99"].map(figure).into_iter().collect())
    };
    let protocol = found.iter().find(|(kind, _)| *kind == BaselineKind::Protocol);
    let shares = protocol.into_iter().flat_map(|(_, stored)| &stored.baseline.further);
    let distribution: Map<String, Value> = shares.map(|(name, share)| (name.clone(), share.mean.into())).collect();
    Ok(json!({
        "baseline_stats": {
            "bandwidth": figures(BaselineKind::Bandwidth, "bps"),
            "latency": figures(BaselineKind::Latency, "rtt"),
            "protocol": {"distribution": distribution},
            "connection": figures(BaselineKind::Connection, "connections"),
        },
        "timestamp": now(),
    }))
}

/// What to make.
#[derive(Debug, Clone)]
pub struct Asked {
    force: bool,
    kinds: Vec<BaselineKind>,
}

impl Asked {
    /// Reads the body.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn read(body: &Map<String, Value>) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fields = Fields::new(body, "", &mut faults);
        let force = fields.flag("force").unwrap_or(false);
        let kinds = match fields.list("types", 64) {
            None => BaselineKind::ALL.to_vec(),
            Some(words) => words.iter().filter_map(|word| kind(&mut fields, word)).collect(),
        };
        if kinds.is_empty() && faults.is_empty() {
            return Err(Fault::field("types", "names no baseline"));
        }
        if faults.is_empty() { Ok(Self { force, kinds }) } else { Err(Fault::validation(faults)) }
    }
}

fn kind(fields: &mut Fields<'_, '_>, word: &Value) -> Option<BaselineKind> {
    let found = BaselineKind::ALL.into_iter().find(|kind| word.as_str() == Some(kind.as_str()));
    if found.is_none() {
        fields.fault("types", format!("{word} is none of `bandwidth`, `latency`, `protocol`, `connection`"));
    }
    found
}

/// Makes baselines from the windows of a capture, unless those there are were made of them.
///
/// # Errors
/// 400 with the document's sentence when there are no windows; 503 without a broker.
pub async fn generate(
    app: &Arc<App>,
    asked: &Asked,
    capture: Option<&str>,
    patience: Duration,
) -> Outcome<Waited<Generated>> {
    let capture = jobs::with_windows(app.store(), capture)?;
    let job = begin(app, &capture, asked).await?;
    if let Some(job) = &job
        && let Some(pending) = jobs::wait(app, job, patience).await?
    {
        return Ok(Waited::Pending(Pending { progress: 0.0, ..pending }));
    }
    files::settle_baselines(app).await?;
    let row = job.as_deref().map(|job| jobs::row(app.store(), job)).transpose()?.flatten();
    let found = stored(app.store(), Some(&capture.id))?;
    let is_there = |kind: &BaselineKind| found.iter().any(|(known, _)| known == kind);
    Ok(Waited::Done(Generated {
        success: true,
        message: "Baselines generated successfully".to_owned(),
        baselines_dir: files::BASELINES_FOLDER.to_owned(),
        generated: asked.kinds.iter().map(|kind| (kind.as_str(), is_there(kind))).collect(),
        generation_time: jobs::seconds(row.as_ref()),
        timestamp: now(),
        capture: capture.id,
        computed_before: job.is_none(),
        job,
    }))
}

/// The job that makes them: an equal one under way, a new one, or none when they are there.
async fn begin(app: &Arc<App>, capture: &Capture, asked: &Asked) -> Outcome<Option<String>> {
    let _one_at_a_time = app.analyzer.starting.lock().await;
    let found = stored(app.store(), Some(&capture.id))?;
    let current = |kind: &BaselineKind| {
        let made = |(known, stored): &(BaselineKind, StoredBaseline)| {
            known == kind && capture.ended_ns.is_some_and(|ended| stored.created_ns >= ended)
        };
        found.iter().any(made)
    };
    if !asked.force && asked.kinds.iter().all(current) {
        return Ok(None);
    }
    if let Some(job) = under_way(app.store(), capture, &asked.kinds)? {
        return Ok(Some(job));
    }
    jobs::may_begin(app).await?;
    let job =
        app.dispatch.begin_on(&capture.id, Work::Baseline { kinds: asked.kinds.clone() }, Between::default()).await?;
    tracing::info!(target: "analysis", capture = %capture.id, %job, "baselines are asked for");
    Ok(Some(job))
}

fn under_way(store: &Store, capture: &Capture, kinds: &[BaselineKind]) -> Outcome<Option<String>> {
    for row in JOBS_OF.scan_prefix(store, &capture.id, true) {
        let ((_, job), ()) = row?;
        let open = jobs::row(store, &job)?.is_some_and(|row| !row.state.is_over());
        let same = |work: &Work| matches!(work, Work::Baseline { kinds: asked } if asked == kinds);
        if open && WORKS.get(store, &job)?.is_some_and(|known| same(&known.work)) {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::store::Batch;
    use trafficlab_shared::model::capture::baseline::{Baseline, Figures};

    #[test]
    fn figures_of_missing_baselines_are_null_and_an_unknown_kind_is_not_found() {
        let store = Store::in_memory().unwrap();
        assert_eq!(list(&store, None).unwrap().available, 0);
        let empty = stats(&store, None).unwrap();
        assert_eq!(empty["baseline_stats"]["bandwidth"]["mean_bps"], Value::Null);
        let missing = one(&store, None, "bandwidth").unwrap_err();
        assert_eq!((missing.message.as_str(), &missing.extra["type"]), ("Baseline not found", &json!("bandwidth")));
        let share = Figures { windows: 3, mean: 60.0, ..Figures::default() };
        let main = Figures { windows: 3, mean: 9500.0, p95: 15000.0, ..Figures::default() };
        let mut batch = Batch::new();
        for kind in [BaselineKind::Bandwidth, BaselineKind::Protocol] {
            let baseline = Baseline { kind, main, further: [("tcp".to_owned(), share)].into() };
            let row = StoredBaseline { baseline, capture: "c".into(), created_ns: 1 };
            BASELINES.put(&mut batch, &kind.as_str().to_owned(), &row).unwrap();
        }
        store.apply(batch).unwrap();
        let found = stats(&store, None).unwrap();
        assert_eq!(found["baseline_stats"]["bandwidth"]["p95_bps"], 15000.0);
        assert_eq!(found["baseline_stats"]["protocol"]["distribution"]["tcp"], 60.0);
        assert_eq!(one(&store, None, "protocol").unwrap().baseline["mean"], 9500.0);
        assert!(list(&store, Some("unknown")).is_err());
    }

    #[test]
    fn unknown_kinds_are_named() {
        let read = |body: Value| Asked::read(body.as_object().unwrap());
        assert_eq!(read(json!({})).unwrap().kinds.len(), 4);
        assert_eq!(read(json!({"types": ["latency"]})).unwrap().kinds, [BaselineKind::Latency]);
        assert!(read(json!({"types": ["latency", "weather"]})).unwrap_err().message.contains("weather"));
        assert!(read(json!({"types": []})).is_err());
        assert!(read(json!({"types": "all"})).is_err());
    }
}
