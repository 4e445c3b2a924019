//! Windows, anomalies and connections of a capture as files of other programs, streamed as they are read.

pub mod routes;
mod service;
pub(in crate::systems) mod stream;
#[cfg(test)]
mod tests;
