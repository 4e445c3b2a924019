//! The command line of `trafficlab-worker target`.

use std::net::SocketAddr;

use super::behaviour::{Errors, Latency, Stall};

/// A fast HTTP server to send traffic to.
#[derive(Debug, Clone, clap::Args)]
pub struct TargetArgs {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Answer after this time: `5ms`, `uniform:1ms,5ms` or `log_normal:20ms,0.5`.
    #[arg(long)]
    pub latency: Option<Latency>,
    /// Fail with these probabilities: `0.01` or `503:0.02,reset:0.01`.
    #[arg(long)]
    pub errors: Option<Errors>,
    /// Answer nothing for a while: `10s:1s` is from second 10 on for one second. Repeatable.
    #[arg(long)]
    pub stall: Vec<Stall>,
    /// The length of the usual answer's body.
    #[arg(long, default_value_t = 13)]
    pub body_bytes: usize,
    /// How many threads answer.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Remember every `X-Synthetic-Id`, for `/stats` and `/log`.
    #[arg(long)]
    pub track_ids: bool,
    /// The line of `/.well-known/trafficlab.txt`.
    #[arg(long)]
    pub ownership_line: Option<String>,
    /// The probability that the bidder at `/openrtb2/bid` answers 204.
    #[arg(long, default_value_t = 0.2)]
    pub no_bid: f64,
    /// Seed of latency, errors and bids.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

impl Default for TargetArgs {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            latency: None,
            errors: None,
            stall: Vec::new(),
            body_bytes: 13,
            threads: 1,
            track_ids: false,
            ownership_line: None,
            no_bid: 0.2,
            seed: 1,
        }
    }
}
