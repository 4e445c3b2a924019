//! The built-in test target: a small, fast HTTP/1.1 and HTTP/2 server with scripted delays, errors, stalls and a bidder.
//!
//! Paths: `/status/503`, `/delay/50` (ms), `/bytes/1000`, `/chunked/1000`, `/close/1000`, `/redirect?to=URL&status=302`,
//! `/openrtb2/bid?no_bid=0.2&slow=0.1&slow_ms=300&invalid=0.1&bids=2`, `/notice/win|bill|loss`, `/stats` (JSON), `/log` (NDJSON of ids), `/.well-known/trafficlab.txt`; any other path answers 200.

mod args;
mod auctions;
mod behaviour;
mod bid;
mod connection;
mod http2;
mod request;
mod route;
mod serve;
mod stats;

pub use self::args::TargetArgs;
pub use self::behaviour::{Errors, Fault, Latency, Stall};
pub use self::serve::{Target, run};
