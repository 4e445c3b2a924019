//! What the target saw: counts, their evenness in time, and every id when asked for.

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::auctions::Auctions;

/// Seconds that are kept; older ones stay in the totals only.
const KEPT_SECONDS: usize = 3600;

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) connections: u64,
    /// Those of them that speak HTTP/2.
    pub(super) http2_connections: u64,
    requests: u64,
    unmarked: u64,
    seconds: std::collections::VecDeque<Second>,
    /// Second of the last entry of `seconds`.
    last_second: u64,
    ids: Option<Ids>,
    pub(super) auctions: Auctions,
}

/// One second of arrivals.
#[derive(Debug)]
struct Second {
    requests: u64,
    /// Arrivals in each millisecond; emptied into the sums when the second is over.
    milliseconds: Vec<u32>,
    sum_of_squares: u64,
}

/// The ids in the order of their first arrival.
#[derive(Debug, Default)]
struct Ids {
    index: HashMap<Box<[u8]>, usize>,
    seen: Vec<Seen>,
    repeats: u64,
}

#[derive(Debug)]
struct Seen {
    id: Box<[u8]>,
    campaign: Box<[u8]>,
    count: u64,
    at_ms: u64,
}

#[derive(Serialize)]
struct Report {
    requests: u64,
    connections: u64,
    http2_connections: u64,
    unmarked: u64,
    distinct_ids: Option<usize>,
    repeats: Option<u64>,
    per_second: Vec<u64>,
    first_second: u64,
    variance_per_ms: Vec<Option<f64>>,
    auctions: Auctions,
}

#[derive(Serialize)]
struct LogLine<'a> {
    id: &'a str,
    campaign: &'a str,
    count: u64,
    at_ms: u64,
}

impl Second {
    fn new() -> Self {
        Self { requests: 0, milliseconds: vec![0; 1000], sum_of_squares: 0 }
    }

    fn squares(&self) -> u64 {
        self.milliseconds.iter().map(|&count| u64::from(count) * u64::from(count)).sum()
    }

    fn seal(&mut self) {
        self.sum_of_squares = self.squares();
        self.milliseconds = Vec::new();
    }

    /// Variance ÷ mean of the arrivals per millisecond: 0 is even, 1 is Poisson.
    fn dispersion(&self) -> Option<f64> {
        let squares = if self.milliseconds.is_empty() { self.sum_of_squares } else { self.squares() };
        let mean = self.requests as f64 / 1000.0;
        (self.requests > 0).then(|| (squares as f64 / 1000.0 - mean * mean) / mean)
    }
}

impl Stats {
    pub(super) fn new(track_ids: bool) -> Self {
        Self { ids: track_ids.then(Ids::default), ..Self::default() }
    }

