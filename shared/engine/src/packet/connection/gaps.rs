//! Bytes of a direction that were never seen.

/// Holes remembered one by one; further ones count as never filled.
const MOST: usize = 64;

/// The highest sequence number seen, and the holes below it. Most directions never have one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps {
    next: Option<u32>,
    holes: Option<Box<Holes>>,
    lost: u64,
}

/// Holes as first and past-the-end sequence numbers, boxed together so that a direction without any stays small.
#[derive(Debug, Clone, Default)]
struct Holes {
    list: Vec<(u32, u32)>,
}

impl Gaps {
    /// Takes the part of the sequence space that a segment covers. True when it opened a hole.
    pub(crate) fn take(&mut self, seq: u32, len: u32) -> bool {
        let end = seq.wrapping_add(len);
        let Some(next) = self.next else {
            self.next = Some(end);
            return false;
        };
        let opened = after(seq, next);
        if opened {
            self.open(next, seq);
        } else if after(next, seq) && self.holes.is_some() {
            self.fill(seq, end);
        }
        if after(end, next) {
            self.next = Some(end);
        }
        opened
    }

    /// Bytes in holes.
    pub(crate) fn missed(&self) -> u64 {
        let open = self.holes.iter().flat_map(|holes| holes.list.iter());
        self.lost + open.map(|&(from, to)| u64::from(to.wrapping_sub(from))).sum::<u64>()
    }

    fn open(&mut self, from: u32, to: u32) {
        let holes = &mut self.holes.get_or_insert_default().list;
        if holes.len() < MOST {
            holes.push((from, to));
        } else {
            self.lost += u64::from(to.wrapping_sub(from));
        }
    }

    fn fill(&mut self, seq: u32, end: u32) {
        let Some(boxed) = self.holes.as_mut() else { return };
        let holes = &mut boxed.list;
        let old = std::mem::take(holes);
        for (from, to) in old {
            if !after(to, seq) || !after(end, from) {
                holes.push((from, to));
                continue;
            }
            if after(seq, from) {
                holes.push((from, seq));
            }
            if after(to, end) {
                holes.push((end, to));
            }
        }
        if holes.is_empty() {
            self.holes = None;
        }
    }
}

/// Whether `a` lies behind `b` in the circle of sequence numbers.
fn after(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_count_until_they_are_filled() {
        let mut gaps = Gaps::default();
        assert!(!gaps.take(u32::MAX - 9, 5));
        assert!(gaps.take(5, 10), "ten bytes are missing, across the wrap");
        assert_eq!(gaps.missed(), 10);
        gaps.take(u32::MAX - 4, 2);
        assert_eq!(gaps.missed(), 8);
        gaps.take(1, 2);
        assert_eq!(gaps.missed(), 6);
        gaps.take(u32::MAX - 4, 10);
        assert_eq!(gaps.missed(), 0);
        assert!(gaps.holes.is_none());
    }
}
