//! The letters by which Zeek tells what happened in a connection, in order.

use super::machine::{ACK, FIN, RST, SYN};

/// Letters held; later ones are left out.
const MOST: usize = 18;

/// What the history needs of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// 0 is the originator.
    pub(crate) from: usize,
    /// TCP flags.
    pub(crate) flags: u16,
    /// Sequence number, when it is known.
    pub(crate) seq: u32,
    /// Payload bytes.
    pub(crate) len: u32,
}

/// Upper case is the originator. `A`, `D`, `I` and `Q` are told once per direction; `S`, `H`, `F` and `R` again when the
/// sequence number differs; `G`, `T` and `W` at the first, tenth, hundredth, … time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct History {
    letters: [u8; MOST],
    count: u8,
    /// A, D, I, Q, S or H, F, R seen, per direction.
    seen: [u8; 2],
    /// Sequence numbers of the last SYN, FIN and RST; a single place each, since the ends rarely share one.
    last: [[u32; 3]; 2],
}

const SAW_ACK: u8 = 1;
const SAW_DATA: u8 = 2;
const SAW_ODD: u8 = 4;
const SAW_MANY: u8 = 8;
const SAW_SYN: u8 = 16;
const SAW_FIN: u8 = 32;
const SAW_RST: u8 = 64;

impl History {
    /// Notes a segment.
    pub(crate) fn step(&mut self, step: Step) {
        let control = step.flags & (SYN | FIN | RST);
        let once = match control.count_ones() {
            0 if step.len > 0 => Some((SAW_DATA, b'D')),
            0 if step.flags & ACK != 0 => Some((SAW_ACK, b'A')),
            0 => None,
            1 => return self.control(step, control),
            _ if step.flags & (FIN | RST) == FIN | RST => Some((SAW_ODD, b'I')),
            _ => Some((SAW_MANY, b'Q')),
        };
        if let Some((bit, letter)) = once
            && self.first(step.from, bit)
        {
            self.add(step.from, letter);
        }
    }

    /// Notes the `nth` time of something that is told at powers of ten: `G`, `T` or `W`.
    pub(crate) fn repeated(&mut self, from: usize, letter: u8, nth: u32) {
        if nth.checked_ilog10().is_some_and(|power| 10_u32.checked_pow(power) == Some(nth)) {
            self.add(from, letter);
        }
    }

    /// Notes that the ends were exchanged.
    pub(crate) fn flipped(&mut self) {
        self.add(0, b'^');
    }

    /// Notes a packet of a connection that is not TCP.
    pub(crate) fn datagram(&mut self, from: usize) {
        if self.first(from, SAW_DATA) {
            self.add(from, b'D');
        }
    }

    /// The letters.
    pub(crate) fn text(&self) -> String {
        self.letters.iter().take(usize::from(self.count)).map(|&letter| char::from(letter)).collect()
    }

    /// Whether it begins with SYNs of the originator and comes to its RST with no answer in between.
    pub(crate) fn syn_then_reset(&self) -> bool {
        let letters = self.letters.iter().take(usize::from(self.count)).skip_while(|&&letter| letter == b'^');
        let mut letters = letters.copied();
        letters.next() == Some(b'S') && letters.find(|letter| b"HAFGIQR".contains(letter)) == Some(b'R')
    }

    fn control(&mut self, step: Step, control: u16) {
        let (bit, letter, place, seq) = match control {
            SYN if step.flags & ACK != 0 => (SAW_SYN, b'H', 0, step.seq),
            SYN => (SAW_SYN, b'S', 0, step.seq),
            // A FIN stands behind the data of its segment.
            FIN => (SAW_FIN, b'F', 1, step.seq.wrapping_add(step.len)),
            _ => (SAW_RST, b'R', 2, step.seq),
        };
        let first = self.first(step.from, bit);
        if let Some(last) = self.last.get_mut(step.from).and_then(|lasts| lasts.get_mut(place)) {
            let differs = *last != seq;
            *last = seq;
            if first || differs {
                self.add(step.from, letter);
            }
        }
    }

    fn first(&mut self, from: usize, bit: u8) -> bool {
        self.seen.get_mut(from).is_some_and(|seen| {
            let first = *seen & bit == 0;
            *seen |= bit;
            first
        })
    }

    fn add(&mut self, from: usize, letter: u8) {
        if let Some(place) = self.letters.get_mut(usize::from(self.count)) {
            *place = if from == 0 { letter } else { letter.to_ascii_lowercase() };
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: usize, flags: u16, seq: u32, len: u32) -> Step {
        Step { from, flags, seq, len }
    }

    #[test]
    fn letters_are_those_of_conn_log() {
        let mut history = History::default();
        for taken in [
            step(0, SYN, 1, 0),
            step(0, SYN, 1, 0),
            step(1, SYN | ACK, 9, 0),
            step(0, ACK, 2, 0),
            step(0, ACK, 2, 5),
            step(0, ACK, 7, 5),
            step(1, ACK, 10, 5),
            step(0, FIN | ACK, 12, 0),
            step(1, FIN | ACK, 15, 0),
            step(0, RST, 13, 0),
            step(0, RST, 14, 0),
        ] {
            history.step(taken);
        }
        assert_eq!(history.text(), "ShADdFfRR");
    }

    #[test]
    fn repeats_are_told_at_powers_of_ten() {
        let mut history = History::default();
        for nth in 1..=100 {
            history.repeated(1, b'T', nth);
        }
        assert_eq!(history.text(), "ttt");
    }

    #[test]
    fn a_syn_and_a_reset_without_an_answer() {
        let mut history = History::default();
        history.step(step(0, SYN, 1, 0));
        assert!(!history.syn_then_reset());
        history.step(step(0, RST, 2, 0));
        assert!(history.syn_then_reset());
    }
}
