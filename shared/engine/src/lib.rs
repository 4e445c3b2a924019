//! The engine: pure functions from seeds and specifications to traffic. No I/O, no async, no clock.

#![warn(missing_docs)]

pub mod traffic;
