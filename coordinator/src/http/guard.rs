//! Keeps web pages of other sites from reaching a server on their visitor's machine (DNS rebinding, CSRF).

use std::net::IpAddr;

use poem::Request;
use poem::http::uri::Authority;
use poem::http::{Method, header};
use trafficlab_shared::config::Config;

use super::access::{Access, is_page};
use crate::systems::{Code, Fault};

/// Refuses a request that a browser sent on behalf of a page it should not trust.
pub(crate) fn check(config: &Config, request: &Request, access: Access) -> Result<(), Fault> {
    let Some(authority) = authority(request) else {
        return Err(Fault::new(Code::Forbidden, "The request names no host"));
    };
    let local = request.local_addr().as_socket_addr().map(|address| address.ip());
    if !is_ours(config, host_of(authority), local) {
        let message = format!("The host `{}` is not one of this server's", authority.escape_default());
        return Err(Fault::new(Code::Forbidden, message));
    }
    if access == Access::Ingest {
        return Ok(());
    }
    match allowed_origin(config, request) {
        Origin::Listed | Origin::Same => return Ok(()),
        Origin::Foreign => {
            return Err(Fault::new(Code::Forbidden, "Requests of pages from this origin are not allowed"));
        }
        Origin::None => {}
    }
    let site = header_of(request, "sec-fetch-site").unwrap_or_default();
    let navigation = header_of(request, "sec-fetch-mode") == Some("navigate") && request.method() == Method::GET;
    if matches!(site, "cross-site" | "same-site") && !(navigation && is_page(request.uri().path())) {
        return Err(Fault::new(Code::Forbidden, "Requests of pages from other sites are not allowed"));
    }
    Ok(())
}

/// What the `Origin` header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// There is none.
    None,
    /// The page is ours.
    Same,
    /// It is one of `http.cors_origins`.
    Listed,
    /// Any other.
    Foreign,
}

pub(crate) fn allowed_origin(config: &Config, request: &Request) -> Origin {
    let Some(origin) = header_of(request, "origin") else {
        return Origin::None;
    };
    if config.http.cors_origins.iter().any(|listed| listed.trim_end_matches('/') == origin) {
        return Origin::Listed;
    }
    let bare = origin.split_once("://").map(|(_, bare)| bare);
    let public = config.public_url.as_deref().is_some_and(|url| url.trim_end_matches('/') == origin);
    let same = bare.is_some() && bare == authority(request);
    if same || public { Origin::Same } else { Origin::Foreign }
}

/// The host and port that the caller meant to reach.
fn authority(request: &Request) -> Option<&str> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().authority().map(Authority::as_str))
}

pub(crate) fn header_of<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The host of `host[:port]`, without the brackets of an IPv6 address.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_ours(config: &Config, host: &str, local: Option<IpAddr>) -> bool {
    let name = host.trim_end_matches('.');
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        // A server on `0.0.0.0` is reached by whichever address the connection came in on.
        let reached = local.is_some_and(|local| local.to_canonical() == address);
        let listed = config.listen.iter().any(|listen| listen.ip().to_canonical() == address);
        return address.is_loopback() || reached || listed;
    }
    if name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost") {
        return true;
    }
    let public = config.public_url.as_deref().and_then(|url| url::Url::parse(url).ok());
    public.is_some_and(|url| url.host_str().is_some_and(|public| public.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{Purpose, Sources, set_flag};

    fn config() -> Config {
        let mut sources = Sources::default();
        set_flag(&mut sources.flags, "public_url", Some("https://lab.example.com"));
        Config::load(&sources, Purpose::Print).unwrap()
    }

    fn judge(headers: &[(&str, &str)], access: Access) -> bool {
        let mut request = Request::builder().uri_str("/api/sessions/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&config(), &request.finish(), access).is_ok()
    }

    #[test]
    fn only_our_own_hosts() {
        let read = Access::Public;
        for host in ["localhost:8080", "127.0.0.1", "127.9.9.9:1", "[::1]:8080", "LAB.example.com", "app.localhost"] {
            assert!(judge(&[("host", host)], read), "{host}");
        }
        for host in ["evil.example", "8.8.8.8", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert!(!judge(&[("host", host)], read), "{host}");
        }
        assert!(!judge(&[], read));
    }

    #[test]
    fn pages_of_other_sites_are_kept_out() {
        let host = ("host", "127.0.0.1:8080");
        let bad = [
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:9999"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ];
        for header in bad {
            assert!(!judge(&[host, header], Access::Public), "{header:?}");
            assert!(judge(&[host, header], Access::Ingest), "{header:?}");
        }
        for header in
            [("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
        {
            assert!(judge(&[host, header], Access::Public), "{header:?}");
        }
    }
}
