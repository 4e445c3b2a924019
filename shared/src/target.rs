//! What may be requested: target URLs, methods and request headers, checked alike by coordinator and worker.

mod headers;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::headers::{MAX_HEADER_VALUE_BYTES, MAX_HEADERS, check_headers, check_method, is_safe_value};

/// The longest target URL in bytes.
pub const MAX_URL_BYTES: usize = 8 * 1024;

/// How the target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// The name in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A target URL taken apart; as data it is its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetUrl {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The host in lower-case ASCII, an IPv6 address without brackets.
    pub host: String,
    /// The port, also when the URL left it out.
    pub port: u16,
    /// Path and query, beginning with `/`; `{{…}}` templates stand as they were written.
    pub path_and_query: String,
}

/// Why a text is no target URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetUrlError {
    /// Longer than [`MAX_URL_BYTES`].
    #[error("the URL is longer than {MAX_URL_BYTES} bytes")]
    TooLong,
    /// A control character, such as a line break.
    #[error("the URL contains a line break or another control character")]
    ControlCharacter,
    /// Space around or inside.
    #[error("the URL contains a space")]
    Space,
    /// The URL standard cannot read it.
    #[error("`{url}` is not an absolute URL: {reason}")]
    Malformed {
        /// The text.
        url: String,
        /// What the parser said.
        reason: String,
    },
    /// Neither `http` nor `https`.
    #[error("the scheme `{0}` is not supported, use `http` or `https`")]
    Scheme(String),
    /// `user:password@` is part of it.
    #[error("the URL must not contain a user name or password")]
    UserInfo,
    /// It has no host.
    #[error("the URL has no host")]
    NoHost,
    /// A host that no name server knows how to ask for.
    #[error("`{0}` is not a host name")]
    Host(String),
    /// Port 0.
    #[error("port 0 cannot be connected to")]
    PortZero,
}

impl TargetUrl {
    /// Reads an absolute `http` or `https` URL; a fragment is dropped.
    ///
    /// # Errors
    /// A [`TargetUrlError`] that says why the text is refused.
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        check_characters(text)?;
        let malformed =
            |reason: url::ParseError| TargetUrlError::Malformed { url: text.into(), reason: reason.to_string() };
        Self::from_url(&url::Url::parse(text).map_err(malformed)?)
    }

    /// The URL that a `Location` header means, seen from this one.
    ///
    /// # Errors
    /// As [`TargetUrl::parse`].
    pub fn join(&self, location: &str) -> Result<Self, TargetUrlError> {
        check_characters(location)?;
        let malformed =
            |reason: url::ParseError| TargetUrlError::Malformed { url: location.into(), reason: reason.to_string() };
        let base = url::Url::parse(&self.to_string()).map_err(malformed)?;
        Self::from_url(&base.join(location).map_err(malformed)?)
    }

    fn from_url(url: &url::Url) -> Result<Self, TargetUrlError> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(TargetUrlError::Scheme(other.into())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetUrlError::UserInfo);
        }
        let host = match url.host().ok_or(TargetUrlError::NoHost)? {
            url::Host::Domain(name) => host_name(name)?,
            url::Host::Ipv4(address) => address.to_string(),
            url::Host::Ipv6(address) => address.to_string(),
        };
        let port = url.port().unwrap_or(scheme.default_port());
        if port == 0 {
            return Err(TargetUrlError::PortZero);
        }
        let mut path_and_query = url.path().replace("%7B%7B", "{{").replace("%7D%7D", "}}");
        if let Some(query) = url.query() {
            path_and_query.push('?');
            path_and_query.push_str(query);
        }
        Ok(Self { scheme, host, port, path_and_query })
    }

    /// Host and port for a `Host` header: brackets around IPv6, the default port left out.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.bracketed_host();
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// `scheme://host:port` with the port always there: what an ownership proof is about.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme.as_str(), self.bracketed_host(), self.port)
    }

    /// Whether both have the same scheme, host and port.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.host == other.host
    }

    /// The address that the host is, or none when it is a name.
    #[must_use]
    pub fn literal_address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path_and_query)
    }
}

impl TryFrom<String> for TargetUrl {
    type Error = TargetUrlError;

    fn try_from(text: String) -> Result<Self, TargetUrlError> {
        Self::parse(&text)
    }
}

impl From<TargetUrl> for String {
    fn from(url: TargetUrl) -> Self {
        url.to_string()
    }
}

fn host_name(name: &str) -> Result<String, TargetUrlError> {
    let name = name.trim_end_matches('.');
    if is_host_name(name) { Ok(name.to_owned()) } else { Err(TargetUrlError::Host(name.escape_default().to_string())) }
}

/// Whether `name` is made of labels of letters, digits, `-` and `_`; the URL standard alone would take `{{host}}`.
pub(crate) fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

/// The URL standard silently drops line breaks and outer spaces; here they are mistakes.
fn check_characters(text: &str) -> Result<(), TargetUrlError> {
    if text.len() > MAX_URL_BYTES {
        return Err(TargetUrlError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(TargetUrlError::ControlCharacter);
    }
    if text.chars().any(char::is_whitespace) {
        return Err(TargetUrlError::Space);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn good_urls() {
        let table = [
            ("http://Example.com", "example.com", 80, "/", "example.com"),
            ("https://example.com/a?b=c#d", "example.com", 443, "/a?b=c", "example.com"),
            ("http://127.0.0.1:8080/a b".split(' ').next().unwrap(), "127.0.0.1", 8080, "/a", "127.0.0.1:8080"),
            ("http://[::1]:81/x", "::1", 81, "/x", "[::1]:81"),
            ("http://0x7f.1/", "127.0.0.1", 80, "/", "127.0.0.1"),
            ("https://h.test:80/u/{{sequence}}?k={{uuid}}", "h.test", 80, "/u/{{sequence}}?k={{uuid}}", "h.test:80"),
        ];
        for (text, host, port, path, authority) in table {
            let url = TargetUrl::parse(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.path_and_query.as_str(), url.authority().as_str()),
                (host, port, path, authority)
            );
            assert_eq!(TargetUrl::parse(&url.to_string()).unwrap(), url);
        }
    }

    #[test]
    fn bad_urls_say_why() {
        let table = [
            ("", "is not an absolute URL"),
            ("/path", "is not an absolute URL"),
            ("ftp://h/", "scheme `ftp`"),
            ("file:///etc/passwd", "scheme `file`"),
            ("http://u@h/", "user name"),
            ("http://u:p@h/", "user name"),
            ("http://h/\r\nX: y", "line break"),
            ("http://h/\0", "control"),
            (" http://h/", "space"),
            ("http://h:0/", "port 0"),
            ("http://h:99999/", "port"),
            ("http://{{host}}/", "is not a host name"),
            ("http://a..b/", "is not a host name"),
            ("http://", "is not an absolute URL"),
        ];
        for (text, expected) in table {
            let error = TargetUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert_eq!(TargetUrl::parse(&format!("http://h/{}", "a".repeat(MAX_URL_BYTES))), Err(TargetUrlError::TooLong));
    }

    #[test]
    fn locations_are_joined() {
        let base = TargetUrl::parse("http://h.test:81/a/b?c").unwrap();
        assert_eq!(base.join("../x").unwrap().to_string(), "http://h.test:81/x");
        assert_eq!(base.join("//other.test/y").unwrap().origin(), "http://other.test:80");
        assert!(base.join("http://u:p@h.test/").is_err());
        assert!(base.join("gopher://h.test/").is_err());
    }
}
