//! What a connection task sends over, whatever the version of HTTP.

use std::task::{Context, Poll};

use super::exchange::{Buffers, Failure};
use super::http2::Stream;
use super::parser::Wanted;
use super::timer::RequestTimer;
use super::wire::Wire;

/// Whether a request may go over a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usable {
    Yes,
    /// The server permits no more requests at once; the task is woken when it does.
    NotNow,
    NeverAgain,
}

/// A way to the target that takes one request at a time.
pub(super) enum Line {
    Http1(Wire),
    Http2(Stream),
}

impl Line {
    /// Sends what is prepared in `buffers` and leaves the response in its parser. True when it can be used again.
    pub(super) async fn exchange(
        &mut self,
        buffers: &mut Buffers,
        timer: &mut RequestTimer,
        wanted: Wanted,
    ) -> Result<bool, Failure> {
        match self {
            Self::Http1(wire) => buffers.exchange(wire, timer, wanted).await,
            Self::Http2(stream) => Box::pin(stream.exchange(buffers, timer, wanted)).await,
        }
    }

    /// Whether an idle line has ended.
    pub(super) fn poll_idle_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Http1(wire) => wire.poll_idle_end(context),
            // The connection's end wakes the tasks of all its streams.
            Self::Http2(stream) if stream.is_closed() => Poll::Ready(()),
            Self::Http2(_) => Poll::Pending,
        }
    }

    /// Whether a request may go over it.
    pub(super) fn poll_usable(&mut self, context: &mut Context<'_>) -> Usable {
        match self {
            Self::Http1(_) => Usable::Yes,
            Self::Http2(stream) => stream.poll_usable(context),
        }
    }

    /// Whether requests of others went over the same connection before.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Http2(stream) if stream.is_used())
    }

    /// Lets no further request over it.
    pub(super) fn retire(&self) {
        if let Self::Http2(stream) = self {
            stream.retire();
        }
    }
}
