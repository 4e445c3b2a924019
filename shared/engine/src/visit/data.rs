//! What a question reads: rows of one site in slices by visitor, from sealed parts and from memory alike.

use std::sync::Arc;

use super::column::{ColumnSet, DICTS, Dict, Traffic};
use super::dictionary::Dictionary;

/// Rows are split by the highest eight bits of the visitor, so that all rows of a visitor lie in the same slice of every
/// part and a slice is small enough to be worked on in the processor's cache.
pub const SLICES: usize = 256;

/// The slice of a visitor.
#[must_use]
pub const fn slice_of(visitor: u64) -> u8 {
    (visitor >> 56) as u8
}

/// Milliseconds of a UTC day.
pub const DAY_MS: i64 = 86_400_000;

/// The UTC day of a time in milliseconds, counted from 1970-01-01.
#[must_use]
pub const fn day_of(time_ms: i64) -> i64 {
    time_ms.div_euclid(DAY_MS)
}

/// Why stored visits cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DataFault {
    /// The bytes are not what was written.
    #[error("a part of stored visits is damaged: {0}")]
    Damaged(String),
    /// The system refused.
    #[error("stored visits cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A question was given up.
    #[error("the question was given up")]
    Stopped,
    /// A question would need more memory than it may take.
    #[error("the question has more than {0} distinct values to group by")]
    TooManyGroups(usize),
}

/// Columns of rows, in the same order. Columns that were not asked for are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Visitors.
    pub visitor: Vec<u64>,
    /// Milliseconds of the Unix epoch.
    pub time_ms: Vec<i64>,
    /// Whose traffic each is.
    pub traffic: Vec<Traffic>,
    /// Codes by `Dict::index`, of the part's own dictionaries.
    pub codes: [Vec<u32>; DICTS],
    /// Revenue in millionths.
    pub revenue_micros: Vec<i64>,
}

impl Columns {
    /// Empties all columns and keeps their memory.
    pub fn clear(&mut self) {
        self.visitor.clear();
        self.time_ms.clear();
        self.traffic.clear();
        self.revenue_micros.clear();
        self.codes.iter_mut().for_each(Vec::clear);
    }

    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.visitor.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.visitor.is_empty()
    }
}

/// Rows of one site.
pub trait Slices: Send + Sync {
    /// Number of rows.
    fn rows(&self) -> u64;
    /// Times of the first and the last row in milliseconds; nothing without rows.
    fn time_range(&self) -> Option<(i64, i64)>;
    /// The dictionary of a column, to which the codes of `load` refer.
    ///
    /// # Errors
    /// `Damaged`, `Io`.
    fn dictionary(&self, dict: Dict) -> Result<Arc<Dictionary>, DataFault>;
    /// Replaces `into` by the rows of a slice, ordered by visitor and then time. Visitor, time and traffic are always
    /// there, the rest as `want` says.
    ///
    /// # Errors
    /// `Damaged`, `Io`.
    fn load(&self, slice: u8, want: ColumnSet, into: &mut Columns) -> Result<(), DataFault>;
}
