//! A frame of an open log: the rows that were made durable together, and the texts that are new with them.
//!
//! ```text
//! 4  magic, the last byte is the version
//! 4  length of the body
//! 4  CRC-32 of the length and the body
//! body:
//!    received_ms (signed)
//!    number of dictionaries that grew; each: dictionary, first code, number of texts, their lengths, their bytes
//!    number of rows
//!    visitors, 8 bytes each
//!    columns: time since received_ms (folded), event id, revenue (folded), traffic, then the codes by dictionary; each
//!    is its smallest value, a width of 0, 1, 2, 4 or 8 bytes, and what every row adds to the smallest value
//! ```
//! Numbers are LEB128 or little endian. A column whose rows agree costs two bytes, so that a frame of one row is small
//! and one of many is narrow. The magic's first byte never occurs in UTF-8, so no text can hold a frame.

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::column::{Dict, Row};

pub use read::{FrameEnd, FrameReader};
pub use write::encode;

const MAGIC: [u8; 4] = [0xf5, b'V', b'F', VERSION];
const VERSION: u8 = 1;
const HEAD: usize = 12;

/// What a frame holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame<'a> {
    /// When the server took the rows, in milliseconds of the Unix epoch.
    pub received_ms: i64,
    /// New texts.
    pub texts: Vec<FreshTexts<'a>>,
    /// Rows, in the order in which they were recorded.
    pub rows: Vec<Row>,
}

/// Texts that follow those a dictionary has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshTexts<'a> {
    /// Of which dictionary.
    pub dict: Dict,
    /// Code of the first one.
    pub first: u32,
    /// The texts.
    pub texts: Vec<&'a str>,
}

/// The checksum of a frame: over the four bytes of the length and the body.
fn checksum(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}
