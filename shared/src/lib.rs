//! The words both processes speak: domain values, wire messages, configuration.
//!
//! Invariants: serde types and pure functions only. This crate knows no runtime, no HTTP server,
//! no actor, no broker client, no database and no packet library.

#![warn(missing_docs)]

pub mod allow;
pub mod clock;
pub mod config;
pub mod error;
pub mod model;
pub mod proof;
pub mod protocol;
pub mod seal;
pub mod target;
pub mod telemetry;
pub mod template;
