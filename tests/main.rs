//! All end-to-end tests in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code"
)]

mod contract;
mod e2e;
mod faults;
mod fuzz;
mod harness;
mod tidy;
