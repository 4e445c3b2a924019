//! One request and its response on an open connection.

use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::head::MAX_HEAD_BYTES;
use super::parser::{ResponseParser, Wanted};
use super::timer::RequestTimer;
use super::wire::Wire;

const FIRST_BUFFER: usize = 16 * 1024;

/// How an exchange failed, and whether anything had come back before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Whether anything came back for the request.
    pub(super) received: bool,
    /// Whether the server says that it has not looked at the request.
    pub(super) refused: bool,
}

impl Failure {
    /// A failure after which the request is not sent again.
    pub(super) const fn of(kind: ErrorKind) -> Self {
        Self { kind, received: true, refused: false }
    }

    /// Whether the connection ended without a word about the request.
    pub(super) fn is_silent(&self) -> bool {
        self.kind == ErrorKind::Reset && !self.received
    }
}

/// The reusable buffers of one connection task.
pub(super) struct Buffers {
    /// The request.
    pub(super) out: Vec<u8>,
    /// Expanded templates on their way into the request.
    pub(super) scratch: Vec<u8>,
    pub(super) parser: ResponseParser,
    input: Vec<u8>,
    /// Where unconsumed input begins and ends.
    start: usize,
    end: usize,
    /// Totals of the current ticket, over all hops and attempts.
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            out: Vec::with_capacity(1024),
            scratch: Vec::new(),
            parser: ResponseParser::new(),
            input: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Sends `out` and reads the response into the parser. True when the connection can be used again.
    pub(super) async fn exchange(
        &mut self,
        wire: &mut Wire,
        timer: &mut RequestTimer,
        wanted: Wanted,
    ) -> Result<bool, Failure> {
        self.parser.reset(wanted);
        (self.start, self.end) = (0, 0);
        let mut exchange = Exchange { written: 0, flushed: false, received: false };
        let answer = poll_fn(|context| exchange.poll(self, wire, timer, context)).await;
        let whole_request = exchange.written == self.out.len();
        self.bytes_out += exchange.written as u64;
        let kept = answer.map_err(|kind| Failure { kind, received: exchange.received, refused: false })?;
        Ok(kept && whole_request && self.start == self.end)
    }

    /// Gives the parser what it has not consumed. True when the response is whole.
    fn parse(&mut self) -> Result<bool, ErrorKind> {
        let pending = self.input.get(self.start..self.end).unwrap_or_default();
        let fed = self.parser.feed(pending).map_err(|_not_http| ErrorKind::Protocol)?;
        self.start += fed.consumed;
        if self.start == self.end && !fed.done {
            (self.start, self.end) = (0, 0);
        }
        Ok(fed.done)
    }

    /// Free space behind the input, made by moving it to the front or by growing.
    fn space(&mut self) -> &mut [u8] {
        if self.end == self.input.len() {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end == self.input.len() {
                // Only a head that is not whole yet stays unconsumed, and the parser refuses longer ones.
                self.input.resize((self.end * 2).min(2 * MAX_HEAD_BYTES), 0);
            }
        }
        self.input.get_mut(self.end..).unwrap_or_default()
    }
}

/// How far one exchange is.
struct Exchange {
    written: usize,
    flushed: bool,
    received: bool,
}

impl Exchange {
    fn poll(
        &mut self,
        buffers: &mut Buffers,
        wire: &mut Wire,
        timer: &mut RequestTimer,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, ErrorKind>> {
        // A server may answer and close before it has read the whole request, so a failed write is not yet the end.
        let writing = self.poll_send(buffers, wire, context);
        loop {
            match self.poll_receive(buffers, wire, context) {
                Poll::Ready(Ok(Some(kept))) => return Poll::Ready(Ok(kept)),
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Err(kind)) => return Poll::Ready(Err(kind)),
                Poll::Pending if writing.is_err() => return Poll::Ready(Err(ErrorKind::Reset)),
                Poll::Pending => {
                    return timer.poll_expired(context).map(|()| Err(ErrorKind::Timeout));
                }
            }
        }
    }

    fn poll_send(&mut self, buffers: &Buffers, wire: &mut Wire, context: &mut Context<'_>) -> std::io::Result<()> {
        while let Some(rest) = buffers.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match wire.poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Err(std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
        if !self.flushed
            && let Poll::Ready(flushed) = wire.poll_flush(context)
        {
            self.flushed = true;
            return flushed;
        }
        Ok(())
    }

    /// One read: `Some` at the end of the response, with whether the server keeps the connection.
    fn poll_receive(
        &mut self,
        buffers: &mut Buffers,
        wire: &mut Wire,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<bool>, ErrorKind>> {
        let mut space = ReadBuf::new(buffers.space());
        let read = wire.poll_read(context, &mut space);
        let count = space.filled().len();
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if count > 0 => {
                self.received = true;
                buffers.end += count;
                buffers.bytes_in += count as u64;
                let whole = buffers.parse()?;
                Poll::Ready(Ok(whole.then_some(buffers.parser.keep_alive)))
            }
            // A reset where the end was the only thing missing still cut the response short.
            Poll::Ready(Err(_)) => Poll::Ready(Err(ErrorKind::Reset)),
            Poll::Ready(Ok(())) => match buffers.parser.finish() {
                Ok(()) => Poll::Ready(Ok(Some(false))),
                Err(_truncated) => Poll::Ready(Err(ErrorKind::Reset)),
            },
        }
    }
}
