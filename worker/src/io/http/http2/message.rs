//! A prepared HTTP/1.1 request as an HTTP/2 message: the same marks, headers and escapes.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};

/// More than the headers of a campaign, of a visitor and of ours together.
const MAX_HEADERS: usize = 160;

/// Headers that belong to one HTTP/1.1 connection (RFC 9113, section 8.2.2) or that a pseudo-header replaces.
const LEFT_OUT: [&str; 7] =
    ["host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"];

/// The message and its body; none when a part of it cannot be sent in HTTP/2.
pub(super) fn message(prepared: &[u8], scheme: &Scheme) -> Option<(Request<()>, Bytes)> {
    let mut storage = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut storage);
    let httparse::Status::Complete(length) = parsed.parse(prepared).ok()? else {
        return None;
    };
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    let mut authority = None;
    for header in &*parsed.headers {
        if header.name.eq_ignore_ascii_case("host") {
            authority = Authority::try_from(header.value).ok();
        }
        if !LEFT_OUT.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            headers.append(name, HeaderValue::from_bytes(header.value).ok()?);
        }
    }
    let path = PathAndQuery::try_from(parsed.path?).ok()?;
    let uri = Uri::builder().scheme(scheme.clone()).authority(authority?).path_and_query(path).build().ok()?;
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = headers;
    Some((request, Bytes::copy_from_slice(prepared.get(length..)?)))
}

/// The length of fields as text: a name, a value and two separators each.
pub(super) fn text_length(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn what_belongs_to_http_1_stays_behind() {
        let prepared = b"POST /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:80\r\nX-Synthetic-Id: r-0-1-2\r\n\
            Connection: close\r\nTE: gzip\r\nUpgrade: h2c\r\nX-Own: 1\r\nx-own: 2\r\nContent-Length: 3\r\n\r\nabc";
        let (request, body) = message(prepared, &Scheme::HTTP).unwrap();
        assert_eq!(request.uri().to_string(), "http://127.0.0.1:80/a%20b?c=d");
        assert_eq!((request.method().as_str(), &body[..]), ("POST", &b"abc"[..]));
        let names: Vec<&str> = request.headers().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x-synthetic-id", "x-own", "x-own", "content-length"]);
        assert_eq!(text_length(request.headers()), 14 + 7 + 4 + 2 * (5 + 1 + 4) + 14 + 1 + 4);
        assert!(message(b"GET / HTTP/1.1\r\n\r\n", &Scheme::HTTP).is_none());
        assert!(message(b"GET / HTTP/1.1\r\nHost: a\r\n", &Scheme::HTTP).is_none());
    }
}
