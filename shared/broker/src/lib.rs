//! How both processes connect to the broker: one set of options, one way to wait.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream;
pub use async_nats::jetstream::Context;
use async_nats::{Client, ConnectErrorKind, ConnectOptions};
use trafficlab_shared::config::NatsConfig;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The server knows us not; trying again would not help.
    #[error("broker at `{url}` refuses these credentials: {source}")]
    Refused {
        /// Its address.
        url: String,
        /// What it said.
        source: async_nats::ConnectError,
    },
    /// The credentials file cannot be read.
    #[error("nkey file `{path}` cannot be read: {source}")]
    Nkey {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// How long a request to the broker may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects and stays connected; waits for the broker as long as it takes.
///
/// # Errors
/// When the broker refuses the credentials. The client's own `retry_on_initial_connect` would
/// hide just that, so the waiting is done here.
pub async fn connect(nats: &NatsConfig, name: &str) -> Result<Client, BrokerError> {
    let url = nats.url.clone().unwrap_or_default();
    let servers: Vec<String> = url.split(',').map(|server| server.trim().to_owned()).collect();
    loop {
        let options = options(nats, name)?;
        match options.connect(servers.clone()).await {
            Ok(client) => return Ok(client),
            Err(source)
                if matches!(
                    source.kind(),
                    ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication
                ) =>
            {
                return Err(BrokerError::Refused { url, source });
            }
            Err(error) => {
                tracing::warn!(%url, %error, "broker not reachable, trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// A client that is not connected yet and keeps trying. It does not tell refused credentials from
/// an absent broker, so somebody must watch with [`connect`] meanwhile.
///
/// # Errors
/// When the options cannot be read.
pub async fn connect_later(nats: &NatsConfig, name: &str) -> Result<Client, BrokerError> {
    let url = nats.url.clone().unwrap_or_default();
    let servers: Vec<String> = url.split(',').map(|server| server.trim().to_owned()).collect();
    let connecting = options(nats, name)?.retry_on_initial_connect().connect(servers).await;
    connecting.map_err(|source| BrokerError::Refused { url, source })
}

fn options(nats: &NatsConfig, name: &str) -> Result<ConnectOptions, BrokerError> {
    let mut options = ConnectOptions::new()
        .name(name)
        .connection_timeout(Duration::from_secs(3))
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(Duration::from_secs(2))
        .client_capacity(4096)
        .subscription_capacity(16_384)
        .reconnect_delay_callback(|attempt| Duration::from_millis(u64::try_from(attempt.min(10)).unwrap_or(10) * 50));
    if let Some(user) = &nats.user {
        let password = nats.password.as_ref().map_or("", |secret| secret.expose());
        options = options.user_and_password(user.clone(), password.to_owned());
    }
    if let Some(path) = &nats.nkey_file {
        let seed = std::fs::read_to_string(path)
            .map_err(|source| BrokerError::Nkey { path: path.display().to_string(), source })?;
        options = options.nkey(seed.trim().to_owned());
    }
    if let Some(path) = &nats.tls_ca {
        options = options.require_tls(true).add_root_certificates(path.clone());
    }
    Ok(options)
}

/// `JetStream` on a connection, with bounded waiting.
#[must_use]
pub fn jetstream(client: Client) -> Context {
    jetstream::context::ContextBuilder::new().timeout(REQUEST_TIMEOUT).ack_timeout(REQUEST_TIMEOUT).build(client)
}

/// How often the client has connected so far.
#[must_use]
pub fn connects(client: &Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

/// Comes back once the client has connected again. A consumer made on the old connection would
/// find out only by missing heartbeats, many seconds later.
pub async fn renewed(client: &Client, before: u64) {
    while connects(client) == before {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
