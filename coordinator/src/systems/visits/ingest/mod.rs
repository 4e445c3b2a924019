//! Visits as they come in: the document's endpoints, batches, the pixel, Plausible's events, and the script.
//!
//! `asker` reads what the headers say, `body` and `plausible` what the body says; both become a `Hit`, which the
//! intake judges and the store keeps. `visit`, `batch`, `event`, `pixel` and `stats` answer; `describe` documents them.
//! They are called by `http::hot`, ahead of the general frame.

pub mod asker;
pub mod batch;
mod body;
pub mod cors;
pub mod describe;
pub mod event;
mod fields;
mod outcome;
pub mod pixel;
mod plausible;
pub mod reply;
pub mod script;
pub mod stats;
pub mod types;
mod verdict;
pub mod visit;
