//! One folder per document: routes take requests apart, types are what callers see, services do the work.

pub mod campaign_view;
pub mod cluster;
pub mod fault;
pub mod sessions;
pub mod time;
pub mod traffic;

pub use fault::{Code, Fault, Outcome};
