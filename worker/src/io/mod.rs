//! The only code of the worker that touches the world: real requests, the test target, timers, interfaces.

pub(crate) mod capture;
pub mod http;
pub mod pacer;
pub mod target;
