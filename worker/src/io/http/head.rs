//! The head of a response: status, how long the body is, and whether the connection stays open (RFC 9112).

use std::mem::MaybeUninit;

use thiserror::Error;

/// The most header lines of a response.
const MAX_HEADERS: usize = 96;
/// The longest head, and the longest trailer, in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Why bytes are no HTTP response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ParseError {
    #[error("the head is not HTTP/1.x")]
    Head,
    #[error("the head is longer than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    #[error("the content length is malformed or contradicts itself")]
    ContentLength,
    #[error("the connection was switched to another protocol")]
    Switched,
    #[error("more than 16 interim responses")]
    TooManyInterim,
    #[error("the chunked body is malformed")]
    Chunk,
    #[error("the connection closed inside the response")]
    Truncated,
}

/// Where the body of a response ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What the client needs to know of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) location: Option<Vec<u8>>,
}

/// What the header lines say, before the rules of precedence.
#[derive(Default)]
struct Fields {
    length: Option<u64>,
    transfer_encoding: bool,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    location: Option<Vec<u8>>,
}

/// Reads a head from the beginning of `input`: the head and its length, or none when more bytes are needed.
/// `answers_head` tells that the request was HEAD, so that no body follows.
pub(super) fn parse_head(
    input: &[u8],
    answers_head: bool,
    want_location: bool,
) -> Result<Option<(Head, usize)>, ParseError> {
    let mut storage = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, input, &mut storage);
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() < MAX_HEAD_BYTES => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(ParseError::HeadTooLong),
        Err(_) => return Err(ParseError::Head),
    };
    if length > MAX_HEAD_BYTES {
        return Err(ParseError::HeadTooLong);
    }
    let (Some(status), Some(version)) = (response.code, response.version) else {
        return Err(ParseError::Head);
    };
    let mut fields = Fields::default();
    for header in &*response.headers {
        read_field(&mut fields, header.name, header.value, want_location)?;
    }
    Ok(Some((head(status, version, answers_head, fields), length)))
}

fn read_field(fields: &mut Fields, name: &str, value: &[u8], want_location: bool) -> Result<(), ParseError> {
    // The length picks the few names that matter before any comparison.
    match name.len() {
        14 if name.eq_ignore_ascii_case("content-length") => {
            fields.length = Some(content_length(value, fields.length)?)
        }
        17 if name.eq_ignore_ascii_case("transfer-encoding") => {
            fields.transfer_encoding = true;
            fields.chunked = tokens(value).last().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
        }
        10 if name.eq_ignore_ascii_case("connection") => {
            for token in tokens(value) {
                fields.close |= token.eq_ignore_ascii_case(b"close");
                fields.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        8 if want_location && name.eq_ignore_ascii_case("location") => fields.location = Some(value.to_vec()),
        _ => {}
    }
    Ok(())
}

fn head(status: u16, version: u8, answers_head: bool, fields: Fields) -> Head {
    let no_body = answers_head || matches!(status, 100..=199 | 204 | 304);
    let framing = match fields {
        _ if no_body => Framing::Length(0),
        Fields { chunked: true, .. } => Framing::Chunked,
        Fields { transfer_encoding: true, .. } => Framing::UntilClose,
        Fields { length: Some(length), .. } => Framing::Length(length),
        _ => Framing::UntilClose,
    };
    // Both framings at once smell of request smuggling: the response is read, the connection is not used again.
    let contradictory = fields.transfer_encoding && fields.length.is_some();
    let persistent = if version == 1 { !fields.close } else { fields.keep_alive && !fields.close };
    let keep_alive = persistent && !contradictory && framing != Framing::UntilClose;
    Head { status, framing, keep_alive, location: fields.location }
}

/// A decimal number, or a list of the same number (RFC 9110, section 8.6).
fn content_length(value: &[u8], before: Option<u64>) -> Result<u64, ParseError> {
    let mut length = before;
    for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
        let text = std::str::from_utf8(token).map_err(|_not_text| ParseError::ContentLength)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u64>().ok().filter(|_| digits).ok_or(ParseError::ContentLength)?;
        if length.is_some_and(|other| other != number) {
            return Err(ParseError::ContentLength);
        }
        length = Some(number);
    }
    length.ok_or(ParseError::ContentLength)
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn parse(text: &str) -> Result<Option<(Head, usize)>, ParseError> {
        parse_head(text.as_bytes(), false, true)
    }

    #[track_caller]
    fn check(lines: &str, framing: Framing, keep_alive: bool) {
        let text = format!("{lines}\r\n\r\n").replace("| ", "\r\n");
        let (head, length) = parse(&text).unwrap().unwrap();
        assert_eq!((head.framing, head.keep_alive, length), (framing, keep_alive, text.len()), "{lines}");
    }

    #[test]
    fn framing_and_persistence() {
        check("HTTP/1.1 200 OK| Content-Length: 5", Framing::Length(5), true);
        check("HTTP/1.1 200 OK| content-length: 5, 5| Content-Length: 5", Framing::Length(5), true);
        check("HTTP/1.1 200 OK| Content-Length: 5| Connection: Close", Framing::Length(5), false);
        check("HTTP/1.0 200 OK| Content-Length: 5", Framing::Length(5), false);
        check("HTTP/1.0 200 OK| Content-Length: 5| Connection: x, keep-alive", Framing::Length(5), true);
        check("HTTP/1.1 200 OK| Transfer-Encoding: gzip, Chunked", Framing::Chunked, true);
        check("HTTP/1.1 200 OK| Transfer-Encoding: chunked| Content-Length: 5", Framing::Chunked, false);
        check("HTTP/1.1 200 OK| Transfer-Encoding: chunked, gzip", Framing::UntilClose, false);
        check("HTTP/1.1 200 OK", Framing::UntilClose, false);
        check("HTTP/1.1 204 None", Framing::Length(0), true);
        check("HTTP/1.1 304 Same| Content-Length: 9", Framing::Length(0), true);
        check("HTTP/1.1 100 Continue", Framing::Length(0), true);
    }

    #[test]
    fn broken_heads() {
        for lines in [
            "Content-Length: 5| Content-Length: 6",
            "Content-Length: -1",
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 1 2",
        ] {
            let text = format!("HTTP/1.1 200 OK| {lines}| | ").replace("| ", "\r\n");
            assert_eq!(parse(&text), Err(ParseError::ContentLength), "{lines}");
        }
        for text in
            ["SSH-2.0-x\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]
        {
            assert_eq!(parse(text), Err(ParseError::Head), "{text}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "a".repeat(MAX_HEAD_BYTES));
        assert_eq!(parse(&long), Err(ParseError::HeadTooLong));
        assert_eq!(parse("HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
    }
}
