//! Campaigns: list, create, read, change, delete, restore, labels, history.

pub mod history;
pub mod label_routes;
pub mod routes;
mod service;
#[cfg(test)]
mod tests;
pub mod types;
pub mod view;
