//! Calls to outside services: where they may go, how long they may take. The address that is judged is the one that is
//! connected to, so a name cannot change its mind in between; redirects are not followed.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use trafficlab_shared::allow::class::{AddressClass, classify};
use trafficlab_shared::config::OutboundConfig;
use url::Url;

/// An address that outside calls may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Private, or this machine.
    #[error("`{0}` is a private address; `outbound.allow_private` allows them")]
    Private(IpAddr),
    /// Never, whatever the configuration says.
    #[error("`{0}` is {1}")]
    Never(IpAddr, &'static str),
    /// Neither http nor https.
    #[error("only http and https are called")]
    Scheme,
}

/// The client for outside calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// To build requests with; `check` the URL first.
    pub client: reqwest::Client,
    allow_private: bool,
}

impl Outbound {
    /// A client with the configured limits.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: &OutboundConfig) -> Result<Self, reqwest::Error> {
        let timeout = config.timeout.duration();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .pool_max_idle_per_host(1)
            .dns_resolver(std::sync::Arc::new(Judged { allow_private: config.allow_private }))
            .user_agent(concat!("trafficlab/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, allow_private: config.allow_private })
    }

    /// Judges what can be judged before a name is looked up: the scheme, and an address in the place of a name.
    ///
    /// # Errors
    /// Why it may not be called.
    pub fn check(&self, url: &Url) -> Result<(), NotAllowed> {
        check(url, self.allow_private)
    }
}

/// Judges what can be judged of a URL before a name is looked up, for settings that name one.
///
/// # Errors
/// Why it may not be called.
pub fn check(url: &Url, allow_private: bool) -> Result<(), NotAllowed> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NotAllowed::Scheme);
    }
    match url.host() {
        Some(url::Host::Ipv4(address)) => judge(address.into(), allow_private),
        Some(url::Host::Ipv6(address)) => judge(address.into(), allow_private),
        Some(url::Host::Domain(_)) => Ok(()),
        None => Err(NotAllowed::Scheme),
    }
}

/// The refusal inside the error of a call, when it was one of the resolver.
#[must_use]
pub fn refusal(error: &reqwest::Error) -> Option<NotAllowed> {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = next {
        if let Some(refusal) = inner.downcast_ref::<NotAllowed>() {
            return Some(refusal.clone());
        }
        next = inner.source();
    }
    None
}

fn judge(address: IpAddr, allow_private: bool) -> Result<(), NotAllowed> {
    match classify(address) {
        AddressClass::Public => Ok(()),
        AddressClass::Private | AddressClass::Loopback if allow_private => Ok(()),
        AddressClass::Private | AddressClass::Loopback => Err(NotAllowed::Private(address)),
        AddressClass::Never(why) => Err(NotAllowed::Never(address, why)),
    }
}

/// Looks names up and leaves out the addresses that may not be called.
#[derive(Debug, Clone, Copy)]
struct Judged {
    allow_private: bool,
}

impl Resolve for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // The port is set by the client.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut refused = None;
            let mut allowed = Vec::new();
            for socket in found {
                match judge(socket.ip(), allow_private) {
                    Ok(()) => allowed.push(socket),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if allowed.is_empty() => Err(Box::new(why) as Box<dyn Error + Send + Sync>),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn outbound(allow_private: bool) -> Outbound {
        let timeout = Duration::from_secs(5).into();
        Outbound::new(&OutboundConfig { allow_private, timeout }).unwrap()
    }

    // checklist 62, 63
    #[test]
    fn addresses_are_judged() {
        let judge = |text: &str, private| outbound(private).check(&text.parse().unwrap()).is_ok();
        for (url, closed, open) in [
            ("https://203.0.113.7/x", true, true),
            ("http://127.0.0.1:1/", false, true),
            ("http://[::1]/", false, true),
            ("http://10.1.2.3/", false, true),
            ("http://172.16.0.1/", false, true),
            ("http://192.168.0.1/", false, true),
            ("http://[fc00::1]/", false, true),
            ("http://[::ffff:127.0.0.1]/", false, true),
            ("http://2130706433/", false, true),
            ("http://0x7f.1/", false, true),
            ("http://0177.0.0.1/", false, true),
            ("http://169.254.169.254/latest", false, false),
            ("http://[::ffff:169.254.169.254]/", false, false),
            ("https://name.test/", true, true),
            ("file:///etc/passwd", false, false),
        ] {
            assert_eq!((judge(url, false), judge(url, true)), (closed, open), "{url}");
        }
    }

    // checklist 62: what a name leads to is judged at the connection, not before it.
    #[tokio::test]
    async fn names_are_judged_by_where_they_lead() {
        let error = outbound(false).client.get("http://localhost:9/").send().await.unwrap_err();
        assert!(matches!(refusal(&error), Some(NotAllowed::Private(_))), "{error:?}");
        // Allowed, it gets as far as the connection.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = outbound(true).client.get(format!("http://localhost:{port}/")).send().await.unwrap_err();
        assert_eq!(refusal(&error), None);
    }
}
