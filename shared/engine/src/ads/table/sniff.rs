//! What a file is, from its first bytes.

use std::io::Read;

use csv::ByteRecord;

use super::layout::{HEADER_WITHIN, Layout, Unrecognised, recognise};
use super::text::{Broken, Encoding, Table};

/// The signs that may stand between cells.
const SEPARATORS: [u8; 3] = [b',', b'\t', b';'];
/// How much is looked at.
const HEAD: u64 = 256 * 1024;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The columns.
    pub layout: Layout,
    /// What stands between cells.
    pub separator: u8,
    /// How the letters are written.
    pub encoding: Encoding,
}

/// Finds out what a file is; the separator is the one under which there is a header.
///
/// # Errors
/// Why it is none of ours.
pub fn sniff(file: impl Read) -> Result<Found, Unrecognised> {
    let mut head = Vec::new();
    let read = file.take(HEAD).read_to_end(&mut head);
    if read.is_err() || head.iter().all(u8::is_ascii_whitespace) {
        return Err(Unrecognised::Empty);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0x1F, 0x8B]) || head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0])
    {
        return Err(Unrecognised::Packed);
    }
    let mut worst = Unrecognised::NoHeader;
    for separator in SEPARATORS {
        let (encoding, rows) = first_rows(&head, separator).map_err(|_broken| Unrecognised::NoHeader)?;
        match recognise(&rows) {
            Ok(layout) => return Ok(Found { layout, separator, encoding }),
            Err(missing @ Unrecognised::Missing { .. }) => worst = missing,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// The first rows so far as they can be read.
fn first_rows(head: &[u8], separator: u8) -> Result<(Encoding, Vec<ByteRecord>), Broken> {
    let mut table = Table::open(head, separator)?;
    let mut rows = Vec::new();
    let mut row = ByteRecord::new();
    while rows.len() < HEADER_WITHIN && matches!(table.next(&mut row), Ok(true)) {
        rows.push(row.clone());
    }
    Ok((table.encoding(), rows))
}
