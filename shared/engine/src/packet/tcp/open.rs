//! Segments that wait for their ACK, of all streams in one pool, so that an idle stream costs two numbers.

/// No segment.
const NONE: u32 = u32::MAX;

/// Segments one direction may have open; further ones are not remembered (Wireshark's limit).
const PER_DIRECTION: u16 = 10_000;

/// Ends further apart than this cannot be put in order by serial arithmetic.
const SANE_DISTANCE: u32 = 1 << 30;

/// A segment that waits for its ACK.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// Its first sequence number.
    pub(super) seq: u32,
    /// The sequence number behind it.
    pub(super) end: u32,
    /// When it was captured.
    pub(super) time_ns: i64,
    next: u32,
    /// Whether Karn's rule takes it out: it, or part of it, came more than once, or late.
    pub(super) repeated: bool,
    /// Whether it is a SYN.
    pub(super) syn: bool,
}

/// The segments of all streams.
#[derive(Debug)]
pub struct OpenSegments {
    all: Vec<Open>,
    free: u32,
    used: usize,
    limit: usize,
    refused: u64,
}

impl OpenSegments {
    /// A pool of at most `limit` segments.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { all: Vec::new(), free: NONE, used: 0, limit, refused: 0 }
    }

    /// Segments that were not remembered because too many of all streams were open; zero in honest captures.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Segments that wait now.
    #[cfg(test)]
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    fn add(&mut self, open: Open) -> Option<u32> {
        if self.used >= self.limit {
            self.refused += 1;
            return None;
        }
        self.used += 1;
        if let Some(slot) = usize::try_from(self.free).ok().and_then(|at| self.all.get_mut(at)) {
            let at = self.free;
            self.free = slot.next;
            *slot = open;
            return Some(at);
        }
        let at = u32::try_from(self.all.len()).ok().filter(|at| *at != NONE)?;
        self.all.push(open);
        Some(at)
    }

    fn at(&self, at: u32) -> Option<Open> {
        usize::try_from(at).ok().and_then(|at| self.all.get(at)).copied()
    }

    fn at_mut(&mut self, at: u32) -> Option<&mut Open> {
        usize::try_from(at).ok().and_then(|at| self.all.get_mut(at))
    }

    fn give_back(&mut self, at: u32) {
        let free = self.free;
        if let Some(slot) = self.at_mut(at) {
            slot.next = free;
            self.free = at;
            self.used -= 1;
        }
    }
}

/// What an ACK number finds among the open segments.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Acked {
    /// The oldest segment that ends there.
    pub(super) exact: Option<Open>,
    /// Whether it also acknowledges segments that Karn's rule takes out.
    pub(super) any_repeated: bool,
}

/// The open segments of one direction, ordered by their end; those of one end by age.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    head: u32,
    tail: u32,
    count: u16,
    /// The ends could not be ordered: every ACK looks at all of them.
    disordered: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, count: 0, disordered: false }
    }
}

impl Queue {
    /// Whether nothing waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Whether another segment is remembered.
    pub(super) const fn has_room(&self) -> bool {
        self.count < PER_DIRECTION
    }

    /// Remembers a segment.
    pub(super) fn add(&mut self, pool: &mut OpenSegments, seq: u32, end: u32, time_ns: i64, repeated: bool, syn: bool) {
        let open = Open { seq, end, time_ns, next: NONE, repeated, syn };
        let Some(new) = pool.add(open) else { return };
        self.count += 1;
        let Some(last) = pool.at(self.tail) else {
            self.head = new;
            self.tail = new;
            self.disordered = false;
            return;
        };
        let ahead = end.wrapping_sub(last.end);
        if ahead < SANE_DISTANCE || self.disordered {
            self.append(pool, new);
        } else if ahead.wrapping_neg() < SANE_DISTANCE {
            self.insert(pool, new, end);
        } else {
            self.disordered = true;
            self.append(pool, new);
        }
    }

    fn append(&mut self, pool: &mut OpenSegments, new: u32) {
        if let Some(last) = pool.at_mut(self.tail) {
            last.next = new;
        }
        self.tail = new;
    }

    /// Puts a segment that ends before the last one into its place.
    fn insert(&mut self, pool: &mut OpenSegments, new: u32, end: u32) {
        let mut before = NONE;
        let mut here = self.head;
        while let Some(open) = pool.at(here) {
            let ahead = open.end.wrapping_sub(end);
            if ahead != 0 && ahead < 1 << 31 {
                break;
            }
            before = here;
            here = open.next;
        }
        if let Some(slot) = pool.at_mut(new) {
            slot.next = here;
        }
        match pool.at_mut(before) {
            Some(slot) => slot.next = new,
            None => self.head = new,
        }
        if here == NONE {
            self.tail = new;
        }
    }

    /// Takes out of Karn's rule whatever shares bytes with `seq..end`. Whether there was any.
    pub(super) fn mark_repeated(&self, pool: &mut OpenSegments, seq: u32, end: u32) -> bool {
        let mut any = false;
        let mut here = self.head;
        while let Some(open) = pool.at_mut(here) {
            if before(open.seq, end) && before(seq, open.end) {
                open.repeated = true;
                any = true;
            }
            here = open.next;
        }
        any
    }

