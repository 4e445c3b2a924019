//! Listening, serving, and stopping in time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;
use poem::Server;
use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::app::App;
use super::frame::Frame;
use super::hot::Hot;
use super::routes;
use super::slow::Watched;
use super::tls::{self, Socket};

/// Open requests get this long to finish after the order to stop.
const GRACE: Duration = Duration::from_secs(4);
/// A connection on which nothing moves for this long is closed.
const IDLE: Duration = Duration::from_secs(120);

/// Sockets that are bound and not yet served.
pub struct Listening {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    tls: Option<TlsAcceptor>,
}

/// Why the server cannot listen or serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`: {reason}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        reason: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("`http.tls_cert` and `http.tls_key` cannot be used: {0}")]
    Tls(String),
    /// No address is configured.
    #[error("`listen` names no address")]
    NoAddress,
    /// The listener failed.
    #[error("the server stopped: {0}")]
    Io(#[from] io::Error),
}

/// Binds every configured address.
///
/// # Errors
/// The first address that cannot be bound, or a certificate that cannot be used.
pub async fn bind(config: &trafficlab_shared::config::Config) -> Result<Listening, ServeError> {
    let tls = match (&config.http.tls_cert, &config.http.tls_key) {
        (Some(cert), Some(key)) => Some(tls::acceptor(cert, key).map_err(ServeError::Tls)?),
        _ => None,
    };
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for address in &config.listen {
        let bound = |reason| ServeError::Bind { address: *address, reason };
        let listener = TcpListener::bind(address).await.map_err(bound)?;
        addresses.push(listener.local_addr().map_err(bound)?);
        listeners.push(listener);
    }
    if listeners.is_empty() {
        return Err(ServeError::NoAddress);
    }
    Ok(Listening { listeners, addresses, tls })
}

impl Listening {
    /// The bound addresses, with the ports that the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A URL of the first address that a person can open.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.addresses.first().map_or_else(String::new, |address| {
            let port = address.port();
            match address.ip() {
                ip if ip.is_unspecified() => format!("{scheme}://127.0.0.1:{port}"),
                std::net::IpAddr::V6(ip) => format!("{scheme}://[{ip}]:{port}"),
                std::net::IpAddr::V4(ip) => format!("{scheme}://{ip}:{port}"),
            }
        })
    }
}

/// Serves until `stop` is ready, then at most five seconds longer.
///
/// # Errors
/// When a listener fails.
pub async fn serve(app: &Arc<App>, listening: Listening, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let endpoint = Hot::new(Arc::clone(app), Frame::new(Arc::clone(app), routes::all(app)));
    let sockets = Sockets { listeners: listening.listeners, tls: listening.tls };
    let server = Server::new_with_acceptor(sockets).name("http").idle_timeout(IDLE);
    server.run_with_graceful_shutdown(endpoint, stop, Some(GRACE)).await?;
    Ok(())
}

/// All listening sockets as one.
struct Sockets {
    listeners: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
}

impl Acceptor for Sockets {
    type Io = Watched<Socket>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        let addresses = self.listeners.iter().filter_map(|listener| listener.local_addr().ok());
        addresses.map(|address| LocalAddr(address.into())).collect()
    }

    async fn accept(&mut self) -> io::Result<(Watched<Socket>, LocalAddr, RemoteAddr, Scheme)> {
        let (accepted, at, _) = select_all(self.listeners.iter().map(|listener| listener.accept().boxed())).await;
        // Without a moment's rest a shortage of files would turn the accept loop into a busy one.
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err(error);
            }
        };
        stream.set_nodelay(true)?;
        let local =
            stream.local_addr().or_else(|_| self.listeners.get(at).ok_or(io::ErrorKind::NotConnected)?.local_addr())?;
        let (socket, scheme) = match &self.tls {
            None => (Socket::Plain(stream), Scheme::HTTP),
            Some(tls) => (Socket::Handshake(Box::new(tls.accept(stream))), Scheme::HTTPS),
        };
        Ok((Watched::new(socket), LocalAddr(local.into()), RemoteAddr(remote.into()), scheme))
    }
}
