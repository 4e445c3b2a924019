//! The arrivals of a shard in order, one slot in memory at a time.

use trafficlab_engine::traffic::schedule::{SLOT_NS, Schedule};
use trafficlab_shared::model::arrivals::RateChange;
use trafficlab_shared::protocol::report::Cursor;

/// Walks a schedule from a cursor on.
#[derive(Debug)]
pub(crate) struct Arrivals {
    schedule: Schedule,
    due: Vec<u64>,
    cursor: Cursor,
}

/// What the walk meets at a moment of active time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An arrival that is due.
    Due(Cursor, u64),
    /// Nothing before this active time.
    Wait(u64),
    /// A slot begins here; `enter` goes into it.
    Boundary(u32),
    /// The schedule is over.
    Over,
}

impl Arrivals {
    /// Begins at `cursor`.
    pub(crate) fn new(schedule: Schedule, cursor: Cursor) -> Self {
        let mut arrivals = Self { schedule, due: Vec::new(), cursor };
        arrivals.load();
        arrivals
    }

    /// The first arrival not yet handed out.
    pub(crate) const fn cursor(&self) -> Cursor {
        self.cursor
    }

    pub(crate) fn history(&self) -> Vec<RateChange> {
        self.schedule.history()
    }

    /// Arrivals a second of all shards together, at the highest that the rate in force reaches.
    pub(crate) fn rate_per_second(&self) -> u64 {
        self.schedule.peak_per_second()
    }

    pub(crate) fn differs(&self, rate: u64, duration_ms: u64) -> bool {
        self.schedule.differs(rate, duration_ms)
    }

    /// Due time, in active nanoseconds, of any arrival of the schedule.
    pub(crate) fn due_of(&self, cursor: Cursor, scratch: &mut Vec<u64>) -> Option<u64> {
        self.schedule.slot(cursor.slot, scratch);
        scratch.get(usize::try_from(cursor.k).ok()?).copied()
    }

    /// What comes next at `active_now`. Does not move.
    pub(crate) fn step(&self, active_now: u64) -> Step {
        let at = usize::try_from(self.cursor.k).unwrap_or(usize::MAX);
        if let Some(&due) = self.due.get(at) {
            return if due <= active_now { Step::Due(self.cursor, due) } else { Step::Wait(due) };
        }
        if let Some(over) = self.schedule.over_at(self.cursor.slot) {
            return if over <= active_now { Step::Over } else { Step::Wait(over) };
        }
        let end = (u64::from(self.cursor.slot) + 1) * SLOT_NS;
        if end <= active_now { Step::Boundary(self.cursor.slot + 1) } else { Step::Wait(end) }
    }

    /// Counts the arrival that `step` showed as handed out.
    pub(crate) const fn advance(&mut self) {
        self.cursor.k += 1;
    }

    /// Goes into the slot whose boundary `step` showed.
    pub(crate) fn enter(&mut self, slot: u32) {
        self.cursor = Cursor { slot, k: 0 };
        self.load();
    }

    /// Takes a change of rate or length from the first slot not yet begun, or later if asked;
    /// returns the slot it holds from.
    pub(crate) fn change(&mut self, rate: u64, duration_ms: u64, at_slot: u32, active_now: u64) -> u32 {
        let from_slot = self.next_boundary(active_now).max(at_slot);
        self.schedule.apply(RateChange { from_slot, rate, duration_ms });
        if from_slot == self.cursor.slot {
            self.load();
        }
        from_slot
    }

    /// The first slot of which nothing has happened yet.
    pub(crate) fn next_boundary(&self, active_now: u64) -> u32 {
        let begun = self.cursor.k > 0 || u64::from(self.cursor.slot) * SLOT_NS <= active_now;
        self.cursor.slot + u32::from(begun)
    }

    fn load(&mut self) {
        self.schedule.slot(self.cursor.slot, &mut self.due);
    }
}
