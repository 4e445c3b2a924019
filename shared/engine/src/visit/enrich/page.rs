//! The address of a page, taken apart.
//!
//! What a page's address is, is told by the URL Standard (<https://url.spec.whatwg.org>): the common plain form is
//! taken apart by hand without an allocation, and everything else goes through the `url` crate.

use std::borrow::Cow;

use url::{Host, Url};

use super::text::{MAX_BYTES, clean, readable_path};

/// Why a text is not the address of a page. The sentence goes behind the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// Longer than any value may be.
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// Relative, or of another scheme, or no URL at all.
    #[error("must be an absolute http or https URL")]
    NotAbsolute,
    /// The host is not one.
    #[error("must have a valid host name")]
    Host,
}

/// An absolute `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl<'a> {
    /// Host in lower case, without port, without a leading `www.` and a trailing dot.
    pub host: Cow<'a, str>,
    /// Path that begins with `/`, escapes undone where that is safe.
    pub path: Cow<'a, str>,
    /// Query as sent, without `?`; empty when there is none.
    pub query: Cow<'a, str>,
    /// Fragment as sent, without `#`; empty when there is none.
    pub fragment: Cow<'a, str>,
    /// Host and path in one piece where the text had them so.
    pub(super) joined: Option<&'a str>,
}

impl<'a> PageUrl<'a> {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// Why it is no address of a page.
    pub fn parse(text: &'a str) -> Result<Self, PageFault> {
        if text.is_empty() {
            return Err(PageFault::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(PageFault::TooLong);
        }
        plain(text).map_or_else(|| standard(text), Ok)
    }

    /// The page of a site whose pages differ in the fragment: path, `#` and fragment.
    #[must_use]
    pub fn hash_path(&self) -> Cow<'_, str> {
        if self.fragment.is_empty() {
            return Cow::Borrowed(&self.path);
        }
        Cow::Owned(format!("{}#{}", self.path, clean(&readable_path(&self.fragment))))
    }

    /// Host and path without a slash at the end, as referrers are kept.
    #[must_use]
    pub fn host_and_path(&self) -> Cow<'a, str> {
        match self.joined {
            Some(joined) => Cow::Borrowed(joined.trim_end_matches('/')),
            None => Cow::Owned(format!("{}{}", self.host, self.path).trim_end_matches('/').to_owned()),
        }
    }
}

/// The common form: printable ASCII, a host of lower-case letters, digits, dots and hyphens that can't be an address,
/// a path without dot segments. The URL Standard leaves such a text as it is.
fn plain(text: &str) -> Option<PageUrl<'_>> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let host_end = rest.bytes().position(|byte| !class(byte, HOST)).unwrap_or(rest.len());
    let (host, behind) = rest.split_at_checked(host_end)?;
    if !is_plain_host(host) {
        return None;
    }
    let (port, tail) = match behind.strip_prefix(':') {
        Some(port) => {
            port.split_at_checked(port.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(port.len()))?
        }
        None => ("", behind),
    };
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return None;
    }
    let (path_end, query_end) = plain_tail(tail.as_bytes())?;
    let path = tail.get(..path_end)?;
    let site = without_www(host);
    let joined = tail.len() == behind.len() && !path.is_empty() && !path.contains('%');
    Some(PageUrl {
        host: Cow::Borrowed(site),
        path: if path.is_empty() { Cow::Borrowed("/") } else { readable_path(path) },
        query: Cow::Borrowed(tail.get(path_end + 1..query_end).unwrap_or_default()),
        fragment: Cow::Borrowed(tail.get(query_end + 1..).unwrap_or_default()),
        joined: if joined { rest.get(host.len() - site.len()..host_end + path_end) } else { None },
    })
}

/// Where path and query end, when the URL Standard leaves all bytes as they are and no segment of the path begins with
/// a dot or an escape, which might be one.
fn plain_tail(tail: &[u8]) -> Option<(usize, usize)> {
    if !matches!(tail.first(), None | Some(b'/' | b'?' | b'#')) {
        return None;
    }
    let (mut path_end, mut query_end, mut before) = (tail.len(), tail.len(), 0);
    for (at, byte) in tail.iter().enumerate() {
        if !class(*byte, TAIL) {
            return None;
        }
        match *byte {
            b'.' | b'%' if before == b'/' && path_end == tail.len() => return None,
            b'?' if path_end == tail.len() => path_end = at,
            b'#' => {
                path_end = path_end.min(at);
                query_end = at;
                break;
            }
            _ => {}
        }
        before = *byte;
    }
    let fragment = tail.get(query_end..).unwrap_or_default();
    fragment.iter().all(|byte| class(*byte, TAIL)).then_some((path_end, query_end))
}

const HOST: u8 = 1;
const TAIL: u8 = 2;

/// What each byte may be part of: a plain host, or a path, query or fragment that the URL Standard leaves as it is.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse an index that is too large")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x7f {
        let is_host = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        let is_changed = matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        let is_tail = byte > b' ' && !is_changed;
        classes[byte as usize] = if is_host { HOST } else { 0 } | if is_tail { TAIL } else { 0 };
        byte += 1;
    }
    classes
};

