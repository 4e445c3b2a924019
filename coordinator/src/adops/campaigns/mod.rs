//! Campaigns: how they are read from a body, made, changed, deleted, restored and found.
//!
//! What writes works inside a [`super::Change`], so that a caller can join several changes to one.

pub mod bulk;
pub mod create;
pub mod edit;
pub mod filter;
pub mod labels;
pub mod order;
mod read;
#[cfg(test)]
pub(crate) mod samples;
mod targeting;
#[cfg(test)]
mod tests;

pub use create::create;
pub use filter::Filter;

use crate::systems::time::SECOND_NS;

/// How long a deleted campaign can be restored.
pub const RESTORABLE_NS: u64 = 30 * 24 * 3600 * SECOND_NS;
/// Labels of one campaign.
pub(crate) const MOST_LABELS: usize = 50;
