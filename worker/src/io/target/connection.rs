//! One connection of the target: requests in, answers out, several at once when they are pipelined.

use std::io;
use std::sync::Arc;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::http2;
use super::request::{BodyLength, parse};
use super::route::{Service, Verdict};

/// How much of a request's body is kept for whoever answers it; the rest is skipped.
pub(super) const MAX_KEPT_BODY: usize = 256 * 1024;
/// Pipelined answers are sent on when they reach this size.
const FLUSH_AT: usize = 64 * 1024;

/// A connection's buffers.
struct Connection {
    service: Arc<Service>,
    stream: TcpStream,
    input: Vec<u8>,
    /// Bytes of `input` that are used up.
    start: usize,
    out: Vec<u8>,
    rng: Xoshiro256PlusPlus,
}

/// Answers the requests of `stream` until it ends. `number` tells the random streams of connections apart.
pub(super) async fn serve(service: Arc<Service>, stream: TcpStream, number: u64) {
    let seed = service.seed() ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut first = [0; http2::PREFACE.len()];
    if stream.peek(&mut first).await.is_ok_and(|_| first == http2::PREFACE) {
        if let Err(error) = http2::serve(service, stream, seed).await {
            tracing::debug!(%error, "HTTP/2 connection ended");
        }
        return;
    }
    let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut connection =
        Connection { service, stream, input: Vec::with_capacity(16 * 1024), start: 0, out: Vec::new(), rng };
    if let Err(error) = connection.run().await {
        tracing::debug!(%error, "connection ended");
    }
}

impl Connection {
    async fn run(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        loop {
            while let Some(verdict) = self.next().await? {
                if !verdict.delay.is_zero() {
                    self.wait(&verdict).await?;
                }
                if verdict.close {
                    return self.flush().await;
                }
                if self.out.len() >= FLUSH_AT {
                    self.flush().await?;
                }
            }
            self.flush().await?;
            if self.read().await? == 0 {
                return Ok(());
            }
        }
    }

    /// Answers the next request if it is in the buffer: its answer is then at the end of `out`.
    async fn next(&mut self) -> io::Result<Option<Verdict>> {
        let pending = self.input.get(self.start..).unwrap_or_default();
        if pending.is_empty() {
            return Ok(None);
        }
        let Ok(parsed) = parse(pending) else {
            self.out.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return Ok(Some(Verdict { delay: std::time::Duration::ZERO, close: true }));
        };
        let Some((request, head)) = parsed else {
            return Ok(None);
        };
        if request.body == BodyLength::Bytes(0) {
            self.start += head;
            let verdict = self.service.answer(&request, &[], &mut self.rng, &mut self.out);
            return Ok(Some(Verdict { close: verdict.close || !request.keep_alive, ..verdict }));
        }
        self.next_with_body(head).await.map(Some)
    }

    /// The rare case: the head is copied, since reading the body moves the buffer.
    async fn next_with_body(&mut self, head: usize) -> io::Result<Verdict> {
        let copy = self.input.get(self.start..self.start + head).unwrap_or_default().to_vec();
        self.start += head;
        let Ok(Some((request, _))) = parse(&copy) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if request.expects_continue {
            self.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.flush().await?;
        let mut body = Vec::new();
        match request.body {
            BodyLength::Bytes(length) => self.read_bytes(length, &mut body).await?,
            BodyLength::Chunked => self.read_chunks(&mut body).await?,
        }
        let verdict = self.service.answer(&request, &body, &mut self.rng, &mut self.out);
        Ok(Verdict { close: verdict.close || !request.keep_alive, ..verdict })
    }

    async fn read_bytes(&mut self, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            if self.start == self.input.len() && self.read().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let pending = self.input.get(self.start..).unwrap_or_default();
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(pending.len());
            keep(body, pending.get(..take).unwrap_or_default());
            self.start += take;
            left -= take as u64;
        }
        Ok(())
    }

    async fn read_chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        let mut decoder = crate::io::http::ChunkedDecoder::new();
        while !decoder.is_done() {
            if self.start == self.input.len() && self.read().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let pending = self.input.get(self.start..).unwrap_or_default();
            self.start += decoder.feed(pending, |data| keep(body, data)).map_err(io::Error::other)?;
        }
        Ok(())
    }

    /// Waits, then sends the answer and whatever precedes it in the pipeline.
    async fn wait(&mut self, verdict: &Verdict) -> io::Result<()> {
        sleep(verdict.delay).await;
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.input.drain(..self.start);
        self.start = 0;
        self.stream.read_buf(&mut self.input).await
    }
}

fn keep(body: &mut Vec<u8>, data: &[u8]) {
    let room = MAX_KEPT_BODY.saturating_sub(body.len());
    body.extend_from_slice(data.get(..room).unwrap_or(data));
}
