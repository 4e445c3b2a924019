//! How much a question may take: threads, groups, and until it is given up.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::visit::data::DataFault;

/// What a question may take.
#[derive(Debug, Clone, Copy)]
pub struct Effort<'a> {
    /// Threads at most, the caller's one counted.
    pub threads: NonZeroUsize,
    /// Once it is true the question is given up with `Stopped`; looked at between slices.
    pub stop: &'a AtomicBool,
    /// Distinct values to group by at most; more are `TooManyGroups`.
    pub most_groups: usize,
}

impl Effort<'_> {
    /// # Errors
    /// `Stopped` once the question is given up.
    pub(super) fn go_on(&self) -> Result<(), DataFault> {
        if self.stop.load(Ordering::Relaxed) { Err(DataFault::Stopped) } else { Ok(()) }
    }
}
