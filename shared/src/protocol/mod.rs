//! What coordinator and workers say to each other over the broker.

pub mod capture;
pub mod codec;
pub mod control;
pub mod export;
pub mod heartbeat;
pub mod job;
pub mod report;
pub mod subject;
