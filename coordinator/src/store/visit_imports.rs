//! Imports of visits as stored: what was sent, how far it is, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FirstVersion, Table};

/// All imports by id, which orders them by time.
pub const VISIT_IMPORTS: Table<String, VisitImport> = Table::new("visit_import");

/// Reasons that a tally keeps apart; more are counted together.
const MOST_REASONS: usize = 64;
/// Examples of each reason.
const EXAMPLES: usize = 5;
/// Longest example, so that a record stays small.
const LONGEST_EXAMPLE: usize = 160;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// Found out by its first lines.
    Auto,
    /// nginx's access log.
    Nginx,
    /// Apache's access log.
    Apache,
    /// Caddy's JSON access log.
    Caddy,
    /// A CSV export of Plausible, whole or one table of it.
    Plausible,
}

impl ImportFormat {
    /// All.
    pub const ALL: [Self; 5] = [Self::Auto, Self::Nginx, Self::Apache, Self::Caddy, Self::Plausible];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Plausible => "plausible",
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// It waits for its turn.
    Queued,
    /// It is being read.
    Running,
    /// Everything is counted.
    Done,
    /// It failed, and what it had brought is removed.
    Failed,
}

impl ImportState {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitImport {
    /// What the sender calls the file.
    pub name: String,
    /// The site of everything in it; without one the log says it line by line.
    pub site: Option<String>,
    /// What the file is.
    pub format: ImportFormat,
    /// Only count.
    #[serde(default)]
    pub dry_run: bool,
    /// Bytes of the file.
    pub bytes: u64,
    /// Hash of the file, in hexadecimal.
    pub sha256: String,
    /// How far it is.
    pub state: ImportState,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// When it was sent, nanoseconds since 1970.
    pub created_ns: u64,
    /// When it was over.
    #[serde(default)]
    pub ended_ns: Option<u64>,
    /// What was found.
    #[serde(default)]
    pub tally: ImportTally,
}

/// What was found in a file so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTally {
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Lines, or rows of tables.
    pub lines: u64,
    /// Those that count.
    pub accepted: u64,
    /// Those that do not, by reason.
    pub skipped: BTreeMap<String, ImportSkipped>,
}

/// Lines that do not count for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSkipped {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<ImportExample>,
}

/// A line that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportExample {
    /// Its file in an archive; empty otherwise.
    #[serde(default)]
    pub file: String,
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

impl ImportTally {
    /// Counts a line that does not count, for a reason of a closed list.
    pub fn skip(&mut self, reason: &str, file: &str, line: u64, message: &dyn std::fmt::Display) {
        let known = self.skipped.contains_key(reason) || self.skipped.len() < MOST_REASONS;
        let skipped = self.skipped.entry(if known { reason } else { "other" }.to_owned()).or_default();
        skipped.count += 1;
        if skipped.examples.len() < EXAMPLES {
            let message = message.to_string().chars().take(LONGEST_EXAMPLE).collect();
            skipped.examples.push(ImportExample { file: file.to_owned(), line, message });
        }
    }

    /// Lines that do not count.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.values().map(|skipped| skipped.count).sum()
    }
}

impl FirstVersion for VisitImport {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_stays_small() {
        let mut tally = ImportTally::default();
        for line in 0..500 {
            tally.skip(&format!("reason {}", line % 100), "", line, &"x".repeat(1000));
        }
        assert_eq!(tally.skipped(), 500);
        assert!(tally.skipped.len() <= MOST_REASONS + 1);
        let longest = tally.skipped.values().flat_map(|skipped| &skipped.examples).map(|one| one.message.len()).max();
        assert_eq!(longest, Some(LONGEST_EXAMPLE));
    }
}
