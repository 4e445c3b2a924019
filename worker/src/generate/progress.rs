//! The line on standard error that shows how a run goes.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use super::collect::Collected;
use super::figures::{count, float, ms, whole};

/// Shows a line a second, on a terminal always in the same place.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    in_place: bool,
    sent_before: u64,
    before: Duration,
}

impl Progress {
    /// On a terminal, or where it is asked for.
    pub(super) fn new(quiet: bool, asked: bool) -> Self {
        let in_place = stderr().is_terminal();
        Self { shown: !quiet && (asked || in_place), in_place, sent_before: 0, before: Duration::ZERO }
    }

    /// Shows the run as it is `after` its start.
    pub(super) fn show(&mut self, collected: &Collected, after: Duration) {
        let sent = collected.counts.sent - std::mem::replace(&mut self.sent_before, collected.counts.sent);
        // Threads report of whole seconds, and the line is shown a little after each.
        let seconds = after.as_secs().saturating_sub(std::mem::replace(&mut self.before, after).as_secs());
        if !self.shown {
            return;
        }
        let rate = float(sent) / float(seconds.max(1));
        let line = line(collected, after, rate);
        let (head, tail) = if self.in_place { ("\r\x1b[K", "") } else { ("", "\n") };
        self.write(&format!("{head}{line}{tail}"));
    }

    /// Leaves the line behind.
    pub(super) fn end(&mut self) {
        if self.shown && self.in_place {
            self.write("\r\x1b[K");
        }
    }

    /// A terminal that is gone is no reason to stop; it is not written to again.
    fn write(&mut self, text: &str) {
        let mut out = stderr().lock();
        self.shown = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    }
}

fn line(collected: &Collected, after: Duration, rate: f64) -> String {
    let counts = &collected.counts;
    let response = &collected.times.response;
    let at = |per_million| ms(response.quantile(per_million));
    let lost = counts.dropped + counts.missed;
    let lost = if lost > 0 { format!(", {} dropped or missed", count(lost)) } else { String::new() };
    format!(
        "{:>4} s  {} sent  {}/s  p50 {}  p95 {}  p99 {} ms  {} errors{lost}  lag p99 {} ms",
        after.as_secs(),
        count(counts.sent),
        count(whole(rate)),
        at(500_000),
        at(950_000),
        at(990_000),
        count(counts.failed()),
        ms(collected.times.lag.quantile(990_000)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficlab_engine::traffic::histogram::Histogram;

    #[test]
    fn the_line_says_what_matters() {
        let mut collected = Collected::default();
        collected.counts.sent = 12_345;
        collected.counts.succeeded = 12_340;
        collected.counts.dropped = 7;
        collected.times.response = Histogram::of(&mut [1_500, 1_500, 20_000]);
        let line = line(&collected, Duration::from_millis(3_020), 4_100.4);
        let expected = "   3 s  12 345 sent  4 100/s  p50 1.50  p95 20.0  p99 20.0 ms  5 errors, 7 dropped or missed  \
                        lag p99 0.00 ms";
        assert_eq!(line, expected);
    }
}
