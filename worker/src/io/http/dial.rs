//! From a URL to a connection: name resolution, the address rules, connect and TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};
use trafficlab_shared::allow::TargetGuard;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::model::run::HttpVersion;
use trafficlab_shared::target::{Scheme, TargetUrl};

use super::TlsRoots;
use super::wire::Wire;

const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer of the resolver is used.
const KEEP_ADDRESSES: Duration = Duration::from_secs(30);
/// How long a failure of the resolver stands, so that waiting connections do not ask one after the other.
const KEEP_FAILURE: Duration = Duration::from_secs(1);

/// What is known of the plan's own host.
struct Resolved {
    addresses: Result<Vec<IpAddr>, ErrorKind>,
    until: Instant,
}

/// Opens connections for one pool.
pub(super) struct Dialer {
    guard: TargetGuard,
    tls: TlsRoots,
    version: HttpVersion,
    connect_timeout: Duration,
    resolved: Mutex<Option<Resolved>>,
}

impl Dialer {
    pub(super) fn new(guard: TargetGuard, tls: TlsRoots, version: HttpVersion, connect_timeout: Duration) -> Self {
        Self { guard, tls, version, connect_timeout, resolved: Mutex::new(None) }
    }

    /// A connection to the plan's own target; addresses are remembered for a while.
    pub(super) async fn dial(&self, url: &TargetUrl) -> Result<Wire, ErrorKind> {
        self.check_name(url)?;
        let addresses = self.remembered(url).await?;
        self.connect(url, &addresses, self.connect_timeout).await
    }

    /// A connection to wherever a redirect points, within `left`.
    pub(super) async fn dial_hop(&self, url: &TargetUrl, left: Duration) -> Result<Wire, ErrorKind> {
        self.check_name(url)?;
        let addresses = resolve(url).await?;
        self.connect(url, &addresses, self.connect_timeout.min(left)).await
    }

    fn check_name(&self, url: &TargetUrl) -> Result<(), ErrorKind> {
        self.guard.check_name(&url.host, url.port).map_err(|refusal| refused(&refusal))
    }

    fn check_address(&self, url: &TargetUrl, address: IpAddr) -> Result<(), ErrorKind> {
        self.guard.check_address(&url.host, url.port, address).map_err(|refusal| refused(&refusal))
    }

    /// One connection asks the resolver, the others wait for its answer.
    async fn remembered(&self, url: &TargetUrl) -> Result<Vec<IpAddr>, ErrorKind> {
        let mut resolved = self.resolved.lock().await;
        let now = Instant::now();
        if let Some(known) = resolved.as_ref().filter(|known| now < known.until) {
            return known.addresses.clone();
        }
        let addresses = resolve(url).await;
        let keep = if addresses.is_ok() { KEEP_ADDRESSES } else { KEEP_FAILURE };
        *resolved = Some(Resolved { addresses: addresses.clone(), until: Instant::now() + keep });
        addresses
    }

    /// Tries the permitted addresses in order until one takes the connection.
    async fn connect(&self, url: &TargetUrl, addresses: &[IpAddr], limit: Duration) -> Result<Wire, ErrorKind> {
        let deadline = Instant::now() + limit;
        let mut failure = ErrorKind::RefusedTarget;
        for &address in addresses {
            if self.check_address(url, address).is_err() {
                continue;
            }
            match timeout_at(deadline, self.open(url, SocketAddr::new(address, url.port))).await {
                Ok(Ok(wire)) => return Ok(wire),
                Ok(Err(kind)) => failure = kind,
                Err(_elapsed) => return Err(ErrorKind::Connect),
            }
        }
        Err(failure)
    }

