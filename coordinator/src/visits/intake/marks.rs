//! Marks of synthetic traffic: which campaigns of ours generate, or did so within the last hour.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::store::runs::{RUNS, Run};
use crate::store::{Store, StoreError};

/// How long after its run's end a campaign's mark is still believed.
const LATELY_NS: u64 = 3600 * 1_000_000_000;

/// The campaigns whose marks are believed. Reading takes no lock.
#[derive(Debug, Default)]
pub struct Marks {
    known: ArcSwap<HashSet<String>>,
    /// Campaign and end, if it has one, of each run.
    runs: Mutex<HashMap<String, (String, Option<u64>)>>,
}

impl Marks {
    /// Every run of the store that generates or lately did. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &Store, now_ns: u64) -> Result<Self, StoreError> {
        let marks = Self::default();
        for row in RUNS.scan(store, false) {
            let (job, run) = row?;
            if let Some(end) = believed(&run, now_ns) {
                marks.runs().insert(job, (run.campaign, end));
            }
        }
        marks.publish();
        Ok(marks)
    }

    /// A run begins; called before any of its requests can be sent.
    pub fn begin(&self, job: &str, campaign: &str) {
        self.runs().insert(job.to_owned(), (campaign.to_owned(), None));
        self.publish();
    }

    /// Whether this is the mark of a campaign of ours.
    #[must_use]
    pub fn knows(&self, campaign: &str) -> bool {
        self.known.load().contains(campaign)
    }

    /// Looks which runs are over, and forgets those that have been for long. Blocks on the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn refresh(&self, store: &Store, now_ns: u64) -> Result<(), StoreError> {
        let jobs: Vec<(String, Option<u64>)> = self.runs().iter().map(|(job, (_, end))| (job.clone(), *end)).collect();
        let mut gone = Vec::new();
        for (job, end) in jobs {
            let still = match end {
                Some(end) => (now_ns.saturating_sub(end) < LATELY_NS).then_some(Some(end)),
                // A run that was removed counts as over from now on.
                None => RUNS.get(store, &job)?.map_or(Some(Some(now_ns)), |run| believed(&run, now_ns)),
            };
            match still {
                Some(None) => {}
                Some(over) => {
                    self.runs().entry(job).and_modify(|run| run.1 = over);
                }
                None => gone.push(job),
            }
        }
        if !gone.is_empty() {
            self.runs().retain(|job, _| !gone.contains(job));
            self.publish();
        }
        Ok(())
    }

    fn publish(&self) {
        let runs = self.runs();
        self.known.store(Arc::new(runs.values().map(|(campaign, _)| campaign.clone()).collect()));
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Option<u64>)>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing when the run is no longer believed, else its end if it is over.
fn believed(run: &Run, now_ns: u64) -> Option<Option<u64>> {
    if !run.state.is_over() {
        return Some(None);
    }
    let end = run.ended_ns.unwrap_or(run.created_ns);
    (now_ns.saturating_sub(end) < LATELY_NS).then_some(Some(end))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::store::Batch;
    use crate::store::runs::RunState;
    use trafficlab_shared::protocol::control::{Desired, DesiredState};

    fn run(job: &str, campaign: &str, state: RunState, ended_ns: Option<u64>) -> Run {
        let desired = Desired {
            v: 1,
            revision: 1,
            activation: 1,
            state: DesiredState::Run,
            rate: 1,
            duration_ms: 1,
            at_slot: 0,
            origin_ns: None,
        };
        Run {
            job: job.to_owned(),
            campaign: campaign.to_owned(),
            shards: 1,
            desired,
            state,
            reason: None,
            stopped_by: None,
            created_ns: 0,
            started_ns: None,
            ended_ns,
            cleared: false,
        }
    }

    fn put(store: &Store, run: &Run) {
        let mut batch = Batch::new();
        RUNS.put(&mut batch, &run.job, run).unwrap();
        store.apply(batch).unwrap();
    }

    #[test]
    fn a_mark_is_believed_until_an_hour_after_the_run() {
        let store = Store::in_memory().unwrap();
        put(&store, &run("old", "gone", RunState::Completed, Some(1)));
        put(&store, &run("late", "lately", RunState::Stopped, Some(LATELY_NS)));
        let marks = Marks::open(&store, LATELY_NS + 10).unwrap();
        assert_eq!((marks.knows("gone"), marks.knows("lately"), marks.knows("new")), (false, true, false));
        marks.begin("job", "new");
        assert!(marks.knows("new"), "known at once");
        put(&store, &run("job", "new", RunState::Running, None));
        marks.refresh(&store, 3 * LATELY_NS).unwrap();
        assert_eq!((marks.knows("lately"), marks.knows("new")), (false, true));
        put(&store, &run("job", "new", RunState::Completed, Some(3 * LATELY_NS)));
        marks.refresh(&store, 3 * LATELY_NS).unwrap();
        marks.refresh(&store, 4 * LATELY_NS - 1).unwrap();
        assert!(marks.knows("new"));
        marks.refresh(&store, 4 * LATELY_NS).unwrap();
        assert!(!marks.knows("new"));
    }
}
