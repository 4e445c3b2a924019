//! TLS for `https` targets: the public roots, and the operator's own authority beside them.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trafficlab_shared::model::error_kind::ErrorKind;

/// Whom the client trusts; cheap to clone.
#[derive(Debug, Clone)]
pub struct TlsRoots {
    config: Arc<ClientConfig>,
}

impl Default for TlsRoots {
    fn default() -> Self {
        Self::build(public_roots())
    }
}

impl TlsRoots {
    /// The public roots and every certificate in a PEM text.
    ///
    /// # Errors
    /// A sentence when the text holds no usable certificate.
    pub fn with_pem(pem: &[u8]) -> Result<Self, String> {
        let mut roots = public_roots();
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| format!("the certificate authority file is not PEM: {error}"))?;
            roots
                .add(certificate)
                .map_err(|error| format!("a certificate of the authority file is refused: {error}"))?;
        }
        if roots.len() == before {
            return Err("the certificate authority file holds no certificate".into());
        }
        Ok(Self::build(roots))
    }

    fn build(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the ring provider supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { config: Arc::new(config) }
    }

    /// The handshake; the certificate must be for `host`.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, ErrorKind> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_not_a_name| ErrorKind::Tls)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        connector.connect(name, stream).await.map_err(|error| {
            tracing::debug!(host, %error, "tls handshake failed");
            ErrorKind::Tls
        })
    }
}

fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}
