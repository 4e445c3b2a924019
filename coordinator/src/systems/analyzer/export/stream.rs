//! From a writer that blocks to the body of a response, with a bounded channel between: memory stays at a few pieces, and
//! a client that stops reading stops the writer.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// A piece leaves when it has this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces between writer and client.
const PIECES: usize = 4;

/// Writes into the channel. What is left must be flushed.
pub(in crate::systems) struct Pieces {
    sender: mpsc::Sender<Bytes>,
    buffer: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone");
        self.sender.blocking_send(piece).map_err(gone)
    }
}

/// What `write` writes on a thread of its own. An error ends the stream with an error, so that nobody takes a part for
/// the whole. The permit is given back at the end.
pub(in crate::systems) fn body(
    permit: OwnedSemaphorePermit,
    write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let (sender, pieces) = mpsc::channel(PIECES);
    let writer = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut out = Pieces { sender, buffer: Vec::with_capacity(PIECE_BYTES * 2) };
        write(&mut out)?;
        out.flush()
    });
    stream::try_unfold(Some((pieces, writer)), |running| async move {
        let Some((mut pieces, writer)) = running else {
            return Ok(None);
        };
        if let Some(piece) = pieces.recv().await {
            return Ok(Some((piece, Some((pieces, writer)))));
        }
        let written = writer.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = &written {
            tracing::error!(%error, "an export is broken off");
        }
        written.map(|()| None)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::sync::Arc;

    use futures_util::{StreamExt, TryStreamExt};
    use tokio::sync::Semaphore;

    use super::*;

    async fn permit() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap()
    }

    #[tokio::test]
    async fn everything_arrives_in_order() {
        let written: Vec<u8> = (0..1_000_000_u32).flat_map(|number| number.to_le_bytes()).collect();
        let own = written.clone();
        let stream = body(permit().await, move |out| own.chunks(1000).try_for_each(|chunk| out.write_all(chunk)));
        let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert!(pieces.len() > 10);
        assert!(pieces.concat() == written);
    }

    #[tokio::test]
    async fn an_error_ends_the_stream_with_an_error() {
        let stream = body(permit().await, |out| {
            out.write_all(b"begun")?;
            out.flush()?;
            Err(io::Error::other("damaged"))
        });
        let mut stream = std::pin::pin!(stream);
        assert_eq!(stream.next().await.unwrap().unwrap(), "begun");
        assert!(stream.next().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_client_that_goes_ends_the_writer() {
        let places = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&places).acquire_owned().await.unwrap();
        let stream = body(permit, |out| {
            loop {
                out.write_all(&[7; 4096])?;
            }
        });
        let mut stream = Box::pin(stream);
        stream.next().await.unwrap().unwrap();
        drop(stream);
        // The writer has ended when its permit is free again.
        drop(tokio::time::timeout(std::time::Duration::from_secs(20), places.acquire()).await.unwrap().unwrap());
    }
}
