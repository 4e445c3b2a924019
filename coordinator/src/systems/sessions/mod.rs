//! The sessions document: a session is a traffic campaign.

mod arrivals;
pub mod bidder;
mod exchange;
pub mod input;
pub mod routes;
pub mod secrets;
pub mod service;
pub mod settings;
mod thresholds;
pub mod types;

#[cfg(test)]
mod tests;
