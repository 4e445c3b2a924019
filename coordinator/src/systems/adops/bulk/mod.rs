//! Changes of many campaigns at once.

pub mod routes;
pub mod types;
pub mod view;
