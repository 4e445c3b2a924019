//! Who sends a visit: the client behind proxies, and whether it may speak for others.

use std::net::IpAddr;

use ipnet::IpNet;
use subtle::ConstantTimeEq;
use trafficlab_shared::config::{Config, Secret};

/// The sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The client's address: the peer, or the right-most address of `X-Forwarded-For` that is no trusted proxy.
    pub address: IpAddr,
    /// Whether it may name addresses and times of its visitors: it shows an ingest key, or it is a trusted proxy that
    /// speaks for itself. A proxy that passes on somebody's request lends nobody its trust.
    pub trusted: bool,
}

/// Finds out who sends. `forwarded` are the values of `X-Forwarded-For` from the last header to the first.
pub fn sender<'a>(
    config: &Config,
    peer: IpAddr,
    forwarded: impl Iterator<Item = &'a str>,
    key: Option<&str>,
) -> Sender {
    let proxies = &config.http.trusted_proxies;
    let peer = peer.to_canonical();
    let (address, own) = if is_proxy(proxies, peer) { behind(proxies, peer, forwarded) } else { (peer, false) };
    let trusted = own || key.is_some_and(|key| is_key(&config.tracker.ingest_keys, key));
    Sender { address, trusted }
}

fn is_proxy(proxies: &[IpNet], address: IpAddr) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// Walks from the nearest hop outwards, and tells whether every hop was a proxy. An entry that cannot be read ends the
/// walk, since what is left of it was written by somebody who is not trusted.
fn behind<'a>(proxies: &[IpNet], peer: IpAddr, forwarded: impl Iterator<Item = &'a str>) -> (IpAddr, bool) {
    let mut nearest = peer;
    for hop in forwarded.flat_map(|value| value.rsplit(',')) {
        let Some(address) = hop_address(hop.trim()) else { return (nearest, false) };
        nearest = address;
        if !is_proxy(proxies, address) {
            return (address, false);
        }
    }
    (nearest, true)
}

/// An address, as some proxies write it with a port or in brackets.
fn hop_address(text: &str) -> Option<IpAddr> {
    let socket = || text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(socket).map(|address: IpAddr| address.to_canonical())
}

/// Looks at every key whatever the earlier ones gave, so that the time tells nothing but lengths.
fn is_key(keys: &[Secret], shown: &str) -> bool {
    let mut known = false;
    for key in keys {
        known |= bool::from(key.expose().as_bytes().ct_eq(shown.as_bytes())) && !shown.is_empty();
    }
    known
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{Purpose, Sources};

    fn config() -> Config {
        let text =
            "http.trusted_proxies = [\"10.0.0.0/8\", \"::1/128\"]\ntracker.ingest_keys = [\"first-key\", \"key\"]";
        let sources = Sources { flags: text.parse().unwrap(), ..Sources::default() };
        Config::load(&sources, Purpose::Print).unwrap()
    }

    fn seen(peer: &str, forwarded: &[&str], key: Option<&str>) -> (String, bool) {
        let sender = sender(&config(), peer.parse().unwrap(), forwarded.iter().rev().copied(), key);
        (sender.address.to_string(), sender.trusted)
    }

    #[test]
    fn only_proxies_are_believed_and_only_so_far_as_they_go() {
        let table: [(&str, &[&str], &str, bool); 10] = [
            ("192.0.2.1", &[], "192.0.2.1", false),
            ("192.0.2.1", &["10.0.0.1"], "192.0.2.1", false),
            ("10.1.1.1", &["198.51.100.7"], "198.51.100.7", false),
            ("10.1.1.1", &["127.0.0.1, 198.51.100.7, 10.2.2.2"], "198.51.100.7", false),
            ("10.1.1.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7", false),
            ("10.1.1.1", &["198.51.100.7, nonsense"], "10.1.1.1", false),
            ("10.1.1.1", &["[2001:db8::1]:443"], "2001:db8::1", false),
            ("10.1.1.1", &["198.51.100.7:1234"], "198.51.100.7", false),
            ("::ffff:10.1.1.1", &[], "10.1.1.1", true),
            ("::1", &["10.0.0.3"], "10.0.0.3", true),
        ];
        for (peer, forwarded, address, trusted) in table {
            assert_eq!(seen(peer, forwarded, None), (address.to_owned(), trusted), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_key_gives_trust() {
        assert!(seen("192.0.2.1", &[], Some("key")).1);
        for wrong in ["", "ke", "keys", "first"] {
            assert!(!seen("192.0.2.1", &[], Some(wrong)).1, "{wrong}");
        }
    }
}
