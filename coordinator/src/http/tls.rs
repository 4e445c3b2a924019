//! HTTPS: the operator's certificate, and a socket whose handshake happens when it is first read, so that a client
//! that never finishes it holds up nobody but itself.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// Reads the certificate chain and its key.
///
/// # Errors
/// A sentence that names the file or what is wrong with it.
pub(super) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let named = |path: &Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(cert).map_err(|error| named(cert, &error))?;
    let chain: Vec<CertificateDer<'static>> = chain.collect::<Result<_, _>>().map_err(|error| named(cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| named(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| named(cert, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A connection, encrypted or not.
pub(super) enum Socket {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS whose handshake is not over.
    Handshake(Box<Accept<TcpStream>>),
    /// TLS.
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// The stream to read from or write to, once there is one.
    fn stream(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Stream>>> {
        if let Self::Handshake(accept) = self {
            let stream = ready!(Pin::new(accept.as_mut()).poll(context))?;
            *self = Self::Encrypted(Box::new(stream));
        }
        Poll::Ready(match self {
            Self::Plain(stream) => Ok(Pin::new(stream)),
            Self::Encrypted(stream) => Ok(Pin::new(stream.as_mut())),
            Self::Handshake(_) => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

/// What both kinds of streams are.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().stream(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().stream(context))?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().stream(context))?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().stream(context))?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let missing = Path::new("no-such-certificate.pem");
        let error = acceptor(missing, missing).err().unwrap_or_default();
        assert!(error.contains("no-such-certificate.pem"), "{error}");
    }
}
