//! Pages of lists.

use crate::systems::{Fault, Outcome};

/// Items of one page at the most.
const MOST: u64 = 10_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most this many.
    pub limit: u64,
    /// Leave out this many.
    pub offset: u64,
}

impl Page {
    /// Reads what was asked for.
    ///
    /// # Errors
    /// 400 when a number is out of range.
    pub fn read(limit: Option<u64>, offset: Option<u64>, default: u64) -> Outcome<Self> {
        let limit = limit.unwrap_or(default);
        if limit > MOST {
            return Err(Fault::field("limit", format!("must be a whole number from 0 to {MOST}")));
        }
        Ok(Self { limit, offset: offset.unwrap_or(0) })
    }

    /// The limit as a size.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }
}
