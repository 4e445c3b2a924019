//! Attempts that wait for an answer, and those that failed a short time ago.

use std::collections::VecDeque;
use std::net::IpAddr;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::counts::Pattern;
use super::{Moment, PATIENCE, SLIDING, Target};

/// Failures that are looked at for examples: where thousands scan at once, finding the last ones of each would take longer
/// than the rest of the analysis.
pub(super) const LOOKED_BACK: usize = 1 << 14;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Waiting(Moment),
    /// Since when it is known.
    Failed(i64),
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that counts.
    None,
    /// It counts as failed now, for the window in which it was made.
    Failed(Target, i64),
    /// It counts no longer.
    Forgotten(Target),
}

/// All attempts by target, and in the order in which they fall due.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    all: HashMap<Target, Fate, foldhash::fast::RandomState>,
    waiting: VecDeque<(i64, Target)>,
    failed: VecDeque<(i64, Target)>,
}

impl Attempts {
    pub(super) fn len(&self) -> usize {
        // The queues may hold targets that have another fate by now; they bound what is remembered as well.
        self.all.len().max(self.waiting.len()).max(self.failed.len())
    }

    /// A new attempt; one that failed already stays failed until it is answered.
    pub(super) fn begin(&mut self, target: Target, at: Moment) {
        if let Entry::Vacant(entry) = self.all.entry(target) {
            entry.insert(Fate::Waiting(at));
            self.waiting.push_back((at.time_ns, target));
        }
    }

    /// An answer.
    pub(super) fn answered(&mut self, target: Target) -> Option<Change> {
        match self.all.remove(&target)? {
            Fate::Waiting(_) => None,
            Fate::Failed(_) => Some(Change::Forgotten(target)),
        }
    }

    /// A refusal.
    pub(super) fn failed(&mut self, target: Target, at: Moment) -> Option<Change> {
        let before = self.all.insert(target, Fate::Failed(at.time_ns));
        self.failed.push_back((at.time_ns, target));
        match before {
            Some(Fate::Failed(_)) => None,
            Some(Fate::Waiting(begun)) => Some(Change::Failed(target, begun.window)),
            None => Some(Change::Failed(target, at.window)),
        }
    }

    /// When something changes next.
    pub(super) fn next_due(&self) -> Option<i64> {
        let waiting = self.waiting.front().map(|(time, _)| time.saturating_add(PATIENCE));
        let failed = self.failed.front().map(|(time, _)| time.saturating_add(SLIDING));
        waiting.into_iter().chain(failed).min()
    }

    /// The next change that is due.
    pub(super) fn pass(&mut self, now_ns: i64) -> Option<Change> {
        if self.waiting.front().is_some_and(|(time, _)| now_ns >= time.saturating_add(PATIENCE)) {
            return self.give_up_waiting();
        }
        if self.failed.front().is_some_and(|(time, _)| now_ns >= time.saturating_add(SLIDING)) {
            return self.forget_failed();
        }
        None
    }

    /// Makes room.
    pub(super) fn forget_oldest(&mut self) -> Option<Change> {
        if self.failed.len() >= self.waiting.len() {
            return self.forget_failed();
        }
        let (time, target) = self.waiting.pop_front()?;
        if matches!(self.all.get(&target), Some(Fate::Waiting(at)) if at.time_ns == time) {
            self.all.remove(&target);
        }
        None
    }

    /// Attempts without an answer so far, in the order in which they began.
    pub(super) fn still_waiting(&self) -> Vec<(Target, Moment)> {
        let waiting = self.waiting.iter().filter_map(|&(time, target)| match self.all.get(&target) {
            Some(&Fate::Waiting(begun)) if begun.time_ns == time => Some((target, begun)),
            _ => None,
        });
        waiting.collect()
    }

    /// Some failures of a pattern, among the latest of all; called once for each scan that is told.
    pub(super) fn failures_of(&self, pattern: Pattern, most: usize) -> Vec<(IpAddr, u16)> {
        let mut found: Vec<(IpAddr, u16)> = Vec::new();
        for (_, target) in self.failed.iter().rev().take(LOOKED_BACK) {
            let one = (target.dst, target.port);
            if pattern.holds(target) && !found.contains(&one) && matches!(self.all.get(target), Some(Fate::Failed(_))) {
                found.push(one);
                if found.len() == most {
                    break;
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn give_up_waiting(&mut self) -> Option<Change> {
        let (time, target) = self.waiting.pop_front()?;
        match self.all.get(&target) {
            Some(&Fate::Waiting(begun)) if begun.time_ns == time => self.failed(target, begun),
            _ => Some(Change::None),
        }
    }

    fn forget_failed(&mut self) -> Option<Change> {
        let (time, target) = self.failed.pop_front()?;
        match self.all.get(&target) {
            Some(&Fate::Failed(since)) if since == time => {
                self.all.remove(&target);
                Some(Change::Forgotten(target))
            }
            _ => Some(Change::None),
        }
    }
}
