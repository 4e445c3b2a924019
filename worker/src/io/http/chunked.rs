//! The chunked transfer coding (RFC 9112, section 7.1) as a state machine over any split of the bytes.

use super::head::{MAX_HEAD_BYTES, ParseError};

/// The longest line with a chunk's size and extensions.
const MAX_SIZE_LINE: usize = 4096;

/// Where in the coding the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the size; the flag tells that a digit was there.
    Size {
        size: u64,
        digits: u8,
    },
    /// After the size, in extensions or white space, up to the line feed.
    Extension {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// The line break after the data; the flag tells that the carriage return was there.
    AfterData {
        carriage_return: bool,
    },
    /// In a trailer line; the flag tells that it has any byte.
    Trailer {
        empty: bool,
    },
    Done,
}

/// A decoder that counts; the caller sees the data through a callback.
#[derive(Debug)]
pub(crate) struct ChunkedDecoder {
    state: State,
    /// Bytes of the current size line, or of all trailers.
    line: usize,
}

impl ChunkedDecoder {
    pub(crate) const fn new() -> Self {
        Self { state: State::Size { size: 0, digits: 0 }, line: 0 }
    }

    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes bytes and tells how many were used; fewer than given only when the body is done.
    pub(crate) fn feed(&mut self, input: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, ParseError> {
        let mut rest = input;
        while !self.is_done() {
            if let State::Data { left } = self.state {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                let (chunk, after) = rest.split_at(take);
                data(chunk);
                rest = after;
                let left = left - take as u64;
                if left > 0 {
                    self.state = State::Data { left };
                    break;
                }
                self.state = State::AfterData { carriage_return: false };
            }
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            self.state = self.step(byte)?;
            rest = after;
        }
        Ok(input.len() - rest.len())
    }

    fn step(&mut self, byte: u8) -> Result<State, ParseError> {
        self.line += 1;
        match self.state {
            State::Size { .. } | State::Extension { .. } if self.line > MAX_SIZE_LINE => Err(ParseError::Chunk),
            State::Trailer { .. } if self.line > MAX_HEAD_BYTES => Err(ParseError::HeadTooLong),
            State::Size { size, digits } => self.size_byte(byte, size, digits),
            State::Extension { size } if byte == b'\n' => Ok(self.after_size(size)),
            State::AfterData { carriage_return } => match byte {
                b'\r' if !carriage_return => Ok(State::AfterData { carriage_return: true }),
                b'\n' => {
                    self.line = 0;
                    Ok(State::Size { size: 0, digits: 0 })
                }
                _ => Err(ParseError::Chunk),
            },
            State::Trailer { empty: true } if byte == b'\n' => Ok(State::Done),
            State::Trailer { .. } if byte == b'\n' => Ok(State::Trailer { empty: true }),
            State::Trailer { empty: true } if byte == b'\r' => Ok(State::Trailer { empty: true }),
            State::Trailer { .. } => Ok(State::Trailer { empty: false }),
            State::Extension { .. } | State::Data { .. } | State::Done => Ok(self.state),
        }
    }

    fn size_byte(&mut self, byte: u8, size: u64, digits: u8) -> Result<State, ParseError> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            // Fifteen digits are more than any transfer has, and cannot overflow.
            return if digits < 15 {
                Ok(State::Size { size: size * 16 + u64::from(digit), digits: digits + 1 })
            } else {
                Err(ParseError::Chunk)
            };
        }
        match byte {
            _ if digits == 0 => Err(ParseError::Chunk),
            b'\n' => Ok(self.after_size(size)),
            b'\r' | b';' | b' ' | b'\t' => Ok(State::Extension { size }),
            _ => Err(ParseError::Chunk),
        }
    }

    const fn after_size(&mut self, size: u64) -> State {
        self.line = 0;
        if size == 0 { State::Trailer { empty: true } } else { State::Data { left: size } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8]) -> Result<(Vec<u8>, usize, bool), ParseError> {
        let mut decoder = ChunkedDecoder::new();
        let mut body = Vec::new();
        let used = decoder.feed(text, |data| body.extend_from_slice(data))?;
        Ok((body, used, decoder.is_done()))
    }

    #[test]
    fn whole_bodies() {
        let table: [(&[u8], &[u8]); 5] = [
            (b"0\r\n\r\n", b""),
            (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
            (b"3;a=b\r\nabc\r\n00A \r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
            (b"1\r\nx\r\n0\r\nTrailer: y\r\nOther: z\r\n\r\n", b"x"),
            (b"1\nx\n0\n\n", b"x"),
        ];
        for (text, body) in table {
            assert_eq!(decode(text), Ok((body.to_vec(), text.len(), true)));
            let followed = [text, b"HTTP/1.1"].concat();
            assert_eq!(decode(&followed), Ok((body.to_vec(), text.len(), true)));
        }
    }

    #[test]
    fn broken_bodies() {
        for text in [
            &b"x\r\n"[..],
            b"\r\n",
            b";a\r\n",
            b"-1\r\n",
            b"1\r\nab",
            b"1\r\nx\r\r",
            b"fffffffffffffffff\r\n",
            b"1g\r\n",
        ] {
            assert_eq!(decode(text), Err(ParseError::Chunk), "{text:?}");
        }
        assert_eq!(decode(format!("1;{}", "a".repeat(5000)).as_bytes()), Err(ParseError::Chunk));
        assert_eq!(decode(format!("0\r\n{}", "a: b\r\n".repeat(20_000)).as_bytes()), Err(ParseError::HeadTooLong));
    }
}
