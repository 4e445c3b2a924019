//! Reading requests out of a connection's buffer.

use std::mem::MaybeUninit;

/// The longest request head.
const MAX_HEAD: usize = 64 * 1024;

/// How long the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Bytes(u64),
    Chunked,
}

/// A request head; borrowed from the buffer.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) path: &'a str,
    pub(super) body: BodyLength,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
    pub(super) campaign: Option<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) host: Option<&'a [u8]>,
}

/// The bytes are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadRequest;

/// Reads a head from the beginning of `input`: the request and the length of its head, or none when more is needed.
pub(super) fn parse(input: &[u8]) -> Result<Option<(Request<'_>, usize)>, BadRequest> {
    let mut storage = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; 96];
    let mut head = httparse::Request::new(&mut []);
    let length = match head.parse_with_uninit_headers(input, &mut storage) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() < MAX_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => return Err(BadRequest),
    };
    let (Some(method), Some(path), Some(version)) = (head.method, head.path, head.version) else {
        return Err(BadRequest);
    };
    let mut request = Request {
        method,
        path,
        body: BodyLength::Bytes(0),
        keep_alive: version == 1,
        expects_continue: false,
        campaign: None,
        id: None,
        host: None,
    };
    for header in &*head.headers {
        read_field(&mut request, header.name, header.value)?;
    }
    Ok(Some((request, length)))
}

fn read_field<'a>(request: &mut Request<'a>, name: &str, value: &'a [u8]) -> Result<(), BadRequest> {
    match name.len() {
        4 if name.eq_ignore_ascii_case("host") => request.host = Some(value),
        14 if name.eq_ignore_ascii_case("x-synthetic-id") => request.id = Some(value),
        14 if name.eq_ignore_ascii_case("content-length") => {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(BadRequest)?;
            request.body = BodyLength::Bytes(number);
        }
        19 if name.eq_ignore_ascii_case("x-synthetic-traffic") => request.campaign = Some(value),
        17 if name.eq_ignore_ascii_case("transfer-encoding") => request.body = BodyLength::Chunked,
        10 if name.eq_ignore_ascii_case("connection") => {
            let has = |token: &[u8]| {
                value.split(|&byte| byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
            };
            request.keep_alive = !has(b"close") && (request.keep_alive || has(b"keep-alive"));
        }
        6 if name.eq_ignore_ascii_case("expect") => request.expects_continue = true,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn heads() {
        let text = b"POST /a?b HTTP/1.1\r\nX-Synthetic-Id: r-0-1-2\r\nx-synthetic-traffic: c\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
        let (request, length) = parse(text).unwrap().unwrap();
        assert_eq!((request.method, request.path, request.body), ("POST", "/a?b", BodyLength::Bytes(3)));
        assert_eq!((request.id, request.campaign, request.keep_alive), (Some(&b"r-0-1-2"[..]), Some(&b"c"[..]), false));
        assert_eq!(length, text.len() - 3);
        assert!(parse(b"GET / HTTP/1.1\r\nHost").unwrap().is_none());
        assert!(parse(b"\x16\x03\x01\x02\x00").is_err());
        assert!(parse(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").is_err());
    }
}
