//! Which entries a request gets, and the JSON around them: a snapshot of the request's start.

use std::collections::VecDeque;

use serde_json::{Value, json};
use trafficlab_shared::clock;

use super::figures::Figures;
use super::lookup;
use super::stream::{Format, Part, Plan};
use crate::store::Store;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::entries::{EXTENTS, SEQUENCES};
use crate::systems::Outcome;
use crate::systems::time::{self, SECOND_NS, rfc3339};

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// At most this many.
    pub limit: Option<u64>,
    /// Leave out this many.
    pub offset: Option<u64>,
    /// Begin behind this sequence.
    pub cursor: Option<u64>,
    /// Only this run's.
    pub run: Option<String>,
    /// How they are written.
    pub format: Format,
}

/// One campaign's entries as of now.
struct Snapshot {
    figures: Figures,
    first: u64,
    end: u64,
}

/// The plan of `/generated/{id}`.
///
/// # Errors
/// 404.
pub fn generated(store: &Store, id: &str, asked: &Asked) -> Outcome<Plan> {
    let (snapshot, updated_ns) = snapshot(store, id, asked.run.as_deref())?;
    let counters = &snapshot.figures.counters;
    let metadata = json!({
        "total_requests": counters.sent,
        "successful_requests": counters.succeeded,
        "last_updated": rfc3339(updated_ns),
        "campaign_id": id,
        "run_id": asked.run,
        "stored_entries": snapshot.figures.entries,
        "limit": asked.limit,
        "offset": asked.offset.unwrap_or(0),
    });
    let more = asked.limit.is_some();
    let end = snapshot.end;
    let tail = move |last: Option<u64>| {
        let mut metadata = metadata;
        if let Value::Object(members) = &mut metadata {
            let next = last.filter(|last| more && last + 1 < end);
            members.insert("next_cursor".to_owned(), next.into());
        }
        format!("],\"metadata\":{metadata}}}")
    };
    plan(store, id, asked, &snapshot, "{\"success\":true,\"data\":[".to_owned(), Box::new(tail))
}

/// The plan of `/download/{id}`, and the name of the file.
///
/// # Errors
/// 404.
pub fn download(store: &Store, id: &str, asked: &Asked) -> Outcome<(Plan, String)> {
    let (snapshot, _) = snapshot(store, id, asked.run.as_deref())?;
    let now = clock::wall_ns();
    let stamp: String = rfc3339(now).chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let filename = format!("traffic_{id}_{stamp}Z.{}", asked.format.extension());
    let counters = &snapshot.figures.counters;
    let head = format!(
        "{{\"success\":true,\"data\":{{\"campaign_id\":{},\"download_time\":\"{}\",\"total_requests\":{},\
         \"successful_requests\":{},\"stored_entries\":{},\"traffic_data\":[",
        json!(id),
        rfc3339(now),
        counters.sent,
        counters.succeeded,
        snapshot.figures.entries,
    );
    let tail = format!("]}},\"filename\":{}}}", json!(filename));
    Ok((plan(store, id, asked, &snapshot, head, Box::new(move |_| tail))?, filename))
}

/// The plan of `/generated`.
///
/// # Errors
/// When the store fails.
pub fn generated_all(store: &Store, asked: &Asked) -> Outcome<Plan> {
    let mut skip = asked.offset.unwrap_or(0);
    let mut parts = VecDeque::new();
    let mut total = 0;
    {
        let _guard = store.lock();
        for row in CAMPAIGNS.scan(store, false) {
            let (campaign, _) = row?;
            let runs = lookup::runs(store, &campaign)?;
            let entries = Figures::of(store, &runs)?.entries;
            total += entries;
            if entries <= skip {
                skip -= entries;
                continue;
            }
            let end = SEQUENCES.get(store, &campaign)?.unwrap_or(1);
            let from = nth(store, &campaign, None, entries, end, std::mem::take(&mut skip))?;
            parts.push_back(Part { campaign, from, end, run: None });
        }
    }
    let limit = asked.limit.unwrap_or(u64::MAX);
    let metadata = json!({ "stored_entries": total, "campaigns": parts.len(), "timestamp": time::now() });
    Ok(Plan {
        parts,
        limit,
        expected: Some(limit.min(total.saturating_sub(asked.offset.unwrap_or(0)))),
        format: asked.format,
        head: "{\"success\":true,\"data\":[".to_owned(),
        tail: Box::new(move |_| format!("],\"metadata\":{metadata}}}")),
    })
}

/// Figures and sequences of one moment: ingest changes them together under the same lock.
fn snapshot(store: &Store, id: &str, run: Option<&str>) -> Outcome<(Snapshot, u64)> {
    let _guard = store.lock();
    let campaign = lookup::campaign(store, id)?;
    let figures = Figures::of(store, &lookup::selected(store, id, run)?)?;
    let end = SEQUENCES.get(store, &campaign.id)?.unwrap_or(1);
    let updated = if figures.updated_ns > 0 { figures.updated_ns } else { campaign.updated_ns };
    let first = first_sequence(store, id)?.unwrap_or(end);
    let end = if figures.entries == 0 { first } else { end };
    Ok((Snapshot { figures, first, end }, updated - updated % (SECOND_NS / 1_000_000)))
}

fn plan(
    store: &Store,
    id: &str,
    asked: &Asked,
    snapshot: &Snapshot,
    head: String,
    tail: Box<dyn FnOnce(Option<u64>) -> String + Send>,
) -> Outcome<Plan> {
    let (entries, end) = (snapshot.figures.entries, snapshot.end);
    let offset = asked.offset.unwrap_or(0);
    let limit = asked.limit.unwrap_or(u64::MAX);
    let (from, expected) = match asked.cursor {
        Some(cursor) => (cursor.saturating_add(1).saturating_add(offset).max(snapshot.first), None),
        None if offset >= entries => (end, Some(0)),
        None => (nth(store, id, asked.run.as_deref(), entries, end, offset)?, Some(limit.min(entries - offset))),
    };
    let part = Part { campaign: id.to_owned(), from, end, run: asked.run.clone() };
    let parts = if from < end { VecDeque::from([part]) } else { VecDeque::new() };
    Ok(Plan { parts, limit, expected, format: asked.format, head, tail })
}

fn first_sequence(store: &Store, campaign: &str) -> Outcome<Option<u64>> {
    let first = EXTENTS.scan_prefix(store, &campaign.to_owned(), false).next().transpose()?;
    Ok(first.map(|((_, sequence), _)| sequence))
}

/// The sequence of the entry behind `offset` others. Without gaps that is an addition; behind a removed run, or for one
/// run alone, the extents are counted.
fn nth(store: &Store, campaign: &str, run: Option<&str>, entries: u64, end: u64, offset: u64) -> Outcome<u64> {
    let first = first_sequence(store, campaign)?.unwrap_or(end);
    if end.saturating_sub(first) == entries || offset == 0 {
        return Ok(first.saturating_add(offset));
    }
    let mut left = offset;
    for row in EXTENTS.scan_prefix(store, &campaign.to_owned(), false) {
        let ((_, sequence), extent) = row?;
        if run.is_some_and(|run| run != extent.job) {
            continue;
        }
        let count = u64::from(extent.count);
        if left < count {
            return Ok(sequence + left);
        }
        left -= count;
    }
    Ok(end)
}
