//! The last seconds of a run, for thresholds that look no further back.

use std::collections::{HashMap, VecDeque};

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::timings::Timings;

use crate::measured::{Measured, Times};

/// What was committed since the judge looked last, of the runs that have a window.
pub(in crate::dispatch) type Fresh = HashMap<String, Measured>;

/// Buckets of a histogram of one step; an error of less than 1 part in 64 where values spread widely.
const MAX_BUCKETS: usize = 512;

/// Takes what a commit added.
pub(in crate::dispatch) fn add(to: &mut Measured, counters: &Counters, timings: &Timings) {
    to.counts.merge(&counters.into());
    merge(&mut to.times, &timings.response, &timings.service, &timings.lag);
}

/// What was committed lately, in steps of about a second of active time.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Steps, each with the active time at its end.
    steps: VecDeque<Measured>,
    now_ms: u64,
    /// Active time from which on everything was seen: not what a coordinator before this one committed.
    since_ms: Option<u64>,
}

impl Window {
    /// Takes a step that ends at this active time and forgets what is older than `longest` milliseconds. While active
    /// time stands still nothing is committed and nothing moves.
    pub(super) fn advance(&mut self, step: Measured, active_ms: u64, longest: u64) {
        self.now_ms = self.now_ms.max(active_ms);
        self.since_ms.get_or_insert(active_ms);
        match self.steps.back_mut().filter(|last| last.active_ms >= active_ms) {
            Some(last) => join(last, &step),
            None => self.steps.push_back(Measured { active_ms, ..step }),
        }
        while self.steps.front().is_some_and(|step| step.active_ms + longest <= active_ms) {
            self.steps.pop_front();
        }
    }

    /// The last `length` milliseconds; `None` until a run was watched for that long.
    pub(super) fn last(&self, length: u64) -> Option<Measured> {
        let since = self.now_ms.checked_sub(length).filter(|since| self.since_ms.is_some_and(|seen| seen <= *since))?;
        let mut sum = Measured { active_ms: length, told_ms: length, ..Measured::default() };
        for step in self.steps.iter().filter(|step| step.active_ms > since) {
            join(&mut sum, step);
        }
        Some(sum)
    }
}

fn join(into: &mut Measured, from: &Measured) {
    into.counts.merge(&from.counts);
    merge(&mut into.times, &from.times.response, &from.times.service, &from.times.lag);
}

fn merge(into: &mut Times, response: &Histogram, service: &Histogram, lag: &Histogram) {
    for (into, from) in [(&mut into.response, response), (&mut into.service, service), (&mut into.lag, lag)] {
        into.merge(from);
        into.thin(MAX_BUCKETS);
    }
}