    /// Counts one request that arrived when the target had this age.
    pub(super) fn record(&mut self, age: Duration, campaign: Option<&[u8]>, id: Option<&[u8]>) {
        self.requests += 1;
        self.unmarked += u64::from(campaign.is_none());
        let millisecond = usize::try_from(age.subsec_millis()).unwrap_or(0);
        let second = self.second(age.as_secs());
        second.requests += 1;
        if let Some(count) = second.milliseconds.get_mut(millisecond) {
            *count += 1;
        }
        if let (Some(ids), Some(id)) = (&mut self.ids, id) {
            ids.record(id, campaign.unwrap_or_default(), u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// The entry of a second. Threads may hand in a request of the second before; it counts into the newest one.
    fn second(&mut self, number: u64) -> &mut Second {
        if self.seconds.is_empty() {
            self.last_second = number;
            self.seconds.push_back(Second::new());
        }
        while self.last_second < number {
            if let Some(last) = self.seconds.back_mut() {
                last.seal();
            }
            // After a silence longer than what is kept, only the last kept seconds matter.
            self.last_second = (self.last_second + 1).max(number.saturating_sub(KEPT_SECONDS as u64));
            self.seconds.push_back(Second::new());
            if self.seconds.len() > KEPT_SECONDS {
                self.seconds.pop_front();
            }
        }
        let last = self.seconds.len().saturating_sub(1);
        self.seconds.get_mut(last).expect("a second was pushed above")
    }

    /// The JSON of `/stats`.
    pub(super) fn report(&self) -> Vec<u8> {
        let report = Report {
            requests: self.requests,
            connections: self.connections,
            http2_connections: self.http2_connections,
            unmarked: self.unmarked,
            distinct_ids: self.ids.as_ref().map(|ids| ids.seen.len()),
            repeats: self.ids.as_ref().map(|ids| ids.repeats),
            per_second: self.seconds.iter().map(|second| second.requests).collect(),
            first_second: (self.last_second + 1).saturating_sub(self.seconds.len() as u64),
            variance_per_ms: self.seconds.iter().map(Second::dispersion).collect(),
            auctions: self.auctions,
        };
        serde_json::to_vec(&report).unwrap_or_default()
    }

    /// The NDJSON of `/log`; none when ids are not tracked.
    pub(super) fn log(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for seen in &self.ids.as_ref()?.seen {
            let (id, campaign) = (String::from_utf8_lossy(&seen.id), String::from_utf8_lossy(&seen.campaign));
            let line = LogLine { id: &id, campaign: &campaign, count: seen.count, at_ms: seen.at_ms };
            serde_json::to_writer(&mut out, &line).ok()?;
            out.write_all(b"\n").ok()?;
        }
        Some(out)
    }
}

impl Ids {
    fn record(&mut self, id: &[u8], campaign: &[u8], at_ms: u64) {
        if let Some(seen) = self.index.get(id).and_then(|&index| self.seen.get_mut(index)) {
            seen.count += 1;
            self.repeats += 1;
            return;
        }
        self.index.insert(id.into(), self.seen.len());
        self.seen.push(Seen { id: id.into(), campaign: campaign.into(), count: 1, at_ms });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn report(stats: &Stats) -> serde_json::Value {
        serde_json::from_slice(&stats.report()).unwrap()
    }

    #[test]
    fn ids_are_counted_exactly() {
        let mut stats = Stats::new(true);
        for (id, campaign) in [("a", "c"), ("b", "c"), ("a", "c")] {
            stats.record(Duration::from_millis(5), Some(campaign.as_bytes()), Some(id.as_bytes()));
        }
        stats.record(Duration::ZERO, None, None);
        let report = report(&stats);
        let fields = ["requests", "distinct_ids", "repeats", "unmarked"].map(|name| report[name].as_u64().unwrap());
        assert_eq!(fields, [4, 2, 1, 1]);
        let log = String::from_utf8(stats.log().unwrap()).unwrap();
        assert_eq!(log.lines().next().unwrap(), r#"{"id":"a","campaign":"c","count":2,"at_ms":5}"#);
        assert_eq!(Stats::new(false).log(), None);
    }

    #[test]
    fn seconds_and_their_evenness() {
        let mut stats = Stats::new(false);
        (0..1000).for_each(|ms| stats.record(Duration::from_millis(ms), None, None));
        (0..1000).for_each(|_| stats.record(Duration::from_millis(2500), None, None));
        let report = report(&stats);
        assert_eq!(report["per_second"], serde_json::json!([1000, 0, 1000]));
        assert_eq!(report["variance_per_ms"], serde_json::json!([0.0, null, 999.0]));
    }

    #[test]
    fn memory_is_bounded_in_time() {
        let mut stats = Stats::new(false);
        for second in [0, 1, 5000, 1_000_000] {
            stats.record(Duration::from_secs(second), None, None);
        }
        assert!(stats.seconds.len() <= KEPT_SECONDS);
        assert_eq!(report(&stats)["requests"], 4);
        assert_eq!(report(&stats)["first_second"].as_u64().unwrap() + stats.seconds.len() as u64 - 1, 1_000_000);
    }
}
