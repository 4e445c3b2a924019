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
use tokio::net::{TcpListener, TcpStream};

use super::app::App;
use super::frame::Frame;
use super::routes;

/// Open requests get this long to finish after the order to stop.
const GRACE: Duration = Duration::from_secs(4);

/// Sockets that are bound and not yet served.
#[derive(Debug)]
pub struct Listening {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
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
/// The first address that cannot be bound.
pub async fn bind(config: &trafficlab_shared::config::Config) -> Result<Listening, ServeError> {
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
    Ok(Listening { listeners, addresses })
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
        self.addresses.first().map_or_else(String::new, |address| {
            let port = address.port();
            match address.ip() {
                ip if ip.is_unspecified() => format!("http://127.0.0.1:{port}"),
                std::net::IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
                std::net::IpAddr::V4(ip) => format!("http://{ip}:{port}"),
            }
        })
    }
}

/// Serves until `stop` is ready, then at most five seconds longer.
///
/// # Errors
/// When a listener fails.
pub async fn serve(app: &Arc<App>, listening: Listening, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
    let endpoint = Frame::new(Arc::clone(app), routes::all(app));
    let server = Server::new_with_acceptor(Sockets(listening.listeners)).name("http");
    server.run_with_graceful_shutdown(endpoint, stop, Some(GRACE)).await?;
    Ok(())
}

/// All listening sockets as one.
struct Sockets(Vec<TcpListener>);

impl Acceptor for Sockets {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        let addresses = self.0.iter().filter_map(|listener| listener.local_addr().ok());
        addresses.map(|address| LocalAddr(address.into())).collect()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        let (accepted, at, _) = select_all(self.0.iter().map(|listener| listener.accept().boxed())).await;
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
        let local = stream.local_addr().or_else(|_| self.0.get(at).ok_or(io::ErrorKind::NotConnected)?.local_addr())?;
        Ok((stream, LocalAddr(local.into()), RemoteAddr(remote.into()), Scheme::HTTP))
    }
}
