//! The visit tracker: what comes in, what is asked, what is settled.

pub mod admin;
pub mod ingest;
pub mod share;
pub mod stats;
pub mod transfer;
