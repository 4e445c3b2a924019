//! TLS for `https` targets: the public roots, and the operator's own authority beside them.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::model::run::HttpVersion;

use super::insecure::AnyCertificate;

/// What the client trusts besides the public roots.
#[derive(Debug, Clone, Copy, Default)]
pub struct TlsOptions<'a> {
    /// Certificates of the operator's own authority, PEM.
    pub authority_pem: Option<&'a [u8]>,
    /// Any certificate will do, whoever signed it and whatever its name. Only for tests of one's own servers.
    pub insecure: bool,
}

/// Whom the client trusts; cheap to clone.
#[derive(Debug, Clone)]
pub struct TlsRoots {
    /// One for each version of HTTP, since they differ in what they offer by ALPN.
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Default for TlsRoots {
    fn default() -> Self {
        Self::build(public_roots(), false)
    }
}

impl TlsRoots {
    /// Trust as the options say.
    ///
    /// # Errors
    /// A sentence when the authority's text holds no usable certificate.
    pub fn new(options: &TlsOptions<'_>) -> Result<Self, String> {
        let mut roots = public_roots();
        if let Some(pem) = options.authority_pem {
            add_pem(&mut roots, pem)?;
        }
        Ok(Self::build(roots, options.insecure))
    }

    fn build(roots: RootCertStore, insecure: bool) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the ring provider supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        if insecure {
            config.dangerous().set_certificate_verifier(Arc::new(AnyCertificate::new(&provider)));
        }
        let mut http2 = config.clone();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        http2.alpn_protocols = vec![b"h2".to_vec()];
        Self { http1: Arc::new(config), http2: Arc::new(http2) }
    }

    /// The handshake; the certificate must be for `host`. A server that agrees to nothing by ALPN is taken to speak
    /// HTTP/1.1, never HTTP/2.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
        version: HttpVersion,
    ) -> Result<TlsStream<TcpStream>, ErrorKind> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_not_a_name| ErrorKind::Tls)?;
        let config = match version {
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 => &self.http2,
        };
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(|error| {
            tracing::debug!(host, %error, "tls handshake failed");
            ErrorKind::Tls
        })?;
        if version == HttpVersion::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2".as_slice()) {
            tracing::debug!(host, "the server does not speak HTTP/2");
            return Err(ErrorKind::Protocol);
        }
        Ok(stream)
    }
}

/// Adds every certificate in a PEM text.
fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("the certificate authority file is not PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("a certificate of the authority file is refused: {error}"))?;
    }
    if roots.len() == before {
        return Err("the certificate authority file holds no certificate".into());
    }
    Ok(())
}

fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}
