//! The whole store as JSON lines, independent of the engine and of the files: for backups and for leaving an engine.
//!
//! ```text
//! {"format":"trafficlab-dump","version":2}
//! {"k":"<base64>","v":"<base64>"}                                              one per key, in key order
//! {"segment":{"file":0,"offset":0,"len":321,"frame":"<base64>"}}               one per frame, in file order
//! {"file":{"path":"keys","offset":0,"len":32,"bytes":"<base64>"}}              one per piece of the visits' files, in order
//! {"end":{"keys":1,"frames":1,"pieces":1,"sha256":"<hex of all bytes before this line>"}}
//! ```
//! The files of visits are formats of their own that do not depend on the engine, so they are carried as they are, and a
//! restored server answers the same. A piece of zeros has no bytes. Version 1 had no files. Frames keep their places, because the keys refer to them. Of an erased frame only the header is written, so `frame` is
//! shorter than `len`. Both directions hold one line in memory.

use serde::{Deserialize, Serialize};

use super::kv::StoreError;
use super::segment::SegmentError;

mod files;
mod lines;
mod restore;
mod target;
#[cfg(test)]
mod tests;
mod write;

pub use restore::restore;
pub use write::dump;

const FORMAT: &str = "trafficlab-dump";
const VERSION: u32 = 2;
/// The oldest version that is read.
const OLDEST: u32 = 1;

/// What a dump holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DumpCounts {
    /// Keys of the key-value store.
    pub keys: u64,
    /// Frames of the segment files, erased ones included.
    pub frames: u64,
    /// Pieces of the visits' files.
    pub pieces: u64,
}

/// Why a dump or a restore failed. A failed restore leaves nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// Reading or writing the key-value store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading the segment files failed.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// Reading or writing the dump, or writing the restored files, failed.
    #[error("cannot {what}: {source}")]
    Io {
        /// The operation.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The target of a restore holds something already.
    #[error("`{path}` is not empty; restore into a new folder")]
    NotEmpty {
        /// The target.
        path: String,
    },
    /// The first line is not that of a dump this program can read.
    #[error("this is not a dump of version {VERSION}")]
    UnknownFormat,
    /// The last line is missing.
    #[error("the dump is cut off after line {line}")]
    Truncated {
        /// Number of the last line that is there.
        line: u64,
    },
    /// The content is not what was dumped.
    #[error("the dump is damaged at line {line}: {reason}")]
    Damaged {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl DumpError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine<'a> {
    format: &'a str,
    version: u32,
}

/// Every line but the first. The text is borrowed from the line: Base64 needs no escapes, so no copy either.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line<'a> {
    Pair {
        k: &'a str,
        v: &'a str,
    },
    Segment {
        #[serde(borrow)]
        segment: SegmentLine<'a>,
    },
    File {
        #[serde(borrow)]
        file: FileLine<'a>,
    },
    End {
        #[serde(borrow)]
        end: EndLine<'a>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentLine<'a> {
    file: u32,
    offset: u64,
    len: u32,
    frame: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine<'a> {
    /// Names with `/` between them. Names are our own, so that they need no escapes.
    path: &'a str,
    offset: u64,
    len: u64,
    bytes: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine<'a> {
    keys: u64,
    frames: u64,
    #[serde(default)]
    pieces: u64,
    sha256: &'a str,
}

/// The hash as it stands in the last line.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}
