//! What the headers of a request say about its sender.

use std::net::{IpAddr, Ipv4Addr};

use poem::Request;
use poem::http::header;
use trafficlab_engine::visit::enrich::bots;
use trafficlab_engine::visit::enrich::text::MAX_BYTES;
use trafficlab_shared::config::Config;

use crate::visits::intake::{Asker, Moment, sender};

/// Longest name of a campaign.
const LONGEST_MARK: usize = 64;

/// Reads the headers.
#[must_use]
pub fn read<'a>(config: &Config, request: &'a Request) -> Asker<'a> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let peer = request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = headers.get_all("x-forwarded-for").iter().rev();
    // A header that is no text can't be walked through, and counts as an entry that can't be read.
    let forwarded = forwarded.map(|value| value.to_str().unwrap_or("?"));
    let bearer = || text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let key = text("x-ingest-key").or_else(bearer).map(str::trim);
    Asker {
        at: Moment::now(),
        sender: sender(config, peer, forwarded, key),
        user_agent: shortened(headers.get(header::USER_AGENT).map_or("", |value| value.to_str().unwrap_or_default())),
        origin: headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("?")),
        dnt: text("dnt") == Some("1"),
        gpc: text("sec-gpc") == Some("1"),
        mark: headers.get("x-synthetic-traffic").map(|value| mark(value.to_str().unwrap_or("?"))),
        unseen: bots::by_headers(text("purpose"), text("sec-purpose"), text("x-moz")),
    }
}

/// A text cut to the longest that is kept.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A mark that no campaign can have is as unknown as any other.
fn mark(text: &str) -> &str {
    if text.len() <= LONGEST_MARK { text.trim() } else { "?" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_headers_are_cut_between_letters() {
        let long = "ü".repeat(MAX_BYTES);
        assert_eq!(shortened(&long).len(), MAX_BYTES);
        let odd = format!("a{long}");
        assert_eq!(shortened(&odd).len(), MAX_BYTES - 1);
        assert_eq!((mark(&long), mark(" c1 ")), ("?", "c1"));
    }
}
