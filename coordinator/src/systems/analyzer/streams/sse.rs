//! Events as server-sent events (the HTML standard's `text/event-stream`).

use std::io;

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::event::Event;
use super::feed::{Feed, Next};

/// How long a browser waits before it comes again, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";
/// A comment, which clients pass over.
const ALIVE: &[u8] = b": alive\n\n";

/// The body of a response.
pub(super) fn body(feed: Feed) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((feed, true), |(mut feed, first)| async move {
        if first {
            return Ok(Some((Bytes::from_static(RETRY.as_bytes()), (feed, false))));
        }
        match feed.next().await {
            Ok(Next::Event(event)) => Ok(Some((line(&event), (feed, false)))),
            Ok(Next::Heartbeat) => Ok(Some((Bytes::from_static(ALIVE), (feed, false)))),
            Ok(Next::Over) => Ok(None),
            Err(fault) => Err(io::Error::other(fault)),
        }
    })
}

/// JSON of ours has no line breaks, so one `data` line holds it.
fn line(event: &Event) -> Bytes {
    Bytes::from(format!("event: {}\nid: {}\ndata: {}\n\n", event.name, event.told.id(), event.data))
}
