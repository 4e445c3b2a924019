//! `generate`: a load tester for one command line, on the engine and transport of the workers.
//!
//! Flags become a checked `plan`; each thread runs an `open` or a `closed` loop on a pool of its own and reports once
//! a second; `collect` adds up; the `summary` goes out in the `format` that was asked for.

mod args;
mod closed;
mod collect;
mod counts;
pub(crate) mod figures;
mod files;
mod format;
mod lane;
mod open;
mod plan;
mod progress;
mod proof;
mod request;
mod run;
mod series;
mod simulated;
mod source;
mod summary;
#[cfg(test)]
mod tests;

pub use self::args::GenerateArgs;
pub use self::run::{Code, run};
