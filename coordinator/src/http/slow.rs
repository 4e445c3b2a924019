//! Ends connections that send so slowly that they are only there to be held open.
//!
//! hyper's own limit for heads needs a timer that the server does not give it, and bodies of no length have none at all.
//! What counts is the time from a request's first byte: whoever has sent less than [`ENOUGH`] by [`PATIENCE`] after it,
//! without an answer in between, is cut off at its next byte. One who has sent all and waits sends nothing and is not
//! touched; one who sends nothing at all is the server's idle limit's.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a request may take to have sent [`ENOUGH`].
const PATIENCE: Duration = Duration::from_secs(45);
/// Bytes by which a request shows that it moves: 1.5 KB a second, which every real link has.
const ENOUGH: usize = 64 * 1024;

/// A connection that is watched.
pub(super) struct Watched<S> {
    inner: S,
    /// The first byte since the last that was answered, and how many since.
    begun: Option<(Instant, usize)>,
}

impl<S> Watched<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner, begun: None }
    }

    /// Counts what was read; false when it was too little for too long.
    fn bears(&mut self, read: usize) -> bool {
        match &mut self.begun {
            None => self.begun = Some((Instant::now(), read)),
            Some((_, bytes)) if *bytes >= ENOUGH => {}
            Some((since, bytes)) => {
                *bytes += read;
                return *bytes >= ENOUGH || since.elapsed() <= PATIENCE;
            }
        }
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        if self.bears(read) { Poll::Ready(Ok(())) } else { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.begun = None;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.begun = None;
        Pin::new(&mut self.inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A connection whose client sends one more byte, `seconds` after the first of what it has sent.
    async fn one_more(sent: usize, seconds: u64, answered: bool) -> io::Result<u8> {
        let (mut client, server) = duplex(64);
        let mut server = Watched::new(server);
        server.begun = Some((Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(), sent));
        if answered {
            server.write_all(b"y").await.unwrap();
        }
        client.write_all(b"x").await.unwrap();
        server.read_u8().await
    }

    // checklist 94
    #[tokio::test]
    async fn a_dribbling_request_is_cut_off() {
        assert_eq!(one_more(46, 46, false).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(one_more(30, 30, false).await.is_ok(), "it still has time");
    }

    #[tokio::test]
    async fn a_slow_conversation_and_an_upload_that_moves_go_on() {
        assert!(one_more(46, 3600, true).await.is_ok(), "it was answered in between");
        assert!(one_more(ENOUGH, 3600, false).await.is_ok(), "it has sent enough");
    }
}
