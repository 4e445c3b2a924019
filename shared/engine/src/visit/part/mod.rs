//! A sealed part: the visits of one site and one UTC day, never changed once written.
//!
//! ```text
//! slices, by the highest byte of the visitor, those without rows left out; each:
//!    visitors: the distinct ones, 8 bytes each, then how many rows each has
//!    time: milliseconds of the day, 4 bytes
//!    traffic, then the codes in the order of `STORED`, then the revenue; 0, 1, 2, 4 or 8 bytes as the footer says
//! dictionaries in the order of `STORED`: lengths and texts, through zstd where that is shorter
//! footer: summary, widths, dictionaries, slices (see `footer`)
//! 4  length of the footer
//! 4  CRC-32 of the footer and its length
//! 8  magic, the last byte is the version
//! ```
//! Numbers are little endian, or LEB128 in the footer. Every column of every slice and every dictionary ends in or is
//! told with a CRC-32, which is verified when it is read. Columns with a single value over the whole part take no byte.
//! A slice of a question is one read: what is asked for most comes first.

mod dictionaries;
mod footer;
mod merge;
mod read;
mod recode;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::io;

use serde::{Deserialize, Serialize};

use super::column::{DICTS, Dict};

pub use dictionaries::Recent;
pub use merge::merge;
pub use read::Part;
pub use write::write;

const MAGIC: [u8; 8] = [0xf5, b'T', b'L', b'V', b'P', b'A', b'R', 1];
/// Length, checksum and magic.
const TAIL: usize = 16;
const CHECKSUM: usize = 4;

/// The dictionaries of a part, those that most questions need first. The site's name is not among them.
const STORED: [Dict; DICTS - 1] = [
    Dict::Event,
    Dict::Agent,
    Dict::Page,
    Dict::Acquisition,
    Dict::Place,
    Dict::Campaign,
    Dict::Currency,
    Dict::Props,
    Dict::Click,
    Dict::User,
];

/// Bytes that can be read at any place, by several threads at once.
pub trait ReadAt: Send + Sync {
    /// Fills `into` from `offset`.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` when there are fewer bytes.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Number of bytes.
    ///
    /// # Errors
    /// What the system says.
    fn size(&self) -> io::Result<u64>;
}

impl ReadAt for std::fs::File {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, into, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX);
        let from = self.get(begin..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.len()).unwrap_or(u64::MAX))
    }
}

/// What a part holds, for those who do not open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartSummary {
    /// UTC day since 1970-01-01.
    pub day: i64,
    /// Number of rows.
    pub rows: u64,
    /// Time of the first row in milliseconds of the Unix epoch; the beginning of the day without rows.
    pub first_ms: i64,
    /// Time of the last row, likewise.
    pub last_ms: i64,
    /// Rows by `Traffic`.
    pub traffic: [u64; 3],
    /// Rows of real traffic that are taken for bots.
    pub bots: u64,
    /// Length in bytes.
    pub bytes: u64,
}
