//! From what a request says to the parts of a visit: pure functions that allocate only for what they must change.

pub mod accesslog;
pub mod agent;
pub mod bots;
pub mod page;
pub mod props;
pub mod revenue;
pub mod source;
pub mod text;
pub mod visitor;