fn class(byte: u8, wanted: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|class| class & wanted != 0)
}

/// Whether the host can only be a name in ASCII: no label is empty, none can be punycode, and the last one begins with a
/// letter, so that it is no address.
fn is_plain_host(host: &str) -> bool {
    let mut before = b'.';
    let mut is_letter_first = false;
    for byte in host.bytes() {
        if before == b'.' {
            is_letter_first = byte.is_ascii_lowercase();
        }
        if byte == before && matches!(byte, b'.' | b'-') {
            return false;
        }
        before = byte;
    }
    is_letter_first && before != b'.'
}

/// `www.` goes where a name with a dot is left.
fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host)
}

fn standard(text: &str) -> Result<PageUrl<'static>, PageFault> {
    let url = Url::parse(text).map_err(|fault| match fault {
        url::ParseError::RelativeUrlWithoutBase => PageFault::NotAbsolute,
        url::ParseError::EmptyHost | url::ParseError::IdnaError | url::ParseError::InvalidDomainCharacter => {
            PageFault::Host
        }
        url::ParseError::InvalidIpv4Address | url::ParseError::InvalidIpv6Address => PageFault::Host,
        _ => PageFault::NotAbsolute,
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(PageFault::NotAbsolute);
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => without_www(name.trim_end_matches('.')).to_owned(),
        Some(address) => address.to_string(),
        None => return Err(PageFault::Host),
    };
    if host.is_empty() {
        return Err(PageFault::Host);
    }
    let path = readable_path(url.path()).into_owned();
    let fragment = url.fragment().unwrap_or_default().to_owned();
    // Characters that the standard escapes, and names in punycode, are longer than they were.
    if host.len() + path.len() + fragment.len() > MAX_BYTES {
        return Err(PageFault::TooLong);
    }
    Ok(PageUrl {
        host: Cow::Owned(host),
        path: Cow::Owned(path),
        query: Cow::Owned(url.query().unwrap_or_default().to_owned()),
        fragment: Cow::Owned(fragment),
        joined: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, host, path, query) in [
            ("https://example.com", "example.com", "/", ""),
            ("https://www.example.com/a/b?x=1&y#top", "example.com", "/a/b", "x=1&y"),
            ("http://example.com:8080/a", "example.com", "/a", ""),
            ("http://localhost:8080/a#f?g", "localhost", "/a", ""),
            ("HTTPS://WWW.Example.COM/A", "example.com", "/A", ""),
            ("https://example.com/a/../b/./c", "example.com", "/b/c", ""),
            ("https://example.com/a/%2e%2e/b", "example.com", "/b", ""),
            ("https://münchen.example/straße", "xn--mnchen-3ya.example", "/straße", ""),
            ("https://example.com/%C3%BC%20x?q=%20", "example.com", "/ü x", "q=%20"),
            ("https://user:secret@example.com/a", "example.com", "/a", ""),
            ("http://127.0.0.1:3000/", "127.0.0.1", "/", ""),
            ("http://0x7f.1/", "127.0.0.1", "/", ""),
            ("http://[::1]/a", "[::1]", "/a", ""),
            ("https://example.com./a", "example.com", "/a", ""),
            ("https://www.com/", "www.com", "/", ""),
            ("https://example.com?x", "example.com", "/", "x"),
            ("  https://example.com/a\n ", "example.com", "/a", ""),
            ("https://example.com\\a", "example.com", "/a", ""),
        ] {
            let url = PageUrl::parse(text).unwrap();
            assert_eq!((&*url.host, &*url.path, &*url.query), (host, path, query), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_BYTES));
        let escaped = format!("https://example.com/{}a", "\u{1}".repeat(MAX_BYTES / 2));
        for (text, fault) in [
            ("", PageFault::Empty),
            (&*long, PageFault::TooLong),
            (&*escaped, PageFault::TooLong),
            ("/home", PageFault::NotAbsolute),
            ("example.com/a", PageFault::NotAbsolute),
            ("ftp://example.com/", PageFault::NotAbsolute),
            ("javascript:alert(1)", PageFault::NotAbsolute),
            ("https://", PageFault::Host),
            ("https:///", PageFault::Host),
            ("https://exa mple.com/", PageFault::Host),
            ("https://1.2.3.400/", PageFault::Host),
        ] {
            assert_eq!(PageUrl::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn fragments_are_pages_where_a_site_says_so() {
        let path = |text| PageUrl::parse(text).unwrap().hash_path().into_owned();
        assert_eq!(path("https://example.com/app#/settings"), "/app#/settings");
        assert_eq!(path("https://example.com/app"), "/app");
    }

    #[test]
    fn host_and_path_are_one_text() {
        for (text, joined) in [
            ("https://www.example.com/", "example.com"),
            ("https://example.com", "example.com"),
            ("https://example.com/a/b/?q", "example.com/a/b"),
            ("https://example.com:8443/a", "example.com/a"),
            ("https://EXAMPLE.com/%C3%BC", "example.com/ü"),
        ] {
            assert_eq!(PageUrl::parse(text).unwrap().host_and_path(), joined);
        }
    }
}