    async fn open(&self, url: &TargetUrl, address: SocketAddr) -> Result<Wire, ErrorKind> {
        let stream = TcpStream::connect(address).await.map_err(|error| {
            tracing::debug!(%address, %error, "connect failed");
            ErrorKind::Connect
        })?;
        // The address that counts is the one the kernel connected to.
        let peer = stream.peer_addr().map_err(|_gone| ErrorKind::Connect)?;
        self.check_address(url, peer.ip())?;
        stream.set_nodelay(true).map_err(|_gone| ErrorKind::Connect)?;
        if peer.ip().is_loopback() {
            do_not_pace(&stream);
        }
        match url.scheme {
            Scheme::Http => Ok(Wire::Plain(stream)),
            Scheme::Https => Ok(Wire::Tls(Box::new(self.tls.connect(&url.host, stream, self.version).await?))),
        }
    }
}

/// On the loopback there is no path to probe. A congestion control that paces, such as BBR where it is the default, would
/// put its own delay before a request and cost some percent of the processor.
fn do_not_pace(stream: &TcpStream) {
    if let Err(error) = SockRef::from(stream).set_tcp_congestion(b"reno") {
        tracing::debug!(%error, "congestion control left as it is");
    }
}

fn refused(refusal: &trafficlab_shared::allow::Refusal) -> ErrorKind {
    tracing::debug!(%refusal, "target refused");
    ErrorKind::RefusedTarget
}

async fn resolve(url: &TargetUrl) -> Result<Vec<IpAddr>, ErrorKind> {
    if let Some(address) = url.literal_address() {
        return Ok(vec![address]);
    }
    match timeout(RESOLVE_TIMEOUT, lookup_host((url.host.as_str(), url.port))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.dedup();
            if addresses.is_empty() { Err(ErrorKind::Dns) } else { Ok(addresses) }
        }
        Ok(Err(error)) => {
            tracing::debug!(host = url.host, %error, "name not resolved");
            Err(ErrorKind::Dns)
        }
        Err(_elapsed) => Err(ErrorKind::Dns),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use tokio::net::TcpListener;
    use trafficlab_shared::allow::AllowList;

    use super::*;

    fn dialer(entry: &str) -> Dialer {
        let list = AllowList::parse(&[entry.to_owned()]).unwrap();
        Dialer::new(TargetGuard::new(vec![list]), TlsRoots::default(), HttpVersion::Http1, RESOLVE_TIMEOUT)
    }

    #[tokio::test]
    async fn the_connected_address_decides_whatever_the_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = TargetUrl::parse(&format!("http://shop.company.com:{port}/")).unwrap();
        let here = [IpAddr::from([127, 0, 0, 1])];
        for entry in ["10.0.0.0/8", "shop.company.com", "*.company.com"] {
            let dialer = dialer(entry);
            assert!(dialer.check_name(&url).is_ok());
            assert_eq!(
                dialer.connect(&url, &here, RESOLVE_TIMEOUT).await.err(),
                Some(ErrorKind::RefusedTarget),
                "{entry}"
            );
            // Also when the address was not looked at before the connection was made.
            let opened = dialer.open(&url, SocketAddr::new(here[0], port)).await;
            assert_eq!(opened.err(), Some(ErrorKind::RefusedTarget), "{entry}");
        }
        assert!(dialer("127.0.0.0/8").connect(&url, &here, RESOLVE_TIMEOUT).await.is_ok());
    }

    #[tokio::test]
    async fn a_forbidden_address_is_not_even_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = TargetUrl::parse(&format!("http://shop.test:{port}/")).unwrap();
        let here = [IpAddr::from([127, 0, 0, 1])];
        let refused = dialer("10.0.0.0/8").connect(&url, &here, RESOLVE_TIMEOUT).await;
        assert_eq!(refused.err(), Some(ErrorKind::RefusedTarget));
        let nobody = listener.accept().unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn the_next_permitted_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = TargetUrl::parse(&format!("http://shop.test:{port}/")).unwrap();
        let addresses = [[10, 0, 0, 1], [127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        assert!(dialer("127.0.0.0/8").connect(&url, &addresses, RESOLVE_TIMEOUT).await.is_ok());
    }
}
