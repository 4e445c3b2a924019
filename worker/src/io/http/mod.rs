//! The HTTP client of one shard, in open or closed loop, over HTTP/1.1 or HTTP/2: tickets in, completions out.
//!
//! A [`HttpPool`] lives on one lane. Every [`Ticket`] that is offered ends in exactly one place: dropped at the offer,
//! in one [`Done`], or among the unsent tickets that [`HttpPool::close`] gives back.

mod checks;
mod chunked;
mod closed;
mod connection;
mod content;
mod dial;
mod digits;
mod exchange;
mod head;
mod http2;
mod insecure;
mod line;
mod parser;
mod places;
mod plan;
mod pool;
mod redirect;
mod request;
mod state;
mod ticket;
mod timer;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use self::checks::ResponseChecks;
pub(crate) use self::chunked::ChunkedDecoder;
pub use self::content::{HeaderSink, NoContent, TicketContent};
pub use self::plan::{DEFAULT_STREAMS, Limits, PlanError, PlanSpec, RequestPlan};
pub use self::pool::{Closed, HttpPool};
pub use self::ticket::{Done, Offered, Ticket};
pub use self::tls::{TlsOptions, TlsRoots};
pub use trafficlab_shared::model::run::HttpVersion;
