//! The object of a job as a stream of bytes for a blocking thread.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use trafficlab_broker::Context;

use super::orders::Orders;
use crate::intake::objects::{self, ObjectError};
use crate::shard::ShardFault;

/// Pieces on their way between the broker and the engine: 2 MiB.
const PIECES: usize = 8;

/// What moves the pieces.
pub(crate) type Pumping = JoinHandle<Result<(), ObjectError>>;

/// The object of a job as a stream; `None` when there is an order to leave instead.
pub(crate) async fn fetch(
    context: &Context,
    job: &str,
    alive_at: &Arc<AtomicU64>,
    orders: &mut Orders,
) -> Result<Option<(Pieces, Pumping)>, ShardFault> {
    let object = tokio::select! {
        object = objects::wait_for(context, job, alive_at) => object,
        // It stays in force and is seen again by whoever waits for orders next.
        _ = orders.next() => return Ok(None),
    };
    let object = object.map_err(|error| ShardFault::Hopeless(error.to_string()))?;
    let length = u64::try_from(object.info.size).unwrap_or(u64::MAX);
    let (to, from) = mpsc::channel::<std::io::Result<Bytes>>(PIECES);
    let alive_at = Arc::clone(alive_at);
    let pumping = tokio::task::spawn_local(async move { objects::pump(object, to, &alive_at).await });
    Ok(Some((Pieces::new(from, length), pumping)))
}

/// The receiving end of a stream of pieces; for blocking threads.
pub(crate) struct Pieces {
    from: mpsc::Receiver<std::io::Result<Bytes>>,
    now: Bytes,
    /// Bytes still to come: an end before them is a break.
    left: u64,
}

impl Pieces {
    pub(crate) const fn new(from: mpsc::Receiver<std::io::Result<Bytes>>, length: u64) -> Self {
        Self { from, now: Bytes::new(), left: length }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.now.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.now = piece?,
                None if self.left == 0 => return Ok(0),
                None => return Err(std::io::Error::other(format!("{} bytes are missing at the end", self.left))),
            }
        }
        let length = self.now.len().min(into.len());
        self.left = self.left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        self.now.split_to(length).copy_to_slice(into.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn pieces_are_read_as_one_stream_and_a_break_is_no_end() {
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"hello "))).unwrap();
        to.try_send(Ok(Bytes::new())).unwrap();
        to.try_send(Ok(Bytes::from_static(b"world"))).unwrap();
        drop(to);
        let mut text = String::new();
        Pieces::new(from, 11).read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello world");
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"x"))).unwrap();
        to.try_send(Err(std::io::Error::other("broke off"))).unwrap();
        drop(to);
        let mut all = Vec::new();
        assert_eq!(Pieces::new(from, 1).read_to_end(&mut all).unwrap_err().to_string(), "broke off");
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"x"))).unwrap();
        drop(to);
        let missing = Pieces::new(from, 3).read_to_end(&mut all).unwrap_err();
        assert_eq!(missing.to_string(), "2 bytes are missing at the end");
    }
}
