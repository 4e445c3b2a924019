//! The rights of persons over what is held about them.

mod file;
pub mod routes;
mod service;
mod types;
