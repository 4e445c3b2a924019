//! HTTP/2 (RFC 9113) behind the same pool: each stream of a connection is a place that serves one ticket at a time.

mod connect;
mod exchange;
mod live;
mod message;
mod stamped;

pub(super) use self::connect::Http2Connections;
pub(super) use self::live::Stream;
