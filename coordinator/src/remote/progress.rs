//! The line on standard error that shows how far a transfer is; only where a person looks.

use std::io::{IsTerminal as _, Write as _, stderr};

/// Cells of the bar.
const WIDTH: u64 = 24;

/// Shows a line always in the same place of a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    dirty: bool,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && stderr().is_terminal(), dirty: false }
    }

    pub(super) fn show(&mut self, what: &str, done: u64, all: u64) {
        if self.shown {
            self.dirty = true;
            self.write(&format!("\r\x1b[K{}", line(what, done, all)));
        }
    }

    /// Clears the line.
    pub(super) fn end(&mut self) {
        if self.shown && self.dirty {
            self.write("\r\x1b[K");
        }
    }

    /// A terminal that is gone is no reason to stop; it is not written to again.
    fn write(&mut self, text: &str) {
        let mut out = stderr().lock();
        self.shown = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    }
}

fn line(what: &str, done: u64, all: u64) -> String {
    let done = done.min(all);
    let Some(percent) = (done * 100).checked_div(all) else {
        return what.to_owned();
    };
    let full = usize::try_from(done * WIDTH / all).unwrap_or(0);
    let empty = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(full);
    format!("[{}{}] {percent:>3} %  {what}", "█".repeat(full), "░".repeat(empty))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_says_how_far() {
        assert_eq!(line("sending", 50, 100), "[████████████░░░░░░░░░░░░]  50 %  sending");
        assert_eq!(line("importing", 200, 100), "[████████████████████████] 100 %  importing");
        assert_eq!(line("waiting", 0, 0), "waiting");
    }
}
