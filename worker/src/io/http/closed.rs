//! The closed loop: a budget of requests that the connections themselves take from, one after the other's answer.

use super::Ticket;

/// Undrained completions at which the connections of a closed loop stop taking requests until the next drain.
/// This bounds what a pool holds when nobody drains it, to about a MiB.
pub(super) const MOST_UNDRAINED: usize = 16 * 1024;
/// Undrained completions that wake whoever waits for progress.
pub(super) const WORTH_A_DRAIN: usize = MOST_UNDRAINED / 2;

/// How much of the budget is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ClosedLoop {
    next: u64,
    end: u64,
}

impl ClosedLoop {
    /// Adds to the budget; numbers go on from where an earlier loop ended.
    pub(super) const fn extend(&mut self, budget: u64) {
        self.end = self.end.saturating_add(budget);
    }

    /// Takes the rest of the budget away.
    pub(super) const fn stop(&mut self) {
        self.end = self.next;
    }

    pub(super) const fn left(&self) -> u64 {
        self.end - self.next
    }

    /// The next ticket, due at the moment it is taken.
    pub(super) fn take(&mut self, now: u64) -> Option<Ticket> {
        if self.next == self.end {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let slot = u32::try_from(number >> 32).unwrap_or(u32::MAX);
        let k = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Some(Ticket { slot, k, due_ns: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_distinct_and_end_with_the_budget() {
        let mut closed = ClosedLoop { next: u64::from(u32::MAX), end: u64::from(u32::MAX) };
        assert_eq!(closed.take(5), None);
        closed.extend(2);
        assert_eq!(closed.take(5), Some(Ticket { slot: 0, k: u32::MAX, due_ns: 5 }));
        assert_eq!(closed.take(6), Some(Ticket { slot: 1, k: 0, due_ns: 6 }));
        assert_eq!((closed.take(7), closed.left()), (None, 0));
        closed.extend(9);
        closed.stop();
        assert_eq!((closed.take(8), closed.left()), (None, 0));
    }
}
