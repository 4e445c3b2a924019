//! Bulk data in shared append-only logs: one file grows at a time, whichever jobs the frames belong to, so that one
//! `fdatasync` makes the results of all of them durable (a file per campaign costs a sync each).
//!
//! `SegmentLog` is the one writer. `SegmentDir` is everything else: read, scan, erase, remove, measure. Where a frame lies
//! is a `Location`, which the caller keeps in the key-value store, together with the committed position of the log.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub mod dir;
mod erase;
pub mod frame;
pub mod live;
pub mod log;
mod meta;
mod scan;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod full_disk_tests;
#[cfg(test)]
mod tests;

pub use dir::SegmentDir;
pub use frame::{Frame, FrameMeta, FrameOwned};
pub use live::LiveBytes;
pub use log::{SegmentLog, SegmentOptions};
pub use scan::{FrameScan, Scanned};

/// Where a frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Number of the file.
    pub file: u32,
    /// First byte of the frame.
    pub offset: u64,
    /// Bytes of the frame with its header.
    pub len: u32,
}

/// How far the log counts: all files before `file`, and `len` bytes of it. The default is an empty log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Committed {
    /// Number of the last file.
    pub file: u32,
    /// Bytes of the last file.
    pub len: u64,
}

/// What can go wrong with segment files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The system refused. After a failed append the log is as it was before.
    #[error("cannot {what} `{path}`: {message}")]
    Io {
        /// The operation.
        what: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        message: String,
        /// Whether there was no room, which may pass.
        full: bool,
    },
    /// The bytes at `offset` are not the frame they should be.
    #[error("segment {file} is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Number of the file.
        file: u32,
        /// Where the frame begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The frame was erased on purpose.
    #[error("the frame at byte {offset} of segment {file} was erased")]
    Erased {
        /// Number of the file.
        file: u32,
        /// Where the frame begins.
        offset: u64,
    },
    /// The disk holds less than the store says was committed.
    #[error("segment {file} has {found} bytes, but {committed} were committed")]
    Missing {
        /// Number of the file.
        file: u32,
        /// Bytes on the disk.
        found: u64,
        /// Bytes the store knows of.
        committed: u64,
    },
    /// A frame is over the format's limits.
    #[error("a frame's {what} of {len} bytes is over the limit of {limit}")]
    TooLarge {
        /// `payload` or `counters`.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// An earlier failure left the log in an unknown state; it has to be opened again.
    #[error("the segment log takes no more frames: {reason}")]
    Broken {
        /// That failure.
        reason: String,
    },
}

impl SegmentError {
    pub(crate) fn io(what: &'static str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let full = matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge);
        Self::Io { what, path: path.display().to_string(), message: error.to_string(), full }
    }

    /// Whether the disk (or a quota on it) is full, so that the same call may succeed later.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { full: true, .. })
    }
}

/// Result of segment operations.
pub type Result<T> = std::result::Result<T, SegmentError>;

/// The file of a number.
pub(crate) fn file_path(folder: &Path, file: u32) -> PathBuf {
    folder.join(format!("{file:010}.seg"))
}

/// The numbers of all segment files, ascending. Other files are ignored.
pub(crate) fn file_numbers(folder: &Path) -> Result<Vec<u32>> {
    let failed = |error: std::io::Error| SegmentError::io("list", folder, &error);
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|text| text.parse::<u32>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}
