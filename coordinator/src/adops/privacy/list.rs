//! The list of what was erased, outside the store: so that a restored dump can be erased again.
//!
//! `DATA_DIR/erased.jsonl` holds one line an erasure, with numbers only. It is written after the erasure is durable and
//! before it is answered; what a crash leaves out is added at the next start.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::due::Erased;
use crate::store::sync_folder;

/// Its name in the data folder.
pub const FILE: &str = "erased.jsonl";

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// What was erased, and how.
    pub kind: Erased,
    /// Of which tenant.
    pub tenant: u64,
    /// Its number; of a tenant the same again.
    pub id: u64,
    /// When, nanoseconds since 1970. What was made later is somebody else.
    pub at_ns: u64,
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Reading or writing it failed.
    #[error("the list of erasures `{FILE}` cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// It is not such a list.
    #[error("line {line} of the list of erasures cannot be read: {reason}")]
    Damaged {
        /// From 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

/// The list.
#[derive(Debug, Clone)]
pub struct ErasedList {
    path: PathBuf,
    lines: Arc<Mutex<BTreeSet<Line>>>,
}

impl ErasedList {
    /// Reads the list of a data folder; it may be missing. What a crash left of a last line is cut off. Blocks.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(data_dir: &Path) -> Result<Self, ListError> {
        let path = data_dir.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < bytes.len() {
            tracing::warn!("the last line of the list of erasures was cut off by a crash, it is written again");
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(u64::try_from(whole).unwrap_or(0))?;
            file.sync_all()?;
        }
        let lines = read(bytes.get(..whole).unwrap_or_default())?;
        Ok(Self { path, lines: Arc::new(Mutex::new(lines)) })
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Adds lines durably; known ones are not repeated. Blocks.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&self, lines: &[Line]) -> io::Result<()> {
        let mut known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<Line> = lines.iter().filter(|line| !known.contains(line)).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for line in &new {
            text.push_str(&serde_json::to_string(line)?);
            text.push('\n');
        }
        let mut file = append(&self.path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            // Half a line would make the next one unreadable.
            file.set_len(before)?;
            return Err(error);
        }
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))?;
        known.extend(new);
        Ok(())
    }
}

/// Adds the lines of the file `from` to the list of a data folder, before a dump is restored into it. Blocks.
///
/// # Errors
/// When one of both cannot be read or written.
pub fn carry_over(from: &Path, data_dir: &Path) -> Result<usize, ListError> {
    let lines: Vec<Line> = read(&std::fs::read(from)?)?.into_iter().collect();
    ErasedList::open(data_dir)?.add(&lines)?;
    Ok(lines.len())
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn read(bytes: &[u8]) -> Result<BTreeSet<Line>, ListError> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines
        .map(|(at, line)| {
            let read = serde_json::from_slice(line);
            read.map_err(|error| ListError::Damaged { line: at + 1, reason: error.to_string() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const fn line(id: u64) -> Line {
        Line { kind: Erased::Anonymised, tenant: 1, id, at_ns: 5 }
    }

    #[test]
    fn lines_are_kept_once_and_a_half_one_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasedList::open(folder.path()).unwrap();
        list.add(&[line(1), line(2)]).unwrap();
        list.add(&[line(2), line(3)]).unwrap();
        let path = folder.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next().unwrap(), r#"{"kind":"anonymised","tenant":1,"id":1,"at_ns":5}"#);
        assert_eq!(text.lines().count(), 3);
        std::fs::write(&path, format!("{text}{{\"kind\":\"anon")).unwrap();
        let list = ErasedList::open(folder.path()).unwrap();
        assert_eq!(list.lines(), [line(1), line(2), line(3)]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_list_is_carried_over_and_another_file_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::create_dir_all(&from).unwrap();
        std::fs::create_dir_all(&to).unwrap();
        ErasedList::open(&from).unwrap().add(&[line(1), line(2)]).unwrap();
        ErasedList::open(&to).unwrap().add(&[line(2), line(9)]).unwrap();
        assert_eq!(carry_over(&from.join(FILE), &to).unwrap(), 2);
        assert_eq!(ErasedList::open(&to).unwrap().lines(), [line(1), line(2), line(9)]);
        std::fs::write(from.join("x"), "not json\n").unwrap();
        assert!(matches!(carry_over(&from.join("x"), &to), Err(ListError::Damaged { line: 1, .. })));
        assert!(carry_over(&from.join("missing"), &to).is_err());
    }
}
