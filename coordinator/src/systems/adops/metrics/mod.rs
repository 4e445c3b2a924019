//! The figures of a campaign day by day: told by callers, asked for by day, week or month, and what was restated.

mod read;
pub mod routes;
mod rows;
pub mod traffic;
mod types;
mod write;
