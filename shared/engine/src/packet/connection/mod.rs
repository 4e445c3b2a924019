//! Connections from their first to their last packet: states and history as Zeek names them, sums, holes, failed
//! attempts.

mod gaps;
mod history;
mod machine;
mod record;
mod tracker;

pub(crate) use machine::Name;
pub(crate) use record::record;
pub use tracker::Tracker;
pub(crate) use tracker::{Attempt, Changes};
