//! Connections that are open for long.
//!
//! While a capture runs they are told at 10 and 30 minutes, an hour, and each doubling. A short file cannot show such
//! lengths; at its end those are told as well that were open from its first moments to its last, at least two minutes,
//! and at least five times as long as 95 of 100 connections of the file.

use super::flow::{Ends, Protocol};
use super::samples::nearest_rank;
use super::sketch::Sketch;
use crate::packet::connection::Tracker;

/// Shortest length that is told at the end of a short file.
pub(super) const SHORTEST: i64 = 120_000_000_000;
/// Connections that are told by milestones have at least this length.
const MILESTONE: i64 = 600_000_000_000;
/// Multiple of the usual length.
const FAR_BEYOND: i64 = 5;
/// Connections by which the usual length is known.
const ENOUGH: u64 = 20;
/// Candidates held.
const MOST: usize = 1_000;

/// One that may be told at the end.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) ends: Ends,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
    pub(super) bytes: u64,
}

/// Lengths of all TCP connections, and the longest of those still open.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    usual: Sketch,
    candidates: Vec<Candidate>,
}

impl Lengths {
    /// A connection is over, or the capture is.
    pub(super) fn ended(&mut self, ends: &Ends, tracker: &Tracker) {
        if ends.protocol != Protocol::Tcp {
            return;
        }
        let length = tracker.last_ns.saturating_sub(tracker.first_ns);
        self.usual.add(u64::try_from(length).unwrap_or(0));
        if tracker.open() && (SHORTEST..MILESTONE).contains(&length) && self.candidates.len() < MOST {
            self.candidates.push(Candidate {
                ends: *ends,
                first_ns: tracker.first_ns,
                last_ns: tracker.last_ns,
                bytes: tracker.ip_bytes(),
            });
        }
    }

    /// Those to be told of a file that lasts from `min` to `max`, and the length that they crossed.
    pub(super) fn judge(self, (min, max): (i64, i64)) -> (i64, Vec<Candidate>) {
        let span = max.saturating_sub(min);
        let usual = self.usual.rank(nearest_rank(self.usual.count, 95));
        let beyond = i64::try_from(usual).unwrap_or(i64::MAX).saturating_mul(FAR_BEYOND).max(SHORTEST);
        if self.usual.count < ENOUGH || span < SHORTEST {
            return (beyond, Vec::new());
        }
        let edge = span / 20;
        let mut told = self.candidates;
        told.retain(|one| {
            let whole = one.first_ns.saturating_sub(min) <= edge && max.saturating_sub(one.last_ns) <= edge;
            whole && one.last_ns.saturating_sub(one.first_ns) >= beyond
        });
        told.sort_by_key(|one| one.first_ns);
        (beyond, told)
    }
}