    /// Forgets what `ack` acknowledges, and tells the segment that ends there.
    pub(super) fn acknowledge(&mut self, pool: &mut OpenSegments, ack: u32) -> Acked {
        let mut acked = Acked::default();
        let mut previous = NONE;
        let mut here = self.head;
        while let Some(open) = pool.at(here) {
            if before(ack, open.end) {
                if !self.disordered {
                    break;
                }
                previous = here;
            } else {
                acked.take(open, ack);
                self.unlink(pool, previous, here, open.next);
            }
            here = open.next;
        }
        acked
    }

    fn unlink(&mut self, pool: &mut OpenSegments, previous: u32, here: u32, next: u32) {
        match pool.at_mut(previous) {
            Some(slot) => slot.next = next,
            None => self.head = next,
        }
        if self.tail == here {
            self.tail = previous;
        }
        self.count = self.count.saturating_sub(1);
        pool.give_back(here);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, pool: &mut OpenSegments) {
        let mut here = self.head;
        while let Some(open) = pool.at(here) {
            pool.give_back(here);
            here = open.next;
        }
        *self = Self::default();
    }
}

impl Acked {
    fn take(&mut self, open: Open, ack: u32) {
        self.any_repeated |= open.repeated;
        // The queue has the segments of one end in the order in which they came, so the first one is the oldest.
        if open.end == ack && self.exact.is_none() {
            self.exact = Some(open);
        }
    }
}

/// Whether sequence number `a` comes before `b`, by serial arithmetic.
pub(super) const fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ack_takes_what_ends_at_or_before_it_and_names_the_oldest_copy() {
        let mut pool = OpenSegments::new(100);
        let mut queue = Queue::default();
        for (seq, end, time) in [(100, 200, 1), (200, 300, 2), (100, 200, 3), (300, 400, 4)] {
            queue.add(&mut pool, seq, end, time, false, false);
        }
        assert_eq!(queue.acknowledge(&mut pool, 150).exact.map(|open| open.time_ns), None);
        assert_eq!(queue.acknowledge(&mut pool, 200).exact.map(|open| open.time_ns), Some(1));
        assert_eq!(queue.acknowledge(&mut pool, 200).exact.map(|open| open.time_ns), None, "the copy went with it");
        assert_eq!(queue.acknowledge(&mut pool, 400).exact.map(|open| open.time_ns), Some(4));
        assert!(queue.is_empty());
        assert_eq!(pool.used, 0);
    }

    #[test]
    fn ends_that_cannot_be_ordered_are_all_looked_at() {
        let mut pool = OpenSegments::new(100);
        let mut queue = Queue::default();
        queue.add(&mut pool, 0, 10, 1, false, false);
        queue.add(&mut pool, 1 << 31, (1 << 31) + 10, 2, false, false);
        queue.add(&mut pool, 10, 20, 3, false, false);
        assert_eq!(queue.acknowledge(&mut pool, 20).exact.map(|open| open.time_ns), Some(3));
        assert!(!queue.is_empty());
        queue.clear(&mut pool);
        assert_eq!(pool.used, 0);
    }

    #[test]
    fn the_pool_has_an_end() {
        let mut pool = OpenSegments::new(2);
        let mut queue = Queue::default();
        for at in 0..3 {
            queue.add(&mut pool, at, at + 1, 0, false, false);
        }
        assert_eq!((pool.used, pool.refused()), (2, 1));
        queue.acknowledge(&mut pool, 1);
        queue.add(&mut pool, 5, 6, 0, false, false);
        assert_eq!((pool.used, pool.all.len()), (2, 2), "what was given back is used again");
    }
    /// Every segment in the order it came, looked at one by one: what the queue must be equal to.
    fn plainly(all: &mut Vec<(u32, i64)>, ack: u32) -> Option<i64> {
        let exact = all.iter().find(|(end, _)| *end == ack).map(|(_, time)| *time);
        all.retain(|(end, _)| before(ack, *end));
        exact
    }

    proptest! {
        #[test]
        fn the_queue_finds_what_a_plain_list_finds(
            base in any::<u32>(),
            steps in proptest::collection::vec((any::<bool>(), 0..500_u32), 0..100),
        ) {
            let mut pool = OpenSegments::new(1_000);
            let (mut queue, mut plain) = (Queue::default(), Vec::new());
            for (time, (ack, at)) in (0_i64..).zip(steps) {
                let end = base.wrapping_add(at);
                if ack {
                    let found = queue.acknowledge(&mut pool, end).exact.map(|open| open.time_ns);
                    prop_assert_eq!(found, plainly(&mut plain, end));
                } else {
                    queue.add(&mut pool, end.wrapping_sub(10), end, time, false, false);
                    plain.push((end, time));
                }
                prop_assert_eq!(pool.used, plain.len());
            }
        }
    }
}
