//! Stored anomalies: lists, groups, those of a window, the most frequent.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;
use trafficlab_engine::packet::export::document;
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, Severity};

use super::filter::{Asked, Filter};
use super::page::Page;
use super::{metrics, select};
use crate::http::App;
use crate::store::Store;
use crate::store::captures::{ANOMALIES, Capture};
use crate::systems::Outcome;

/// The anomalies of a capture that count, in the order they were found.
pub fn of<'a>(store: &'a Store, capture: &Capture) -> impl Iterator<Item = Outcome<Anomaly>> + 'a {
    let job = capture.anomaly_job.clone();
    let most = usize::try_from(capture.anomalies).unwrap_or(usize::MAX);
    let rows = job.map(|job| ANOMALIES.scan_prefix(store, &job, false));
    rows.into_iter().flatten().take(most).map(|row| Ok(row?.1))
}

/// A page of anomalies.
#[derive(Debug, Serialize)]
pub struct AnomalyPage {
    /// Anomalies in it.
    pub count: usize,
    /// Anomalies that fit the filters.
    pub total: u64,
    /// As asked for.
    pub offset: u64,
    /// As asked for.
    pub limit: u64,
    /// As asked for.
    pub filters: BTreeMap<&'static str, Option<String>>,
    /// The capture.
    pub capture: Option<String>,
    /// Whether more may come.
    pub partial: bool,
    /// In the order they were found.
    pub anomalies: Vec<Value>,
}

/// A page of a capture's anomalies. Blocks.
///
/// # Errors
/// 404 for an unknown capture, 409 for a file that is not analysed yet.
pub fn list(app: &App, capture: Option<&str>, asked: &Asked, page: Page) -> Outcome<AnomalyPage> {
    let filter = Filter::read(asked)?;
    let capture = select::readable(app.store(), capture)?;
    let (mut total, mut anomalies) = (0_u64, Vec::new());
    for anomaly in capture.iter().flat_map(|capture| of(app.store(), capture)) {
        let anomaly = anomaly?;
        if filter.anomaly(&anomaly) {
            if total >= page.offset && anomalies.len() < page.size() {
                anomalies.push(document::anomaly(&anomaly));
            }
            total += 1;
        }
    }
    Ok(AnomalyPage {
        count: anomalies.len(),
        total,
        offset: page.offset,
        limit: page.limit,
        filters: filters(asked),
        partial: capture.as_ref().is_some_and(select::is_partial),
        capture: capture.map(|capture| capture.id),
        anomalies,
    })
}

/// The filters as asked for: the document's always, ours when they are there.
fn filters(asked: &Asked) -> BTreeMap<&'static str, Option<String>> {
    let ours = [("from", &asked.from), ("to", &asked.to), ("host", &asked.host), ("protocol", &asked.protocol)];
    let ours = ours.into_iter().filter(|(_, word)| word.is_some());
    [("type", &asked.kind), ("severity", &asked.severity)]
        .into_iter()
        .chain(ours)
        .map(|(name, word)| (name, word.clone()))
        .collect()
}

/// Anomalies of one kind.
#[derive(Debug, Default, Serialize)]
pub struct KindCount {
    /// All.
    pub count: u64,
    /// By severity.
    pub by_severity: BTreeMap<&'static str, u64>,
}

/// Anomalies by kind; kinds without any are left out.
#[derive(Debug, Default, Serialize)]
pub struct ByType {
    /// All.
    pub total: u64,
    /// By kind.
    pub by_type: BTreeMap<&'static str, KindCount>,
    /// The capture.
    pub capture: Option<String>,
}

/// Counts a capture's anomalies by kind. Blocks.
///
/// # Errors
/// As `list`.
pub fn by_type(app: &App, capture: Option<&str>) -> Outcome<ByType> {
    let Some(capture) = select::readable(app.store(), capture)? else {
        return Ok(ByType::default());
    };
    let mut counts = ByType { capture: Some(capture.id.clone()), ..ByType::default() };
    for anomaly in of(app.store(), &capture) {
        let anomaly = anomaly?;
        counts.total += 1;
        let of_kind = counts.by_type.entry(anomaly.kind.as_str()).or_default();
        of_kind.count += 1;
        *of_kind.by_severity.entry(anomaly.severity.as_str()).or_default() += 1;
    }
    Ok(counts)
}

/// The anomalies of one window.
#[derive(Debug, Serialize)]
pub struct OfWindow {
    /// The window.
    pub window_id: u64,
    /// How many.
    pub count: usize,
    /// The capture.
    pub capture: Option<String>,
    /// In the order they were found.
    pub anomalies: Vec<Value>,
}

