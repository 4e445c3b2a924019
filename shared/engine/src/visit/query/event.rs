//! What a question needs to know of a row.

use super::plan::mark;

/// One row that exists for the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Event {
    pub(super) time_ms: i64,
    /// What the plan's split says, or `NOTHING`.
    pub(super) value: u32,
    /// Marks in the lowest eight bits; above them the place of its revenue among all of the slice, 0 without.
    pub(super) info: u32,
}

pub(super) const MONEY_SHIFT: u32 = 8;

impl Event {
    /// Whether it has all these marks.
    pub(super) const fn has(self, marks: u8) -> bool {
        self.info & marks as u32 == marks as u32
    }

    /// Whether the filters on events hold, those on goals too.
    pub(super) const fn is_chosen(self) -> bool {
        self.has(mark::EVENT)
    }

    /// Place of its revenue; 0 without.
    pub(super) const fn money(self) -> u32 {
        self.info >> MONEY_SHIFT
    }
}
