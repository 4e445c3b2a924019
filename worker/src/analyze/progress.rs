//! The line on standard error that shows how far a long analysis is.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use crate::generate::figures::{bytes, count, float, ratio, whole};

/// Files below this are done before a line helps anybody.
const WORTH_SHOWING: u64 = 100_000_000;
const EVERY: Duration = Duration::from_millis(200);
/// Cells of the bar.
const WIDTH: u64 = 24;

/// Shows a line a few times a second, on a terminal always in the same place.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    in_place: bool,
    length: Option<u64>,
    began: Instant,
    last: Option<Instant>,
}

impl Progress {
    /// On a terminal for files above 100 MB and for pipes, or where it is asked for.
    pub(super) fn new(quiet: bool, asked: bool, length: Option<u64>) -> Self {
        let in_place = stderr().is_terminal();
        let worth = length.is_none_or(|length| length > WORTH_SHOWING);
        Self { shown: !quiet && (asked || (in_place && worth)), in_place, length, began: Instant::now(), last: None }
    }

    /// Shows how far it is, unless that was done a moment ago.
    pub(super) fn show(&mut self, read: u64, packets: u64) {
        if !self.shown || self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let line = line(read, self.length, packets, self.began.elapsed().as_secs_f64());
        let (head, tail) = if self.in_place { ("\r\x1b[K", "") } else { ("", "\n") };
        self.write(&format!("{head}{line}{tail}"));
    }

    /// Clears the line.
    pub(super) fn end(&mut self) {
        if self.shown && self.in_place && self.last.is_some() {
            self.write("\r\x1b[K");
        }
    }

    /// A terminal that is gone is no reason to stop; it is not written to again.
    fn write(&mut self, text: &str) {
        let mut out = stderr().lock();
        self.shown = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    }
}

fn line(read: u64, length: Option<u64>, packets: u64, seconds: f64) -> String {
    let rate = whole(ratio(float(packets), seconds));
    let figures = format!("{} packets  {} packets/s", count(packets), count(rate));
    let Some(length) = length.filter(|length| *length > 0) else {
        return format!("{}  {figures}", bytes(read));
    };
    let read = read.min(length);
    let full = usize::try_from(read * WIDTH / length).unwrap_or(0);
    let empty = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(full);
    let left = whole(ratio(seconds * float(length - read), float(read)));
    format!(
        "[{}{}] {:>3} %  {} of {}  {figures}  {left} s left",
        "█".repeat(full),
        "░".repeat(empty),
        read * 100 / length,
        bytes(read),
        bytes(length),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let expected = "[████████████░░░░░░░░░░░░]  50 %  100 MB of 200 MB  1 000 packets  500 packets/s  2 s left";
        assert_eq!(line(100_000_000, Some(200_000_000), 1_000, 2.0), expected);
        assert_eq!(line(5_000, None, 10, 1.0), "5 000 B  10 packets  10 packets/s");
        assert!(line(0, Some(200), 0, 0.0).contains("  0 %"));
        assert!(line(300, Some(200), 0, 1.0).contains("100 %"));
    }

    #[test]
    fn small_files_and_quiet_runs_show_nothing() {
        assert!(!Progress::new(false, false, Some(1_000)).shown);
        assert!(!Progress::new(true, false, None).shown);
        assert!(Progress::new(false, true, Some(1)).shown);
    }
}
