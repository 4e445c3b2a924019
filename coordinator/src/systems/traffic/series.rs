//! A run's course in time, for charts.

use poem_openapi::Object;
use trafficlab_engine::traffic::timings::SecondPoint;

use super::{lookup, monitor};
use crate::store::Store;
use crate::store::series::{BLOCK_SECONDS, SERIES};
use crate::systems::time::{SECOND_NS, float, ms, ratio, rfc3339, round3};
use crate::systems::{Fault, Outcome};

const MOST_POINTS: u32 = 10_000;

/// Which stretch, and how fine.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First second.
    pub from: Option<u64>,
    /// Second behind the last.
    pub to: Option<u64>,
    /// Most points.
    pub points: u32,
}

/// One step of a run
#[derive(Debug, Clone, Object)]
pub struct Point {
    /// Its beginning
    pub time: String,
    /// The same as epoch seconds
    pub second: u64,
    /// Requests
    pub requests: u64,
    /// Of these, successes
    pub successful: u64,
    /// Arrivals dropped
    pub dropped: u64,
    /// Arrivals missed
    pub missed: u64,
    /// Requests per second over the step
    pub requests_per_second: f64,
    /// Median response time in milliseconds
    pub p50: f64,
    /// 95th percentile in milliseconds
    pub p95: f64,
    /// 99th percentile in milliseconds
    pub p99: f64,
}

/// A run's course
#[derive(Debug, Clone, Object)]
pub struct SeriesData {
    /// The campaign
    pub campaign_id: String,
    /// The run
    pub run_id: Option<String>,
    /// Seconds of a step
    pub step_seconds: u64,
    /// Steps in which something was due, ascending
    pub points: Vec<Point>,
}

/// The course of a campaign's latest run, or of `job`.
///
/// # Errors
/// 404, or a range that ends before it begins.
pub fn series(store: &Store, id: &str, job: Option<&str>, range: Range) -> Outcome<SeriesData> {
    let campaign = lookup::campaign(store, id)?;
    if !(1..=MOST_POINTS).contains(&range.points) {
        return Err(Fault::field("points", format!("must be from 1 to {MOST_POINTS}")));
    }
    if range.from.zip(range.to).is_some_and(|(from, to)| from >= to) {
        return Err(Fault::field("to", "must be greater than `from`"));
    }
    let run = match job {
        Some(job) => Some(lookup::run(store, id, job)?),
        None => lookup::latest(store, id)?,
    };
    let Some(run) = run else {
        return Ok(SeriesData { campaign_id: campaign.id, run_id: None, step_seconds: 1, points: Vec::new() });
    };
    let (first, behind) = bounds(store, &run.job)?;
    let (from, to) = (range.from.unwrap_or(first).max(first), range.to.unwrap_or(behind).min(behind));
    let step = to.saturating_sub(from).div_ceil(u64::from(range.points)).max(1);
    let mut joined: Vec<SecondPoint> = Vec::new();
    for mut point in monitor::points(store, &run.job, from, to)? {
        point.second -= (point.second - from) % step;
        match joined.last_mut() {
            Some(last) if last.second == point.second => last.merge(&point),
            _ => joined.push(point),
        }
    }
    let points = joined.iter().map(|point| view(point, step)).collect();
    Ok(SeriesData { campaign_id: campaign.id, run_id: Some(run.job), step_seconds: step, points })
}

/// First second of a run's series and the one behind its last.
fn bounds(store: &Store, job: &str) -> Outcome<(u64, u64)> {
    let end = |reverse| SERIES.scan_prefix(store, &job.to_owned(), reverse).next().transpose();
    let first = end(false)?.map_or(0, |((_, block), _)| block * BLOCK_SECONDS);
    let behind = end(true)?.map_or(0, |((_, block), _)| (block + 1) * BLOCK_SECONDS);
    Ok((first, behind))
}

fn view(point: &SecondPoint, step: u64) -> Point {
    let at = |per_million| ms(point.response.quantile(per_million));
    Point {
        time: rfc3339(point.second * SECOND_NS),
        second: point.second,
        requests: point.sent,
        successful: point.succeeded,
        dropped: point.dropped,
        missed: point.missed,
        requests_per_second: round3(ratio(float(point.sent), float(step))),
        p50: at(500_000),
        p95: at(950_000),
        p99: at(990_000),
    }
}
