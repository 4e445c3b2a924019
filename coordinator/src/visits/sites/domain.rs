//! The form of a site's domain.

use std::net::Ipv6Addr;

/// Longest host name of the domain name system.
const LONGEST: usize = 253;

/// Whether `host` can be a site: a host in lower case, as URLs have it after parsing, without `www.` and port.
#[must_use]
pub fn is_domain(host: &str) -> bool {
    if host.is_empty() || host.len() > LONGEST || host.starts_with("www.") {
        return false;
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(plain)
    };
    host.split('.').all(label)
}

/// A domain as people write it, in the form of [`is_domain`].
#[must_use]
pub fn normal(text: &str) -> Option<String> {
    let lower = text.trim().trim_end_matches('.').to_lowercase();
    let host = lower.strip_prefix("www.").unwrap_or(&lower);
    is_domain(host).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_hosts_in_lower_case() {
        for good in ["example.com", "localhost", "127.0.0.1", "[::1]", "xn--bcher-kva.example", "a_b.example"] {
            assert!(is_domain(good), "{good}");
        }
        let long = "a".repeat(254);
        for bad in ["", "www.example.com", "Example.com", "a b", "a..b", "x:80", "http://x", "[x]", "ü.example", &long]
        {
            assert!(!is_domain(bad), "{bad}");
        }
        assert_eq!(normal(" WWW.Example.com. ").as_deref(), Some("example.com"));
        assert_eq!(normal("https://example.com"), None);
    }
}