/// The anomalies of the window with the id that a path gives. Blocks.
///
/// # Errors
/// 404 when there is no such window.
pub fn of_window(app: &App, capture: Option<&str>, id: &str) -> Outcome<OfWindow> {
    let capture = select::readable(app.store(), capture)?;
    let (window, window_id) = metrics::window(app, capture.as_ref(), id)?;
    let mut anomalies = Vec::new();
    for anomaly in capture.iter().flat_map(|capture| of(app.store(), capture)) {
        let anomaly = anomaly?;
        if anomaly.window_index == window.index {
            anomalies.push(document::anomaly(&anomaly));
        }
    }
    Ok(OfWindow { window_id, count: anomalies.len(), capture: capture.map(|capture| capture.id), anomalies })
}

/// What happened again and again: the same kind, severity and metric of the same flow or hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frequent {
    /// The kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// How bad.
    pub severity: &'static str,
    /// Of the first one; the numbers of the others differ.
    pub message: String,
    /// How often.
    pub count: u64,
    /// Beginning of the first window, seconds since 1970.
    pub first_seen: Value,
    /// Beginning of the last window, seconds since 1970.
    pub last_seen: Value,
    /// What was measured.
    pub metric: String,
    /// Who sends.
    pub flow_src: Option<String>,
    /// Who receives.
    pub flow_dst: Option<String>,
}

/// The most frequent anomalies.
#[derive(Debug, Default, Serialize)]
pub struct Top {
    /// Most frequent first.
    pub top: Vec<Frequent>,
    /// The capture.
    pub capture: Option<String>,
}

/// The most frequent anomalies of a capture. Blocks.
///
/// # Errors
/// As `list`.
pub fn top(app: &App, capture: Option<&str>, limit: usize) -> Outcome<Top> {
    let Some(capture) = select::readable(app.store(), capture)? else {
        return Ok(Top::default());
    };
    let top = frequent(of(app.store(), &capture), limit)?;
    Ok(Top { top, capture: Some(capture.id) })
}

type Group = (AnomalyKind, Severity, String, Option<String>, Option<String>, Option<String>);

fn frequent(anomalies: impl Iterator<Item = Outcome<Anomaly>>, limit: usize) -> Outcome<Vec<Frequent>> {
    let mut groups: HashMap<Group, (u64, i64, i64, Anomaly)> = HashMap::new();
    for anomaly in anomalies {
        let anomaly = anomaly?;
        let (src, dst) = (anomaly.flow_src.clone(), anomaly.flow_dst.clone());
        let key = (anomaly.kind, anomaly.severity, anomaly.metric.clone(), src, dst, anomaly.protocol.clone());
        let start = anomaly.start_ns;
        let (count, first, last, _) = groups.entry(key).or_insert((0, start, start, anomaly));
        *count += 1;
        *first = start.min(*first);
        *last = start.max(*last);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|(count, first, _, one), (other_count, other_first, _, other)| {
        let worse = other_count.cmp(count).then(other.severity.cmp(&one.severity)).then(first.cmp(other_first));
        worse.then_with(|| one.message.cmp(&other.message))
    });
    Ok(groups.into_iter().take(limit).map(told).collect())
}

fn told((count, first, last, anomaly): (u64, i64, i64, Anomaly)) -> Frequent {
    // The seconds of a window's beginning are written in one place only.
    let seconds = |start_ns: i64| {
        let at = Anomaly { start_ns, ..anomaly.clone() };
        document::anomaly(&at).get("window_start").cloned().unwrap_or_default()
    };
    Frequent {
        kind: anomaly.kind.as_str(),
        severity: anomaly.severity.as_str(),
        first_seen: seconds(first),
        last_seen: seconds(last),
        count,
        message: anomaly.message,
        metric: anomaly.metric,
        flow_src: anomaly.flow_src,
        flow_dst: anomaly.flow_dst,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use trafficlab_shared::model::capture::anomaly::BaselineUsed;

    fn anomaly(kind: AnomalyKind, severity: Severity, window: i64, src: &str) -> Anomaly {
        Anomaly {
            kind,
            severity,
            window_index: window,
            start_ns: window * 10_000_000_000,
            end_ns: (window + 1) * 10_000_000_000,
            message: format!("seen in {window}"),
            metric: "packet_loss_percent".into(),
            current_value: 50.0,
            threshold: 5.0,
            baseline: BaselineUsed { source: "fixed".into(), median: None, mad: None, windows: None },
            flow_src: Some(src.into()),
            flow_dst: None,
            protocol: None,
        }
    }

    #[test]
    fn the_same_trouble_is_one_group() {
        let loss = |window, src| Ok(anomaly(AnomalyKind::PacketLoss, Severity::High, window, src));
        let list = [
            loss(3, "a"),
            loss(1, "a"),
            loss(2, "b"),
            Ok(anomaly(AnomalyKind::PortScan, Severity::Medium, 0, "b")),
            loss(9, "a"),
        ];
        let found = frequent(list.into_iter(), 2).unwrap();
        assert_eq!((found[0].count, found[0].flow_src.as_deref()), (3, Some("a")));
        assert_eq!((&found[0].first_seen, &found[0].last_seen), (&10.0.into(), &90.0.into()));
        assert_eq!((found.len(), found[1].severity), (2, "high"));
    }
}
