//! Reading the lines of a dump.

use std::io::{BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::{DumpError, FORMAT, HeaderLine, Line, OLDEST, VERSION};
use crate::store::segment::frame;

/// Longer lines are damage: the longest holds one frame in Base64 and a few numbers.
const MAX_LINE_BYTES: usize = frame::MAX_FRAME_BYTES / 3 * 4 + 4096;

/// An error that does not know its line yet.
pub(super) enum LineError {
    Damaged(String),
    Other(DumpError),
}

impl LineError {
    /// Adds the line.
    pub(super) fn at(self, line: u64) -> DumpError {
        match self {
            Self::Damaged(reason) => DumpError::Damaged { line, reason },
            Self::Other(error) => error,
        }
    }
}

impl<E: Into<DumpError>> From<E> for LineError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// The lines of a dump, hashed as they are read.
pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    hash: Sha256,
    buffer: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, hash: Sha256::new(), buffer: Vec::new(), number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The hash of all lines read so far.
    pub(super) fn hash(&self) -> Sha256 {
        self.hash.clone()
    }

    /// Reads one line.
    pub(super) fn next(&mut self) -> Result<(), DumpError> {
        self.buffer.clear();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let mut limited = (&mut *self.input).take(limit);
        limited.read_until(b'\n', &mut self.buffer).map_err(DumpError::io("read the dump"))?;
        if self.buffer.last() != Some(&b'\n') {
            return Err(if self.buffer.len() >= MAX_LINE_BYTES {
                DumpError::Damaged { line: self.number + 1, reason: "the line is too long".into() }
            } else {
                DumpError::Truncated { line: self.number }
            });
        }
        self.hash.update(&self.buffer);
        self.number += 1;
        Ok(())
    }

    /// Reads and checks the first line.
    pub(super) fn header(&mut self) -> Result<(), DumpError> {
        self.next()?;
        match serde_json::from_slice::<HeaderLine<'_>>(&self.buffer) {
            Ok(HeaderLine { format: FORMAT, version: OLDEST..=VERSION }) => Ok(()),
            _ => Err(DumpError::UnknownFormat),
        }
    }

    /// The line that was read last.
    pub(super) fn parse(&self) -> Result<Line<'_>, DumpError> {
        serde_json::from_slice(&self.buffer)
            .map_err(|error| DumpError::Damaged { line: self.number, reason: error.to_string() })
    }

    /// Checks that the input ends here.
    pub(super) fn nothing_more(&mut self) -> Result<(), DumpError> {
        let rest = self.input.fill_buf().map_err(DumpError::io("read the dump"))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(DumpError::Damaged { line: self.number + 1, reason: "there is more after the last line".into() })
    }
}
