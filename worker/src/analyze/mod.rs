//! `analyze`: one capture from a file or a pipe, on the command line, by the engine that serves the API.
//!
//! Flags become a checked `Plan`; `input` opens what is named; the engine analyses it while `progress` shows how far it
//! is; the report goes out as a table, as one JSON object, or in one of the engine's exports.

mod args;
mod baseline;
mod input;
mod json;
mod output;
mod progress;
mod run;
mod table;

pub use self::args::AnalyzeArgs;
pub use self::run::{Code, run};
