//! The engine: pure functions from seeds and specifications to traffic, and from packets, visits
//! and days of campaigns to figures. No I/O, no async, no clock.

#![warn(missing_docs)]

pub mod ads;
pub mod packet;
pub mod traffic;
pub mod visit;
