//! Colour, on terminals that want it.

use std::io::{IsTerminal as _, stdout};

use trafficlab_shared::model::capture::anomaly::Severity;

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analyze) struct Paint {
    coloured: bool,
}

impl Paint {
    /// On a terminal, unless `NO_COLOR` is set (<https://no-color.org>) or the result goes to a file.
    pub(in crate::analyze) fn of_terminal(to_file: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { coloured: !to_file && !unwanted && !dumb && stdout().is_terminal() }
    }

    #[cfg(test)]
    pub(in crate::analyze) const fn plain() -> Self {
        Self { coloured: false }
    }

    #[cfg(test)]
    pub(in crate::analyze) const fn coloured() -> Self {
        Self { coloured: true }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::High => "1;31",
            Severity::Medium => "33",
        };
        self.with(code, text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
