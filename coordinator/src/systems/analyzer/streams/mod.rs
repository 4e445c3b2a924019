//! What happens to a capture, as it happens: by server-sent events and by WebSocket.
//!
//! A client pulls: `feed` reads the next page from the store when the client has taken the last one, so a slow client
//! costs one page of memory and never delays ingest. What the store holds when a client comes is told in full; of what
//! comes later a client that falls behind misses the oldest, and is told so.

mod clients;
mod event;
mod feed;
#[cfg(test)]
pub(super) mod fixture;
pub mod routes;
mod sse;
#[cfg(test)]
mod tests;
mod ws;

pub use clients::Clients;
