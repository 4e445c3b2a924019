//! The query engine against a naive reading of its definitions, and against figures made by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice, reason = "test code")]

mod data;
mod examples;
mod limits;
mod random;
mod reference;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Effort;
use crate::visit::data::Slices;
use crate::visit::record::Visit;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// Two threads and a thousand groups.
fn effort() -> Effort<'static> {
    Effort { threads: NonZeroUsize::new(2).unwrap(), stop: &GO_ON, most_groups: 1000 }
}

/// One data set for each list of visits.
fn sets(visits: &[Vec<Visit<'static>>]) -> Vec<Arc<dyn Slices>> {
    visits.iter().map(|visits| Arc::new(data::Made::new(visits)) as Arc<dyn Slices>).collect()
}
