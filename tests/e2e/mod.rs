//! The product as its users see it, with every process real.

mod analyze;
mod analyzer;
mod analyzer_live;
mod arrivals;
mod bidder;
mod cli;
mod control;
mod data;
mod dev;
mod dump;
mod failures;
mod generate;
mod http2;
mod live;
mod pages;
mod quick;
mod quota;
mod sessions;
mod shapes;
mod shares;
mod status;
mod subscriber;
mod thresholds;
mod visitors;
mod workers;
mod workflow;
