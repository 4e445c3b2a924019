//! Event ids that were seen lately, so that a repeated visit counts once.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Ids are remembered this long…
pub(crate) const REMEMBERED_S: u32 = 24 * 3600;
/// …and no more of them than these; 27 bytes each.
pub(crate) const MOST_IDS: usize = 1_000_000;

/// An id with the second it was received in.
pub(crate) type SeenId = (u64, u32);

/// An id, when it came, and in which frame (its number's lowest bits).
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// 0 when it was taken back.
    id: u64,
    received_s: u32,
    frame: u32,
}

/// The ids in the order they came.
#[derive(Debug)]
pub(crate) struct EventIds {
    entries: VecDeque<Entry>,
    /// Position of the first entry since the beginning; positions wrap around.
    first: u32,
    positions: HashTable<u32>,
    hasher: RandomState,
    most: usize,
}

impl Default for EventIds {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            first: 0,
            positions: HashTable::new(),
            hasher: RandomState::default(),
            most: MOST_IDS,
        }
    }
}

impl EventIds {
    /// Remembers `id`, unless it is known: then comes the frame that brought it.
    pub(crate) fn insert(&mut self, id: u64, received_s: u32, frame: u32) -> Option<u32> {
        while self.entries.front().is_some_and(|entry| received_s.saturating_sub(entry.received_s) > REMEMBERED_S) {
            self.forget_oldest();
        }
        let (hash, first) = (self.hasher.hash_one(id), self.first);
        let entry_of = |position: &u32| self.entries.get(offset(*position, first));
        if let Some(position) = self.positions.find(hash, |position| entry_of(position).is_some_and(|e| e.id == id)) {
            return entry_of(position).map(|entry| entry.frame);
        }
        if self.entries.len() >= self.most {
            self.forget_oldest();
        }
        let first = self.first;
        let position = first.wrapping_add(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push_back(Entry { id, received_s, frame });
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.positions.insert_unique(hash, position, |position| {
            hasher.hash_one(entries.get(offset(*position, first)).map_or(0, |entry| entry.id))
        });
        None
    }

    /// Forgets an id whose frame was not written.
    pub(crate) fn take_back(&mut self, id: u64, frame: u32) {
        let (hash, first) = (self.hasher.hash_one(id), self.first);
        let entries = &self.entries;
        let fits = |position: &u32| {
            entries.get(offset(*position, first)).is_some_and(|entry| entry.id == id && entry.frame == frame)
        };
        if let Ok(found) = self.positions.find_entry(hash, fits) {
            let (position, _) = found.remove();
            if let Some(entry) = self.entries.get_mut(offset(position, first)) {
                entry.id = 0;
            }
        }
    }

    fn forget_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        let position = self.first;
        self.first = position.wrapping_add(1);
        if entry.id != 0
            && let Ok(found) = self.positions.find_entry(self.hasher.hash_one(entry.id), |other| *other == position)
        {
            found.remove();
        }
    }
}

fn offset(position: u32, first: u32) -> usize {
    usize::try_from(position.wrapping_sub(first)).unwrap_or(usize::MAX)
}

/// What is still remembered at `now_s` of ids in the order they came.
pub(crate) fn keep_lately(seen: &mut Vec<SeenId>, now_s: u32) {
    // Not only from the front: after a clock that was ahead for a while the front stays young for long.
    seen.retain(|(_, received_s)| now_s.saturating_sub(*received_s) <= REMEMBERED_S);
    seen.drain(..seen.len().saturating_sub(MOST_IDS));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_known_for_a_day() {
        let mut ids = EventIds::default();
        assert_eq!(ids.insert(5, 1_000, 1), None);
        assert_eq!(ids.insert(6, 1_001, 2), None);
        assert_eq!(ids.insert(5, 1_000 + REMEMBERED_S, 3), Some(1));
        assert_eq!(ids.insert(5, 1_001 + REMEMBERED_S, 3), None, "a day and a second later");
        assert_eq!(ids.insert(6, 1_001 + REMEMBERED_S, 4), Some(2));
    }

    #[test]
    fn an_id_taken_back_is_new_again_and_others_stay() {
        let mut ids = EventIds::default();
        for id in 1..=5 {
            assert_eq!(ids.insert(id, 10, 7), None);
        }
        ids.take_back(2, 7);
        ids.take_back(3, 8);
        assert_eq!(ids.insert(2, 11, 9), None);
        assert_eq!((ids.insert(2, 11, 9), ids.insert(3, 11, 9), ids.insert(5, 11, 9)), (Some(9), Some(7), Some(7)));
        assert_eq!(ids.insert(9, 12 + REMEMBERED_S, 1), None);
        assert_eq!((ids.entries.len(), ids.positions.len()), (1, 1));
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        // Positions wrap around in the middle.
        let mut ids = EventIds { most: 100, first: u32::MAX - 10, ..EventIds::default() };
        for id in 1..=101 {
            assert_eq!(ids.insert(id, 10, 7), None);
        }
        assert_eq!((ids.entries.len(), ids.positions.len()), (100, 100));
        assert_eq!(ids.insert(2, 10, 8), Some(7), "only 1 had to go");
        assert_eq!((ids.insert(1, 10, 8), ids.insert(2, 10, 8), ids.insert(4, 10, 8)), (None, None, Some(7)));
    }

    #[test]
    fn only_what_came_lately_is_kept() {
        let mut seen = vec![(1, 5), (2, 6), (3, 200_000), (4, 5)];
        keep_lately(&mut seen, 6 + REMEMBERED_S);
        assert_eq!(seen, [(2, 6), (3, 200_000)]);
    }
}
