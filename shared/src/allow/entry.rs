//! One line of an allow-list: a host name, a wildcard domain or a network, each with an optional port.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use thiserror::Error;

use super::class::canonical;
use crate::target::is_host_name;

/// Whom an entry permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Exactly this host name, lower case, ASCII.
    Name(String),
    /// Every name that ends in `.` and this domain, at any depth.
    Below(String),
    /// Every address of a network.
    Network(IpNet),
}

/// A pattern and the only port it is for, if it names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pattern: Pattern,
    pub(super) port: Option<u16>,
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum EntryError {
    #[error("an entry is empty")]
    Empty,
    #[error("`{0}` is not a port between 1 and 65535")]
    Port(String),
    #[error("`{0}` is not a network such as `10.0.0.0/8` or `[2001:db8::]/32`")]
    Network(String),
    #[error("`{0}` is neither a host name, `*.domain`, an address nor a network")]
    Host(String),
    #[error("`{0}` has a scheme or a path; an entry is `host[:port]`, `*.domain[:port]` or `CIDR[:port]`")]
    Url(String),
}

impl Entry {
    pub(super) fn permits_port(&self, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
    }

    /// Whether a name entry covers `host` (lower case, without trailing dot).
    pub(super) fn permits_name(&self, host: &str) -> bool {
        match &self.pattern {
            Pattern::Name(name) => name == host,
            Pattern::Below(domain) => host
                .strip_suffix(domain.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty()),
            Pattern::Network(_) => false,
        }
    }

    /// Whether a network entry covers the canonical address `address`.
    pub(super) fn permits_address(&self, address: IpAddr) -> bool {
        matches!(&self.pattern, Pattern::Network(network) if network.contains(&address))
    }
}

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EntryError::Empty);
        }
        if text.contains("://") || text.contains(['?', '#', '@']) {
            return Err(EntryError::Url(text.into()));
        }
        // An IPv6 address or network without brackets has no port: its colons are its own.
        if text.matches(':').count() > 1 && !text.starts_with('[') {
            return Ok(Self { pattern: network(text)?, port: None });
        }
        let (host, port) = split_port(text)?;
        let pattern = if host.contains('/') { network(host)? } else { host_pattern(host)? };
        Ok(Self { pattern, port })
    }
}

/// Splits `host:port`; the colon that counts is the last one after any bracket.
fn split_port(text: &str) -> Result<(&str, Option<u16>), EntryError> {
    let colon = text.rfind(':').filter(|&at| text.rfind(']').is_none_or(|bracket| at > bracket));
    let Some((host, digits)) = colon.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) else {
        return Ok((text, None));
    };
    let port = Some(digits)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .filter(|&port: &u16| port != 0)
        .ok_or_else(|| EntryError::Port(digits.into()))?;
    Ok((host, Some(port)))
}

fn network(text: &str) -> Result<Pattern, EntryError> {
    let error = || EntryError::Network(text.into());
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = unbracket(address).parse().ok().ok_or_else(error)?;
    let length = match length {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().ok_or_else(error)?,
        Some(_) => return Err(error()),
        None => {
            if address.is_ipv4() {
                32
            } else {
                128
            }
        }
    };
    // A network of IPv4-mapped addresses is a network of the IPv4 addresses that are really reached.
    let (address, length) = match (address, canonical(address)) {
        (IpAddr::V6(_), mapped @ IpAddr::V4(_)) if length >= 96 => (mapped, length - 96),
        (address, _) => (address, length),
    };
    let network = IpNet::new(address, length).ok().ok_or_else(error)?;
    Ok(Pattern::Network(network.trunc()))
}

fn host_pattern(text: &str) -> Result<Pattern, EntryError> {
    if text.starts_with('[') {
        return network(text);
    }
    let (domain, below) = match text.strip_prefix("*.") {
        Some(domain) => (domain, true),
        None => (text, false),
    };
    let error = || EntryError::Host(text.into());
    match url::Host::parse(domain.trim_end_matches('.')).ok().ok_or_else(error)? {
        url::Host::Domain(name) if !is_host_name(&name) => Err(error()),
        url::Host::Domain(name) if below => Ok(Pattern::Below(name)),
        url::Host::Domain(name) => Ok(Pattern::Name(name)),
        url::Host::Ipv4(address) if !below => Ok(Pattern::Network(IpNet::from(IpAddr::V4(address)))),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => Err(error()),
    }
}

fn unbracket(text: &str) -> &str {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn net(text: &str) -> Pattern {
        Pattern::Network(text.parse().unwrap())
    }

    #[test]
    fn good_entries() {
        let table = [
            ("Example.COM", Pattern::Name("example.com".into()), None),
            ("example.com.:8443", Pattern::Name("example.com".into()), Some(8443)),
            ("bücher.example", Pattern::Name("xn--bcher-kva.example".into()), None),
            ("*.example.com:443", Pattern::Below("example.com".into()), Some(443)),
            ("127.0.0.0/8", net("127.0.0.0/8"), None),
            ("10.1.2.3/8:80", net("10.0.0.0/8"), Some(80)),
            ("10.1.2.3:80", net("10.1.2.3/32"), Some(80)),
            ("127.1", net("127.0.0.1/32"), None),
            ("::1/128", net("::1/128"), None),
            ("2001:db8::7", net("2001:db8::7/128"), None),
            ("[::1]:8080", net("::1/128"), Some(8080)),
            ("[2001:db8::]/32", net("2001:db8::/32"), None),
            ("[2001:db8::]/32:443", net("2001:db8::/32"), Some(443)),
            ("::ffff:10.0.0.0/104", net("10.0.0.0/8"), None),
        ];
        for (text, pattern, port) in table {
            assert_eq!(text.parse::<Entry>(), Ok(Entry { pattern, port }), "{text}");
        }
    }

    #[test]
    fn bad_entries() {
        for text in [
            "",
            "  ",
            "http://a",
            "a/b",
            "a:0",
            "a:65536",
            "a:+1",
            "a:",
            "10.0.0.0/33",
            "::1/129",
            "10.0.0.0/-1",
            "[::1",
            "*",
            "*.",
            "*.10.0.0.1",
            "a*b.example",
            "a b",
            "1::2::3",
            "user@host",
            "[10.0.0.1:80",
        ] {
            assert!(text.parse::<Entry>().is_err(), "{text}");
        }
    }
}
