//! One response after the other as a state machine: bytes in, progress out, no I/O.

use super::chunked::ChunkedDecoder;
use super::head::{Framing, Head, ParseError, parse_head};

/// The most interim (1xx) responses before the final one.
const MAX_INTERIM: u8 = 16;
/// The longest head that is compared with the next one.
const MAX_KNOWN_HEAD: usize = 1024;
/// How much of a body is kept when a check asks for it.
pub(super) const MAX_KEPT_BODY: usize = 1024 * 1024;

/// What a response parser looks out for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The request was HEAD: no body follows.
    pub(super) answers_head: bool,
    /// Keep the `Location` header.
    pub(super) location: bool,
    /// Keep the body, up to [`MAX_KEPT_BODY`].
    pub(super) body: bool,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
    Done,
}

/// How far a feed came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fed {
    /// Bytes that are used up; the others must be given again, with more behind them.
    pub(super) consumed: usize,
    /// The response is whole; what was not consumed belongs to no request of ours.
    pub(super) done: bool,
}

/// A parser that is reset for each response and reuses its buffers.
#[derive(Debug)]
pub(super) struct ResponseParser {
    state: State,
    wanted: Wanted,
    interim: u8,
    blank_bytes: usize,
    pub(super) status: u16,
    pub(super) keep_alive: bool,
    pub(super) location: Option<Vec<u8>>,
    pub(super) body_bytes: u64,
    pub(super) body: Vec<u8>,
    known: KnownHead,
}

/// The last head that was read. A server repeats its head, at most with another date every second, and comparing is
/// cheaper than parsing.
#[derive(Debug)]
struct KnownHead {
    bytes: Vec<u8>,
    wanted: Wanted,
    head: Head,
}

impl KnownHead {
    /// No input begins with it.
    const fn none() -> Self {
        let head = Head { status: 0, framing: Framing::UntilClose, keep_alive: false, location: None };
        Self { bytes: Vec::new(), wanted: Wanted { answers_head: false, location: false, body: false }, head }
    }

    fn is_at(&self, input: &[u8], wanted: Wanted) -> bool {
        !self.bytes.is_empty() && self.wanted == wanted && input.starts_with(&self.bytes)
    }

    /// Keeps a final head; one that is long, or leads elsewhere, is not worth it.
    fn remember(&mut self, bytes: &[u8], wanted: Wanted, head: &Head) {
        if head.location.is_some() || bytes.len() > MAX_KNOWN_HEAD {
            return;
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.wanted = wanted;
        self.head = head.clone();
    }
}

impl ResponseParser {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Head,
            wanted: Wanted { answers_head: false, location: false, body: false },
            interim: 0,
            blank_bytes: 0,
            status: 0,
            keep_alive: false,
            location: None,
            body_bytes: 0,
            body: Vec::new(),
            known: KnownHead::none(),
        }
    }

    pub(super) fn reset(&mut self, wanted: Wanted) {
        self.state = State::Head;
        self.wanted = wanted;
        self.interim = 0;
        self.blank_bytes = 0;
        self.status = 0;
        self.keep_alive = false;
        self.location = None;
        self.body_bytes = 0;
        self.body.clear();
    }

    /// Takes the bytes that were not consumed before, with what came since. In the head it may consume nothing
    /// until the head is whole; a head is at most 64 KiB.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<Fed, ParseError> {
        if let Some(fed) = self.feed_known(input) {
            return Ok(fed);
        }
        let mut consumed = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let before = consumed;
            match &mut self.state {
                State::Head => consumed += self.feed_head(rest)?,
                State::Length(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= take as u64;
                    if *left == 0 {
                        self.state = State::Done;
                    }
                    self.keep(rest.get(..take).unwrap_or_default());
                    consumed += take;
                }
                State::Chunked(decoder) => {
                    let (body, bytes, wanted) = (&mut self.body, &mut self.body_bytes, self.wanted.body);
                    consumed += decoder.feed(rest, |data| keep(body, bytes, wanted, data))?;
                    if decoder.is_done() {
                        self.state = State::Done;
                    }
                }
                State::UntilClose => {
                    self.keep(rest);
                    consumed += rest.len();
                }
                State::Done => {
                    return Ok(Fed { consumed, done: true });
                }
            }
            if consumed == before && !matches!(self.state, State::Done) {
                return Ok(Fed { consumed, done: false });
            }
        }
    }

    /// The short way for a whole response behind a known head, which says how long the body is.
    fn feed_known(&mut self, input: &[u8]) -> Option<Fed> {
        let (State::Head, Framing::Length(length)) = (&self.state, self.known.head.framing) else {
            return None;
        };
        let head = self.known.bytes.len();
        let consumed = head.checked_add(usize::try_from(length).ok()?)?;
        let body = input.get(head..consumed)?;
        if !self.known.is_at(input, self.wanted) {
            return None;
        }
        (self.status, self.keep_alive) = (self.known.head.status, self.known.head.keep_alive);
        self.state = State::Done;
        self.keep(body);
        Some(Fed { consumed, done: true })
    }

    /// The peer closed the connection: the end of some responses, an error for the others.
    pub(super) const fn finish(&mut self) -> Result<(), ParseError> {
        match self.state {
            State::UntilClose | State::Done => Ok(()),
            _ => Err(ParseError::Truncated),
        }
    }

    fn feed_head(&mut self, input: &[u8]) -> Result<usize, ParseError> {
        if self.known.is_at(input, self.wanted) {
            self.begin_body(self.known.head.clone());
            return Ok(self.known.bytes.len());
        }
        // Empty lines before a head are tolerated but counted, so that they cannot go on for ever.
        let blank = input.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        if blank > 0 {
            self.blank_bytes += blank;
            return if self.blank_bytes > 64 { Err(ParseError::Head) } else { Ok(blank) };
        }
        let Some((head, length)) = parse_head(input, self.wanted.answers_head, self.wanted.location)? else {
            return Ok(0);
        };
        match head.status {
            101 => return Err(ParseError::Switched),
            100..=199 if self.interim >= MAX_INTERIM => return Err(ParseError::TooManyInterim),
            100..=199 => {
                self.interim += 1;
                return Ok(length);
            }
            _ => {}
        }
        self.known.remember(input.get(..length).unwrap_or_default(), self.wanted, &head);
        self.begin_body(head);
        Ok(length)
    }

    fn begin_body(&mut self, head: Head) {
        self.status = head.status;
        self.keep_alive = head.keep_alive;
        self.location = head.location;
        self.state = match head.framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(ChunkedDecoder::new()),
            Framing::UntilClose => State::UntilClose,
        };
    }

    /// Takes a head that came by other means than [`Self::feed`].
    pub(super) fn set_head(&mut self, status: u16, location: Option<Vec<u8>>) {
        self.status = status;
        self.location = location;
        self.keep_alive = true;
    }

    /// Takes a part of the body.
    pub(super) fn keep(&mut self, data: &[u8]) {
        keep(&mut self.body, &mut self.body_bytes, self.wanted.body, data);
    }
}

fn keep(body: &mut Vec<u8>, bytes: &mut u64, wanted: bool, data: &[u8]) {
    *bytes += data.len() as u64;
    if wanted {
        let room = MAX_KEPT_BODY.saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(data));
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
