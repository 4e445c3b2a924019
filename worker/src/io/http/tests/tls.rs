//! `https` against a server with a certificate of our own authority, and against one that speaks no TLS.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use trafficlab_shared::model::error_kind::ErrorKind;

use super::*;

const AUTHORITY: &[u8] = include_bytes!("../../../../testdata/tls/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../../testdata/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../../../testdata/tls/server.key");

fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn encrypted_server() -> (String, JoinSet<()>) {
    let acceptor = acceptor(&[]);
    let (url, server) = scripted(async move |_, stream: TcpStream| {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        let (mut text, mut answered) = (Vec::new(), 0);
        while answered < 3 {
            assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
            while let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
                text.drain(..end + 4);
                answered += 1;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
    .await;
    (url.replace("http://", "https://"), server)
}

#[tokio::test]
async fn requests_over_one_encrypted_connection() {
    local(async {
        let (url, _server) = encrypted_server().await;
        let mut pool = pool(PlanSpec { tls: trusting(Some(AUTHORITY)).unwrap(), ..spec(&url) });
        for done in send(&mut pool, 3).await {
            assert_eq!((done.status, done.error, done.attempts), (200, ErrorKind::None, 1));
        }
    })
    .await;
}

#[tokio::test]
async fn a_stranger_is_not_trusted() {
    local(async {
        let (url, _server) = encrypted_server().await;
        assert_eq!(once(spec(&url)).await.error, ErrorKind::Tls);
        let (_target, plain) = target(|_| {});
        assert_eq!(once(spec(&plain.replace("http://", "https://"))).await.error, ErrorKind::Tls);
    })
    .await;
}

#[tokio::test]
async fn any_certificate_will_do_when_that_is_asked_for() {
    local(async {
        let (url, _server) = encrypted_server().await;
        let tls = TlsRoots::new(&TlsOptions { authority_pem: None, insecure: true }).unwrap();
        // The certificate is for another name, too.
        let url = url.replace("127.0.0.1", "localhost");
        assert_eq!(once(PlanSpec { tls, ..spec(&url) }).await.status, 200);
    })
    .await;
}

/// A server that agrees to `protocols` and then speaks HTTP/2.
async fn encrypted_http2(protocols: &'static [&'static str]) -> (String, JoinSet<()>) {
    let acceptor = acceptor(protocols);
    let (url, server) = scripted(async move |_, stream: TcpStream| {
        if let Ok(stream) = acceptor.accept(stream).await {
            http2_server::serve(stream, Rc::default()).await;
        }
    })
    .await;
    (url.replace("http://", "https://"), server)
}

#[tokio::test]
async fn http_2_is_agreed_upon_and_never_assumed() {
    local(async {
        let tls = trusting(Some(AUTHORITY)).unwrap();
        let asking = |url: &str| {
            let limits = Limits { connections: 1, streams: 4, ..Limits::default() };
            PlanSpec { tls: tls.clone(), version: HttpVersion::Http2, limits, ..spec(url) }
        };
        let (url, _server) = encrypted_http2(&["h2", "http/1.1"]).await;
        for done in send(&mut pool(asking(&url)), 9).await {
            assert_eq!((done.status, done.error), (200, ErrorKind::None));
        }
        let (url, _server) = encrypted_http2(&["http/1.1"]).await;
        assert_eq!(once(asking(&url)).await.error, ErrorKind::Tls);
        let (url, _server) = encrypted_http2(&[]).await;
        assert_eq!(once(asking(&url)).await.error, ErrorKind::Protocol);
    })
    .await;
}

fn trusting(authority_pem: Option<&[u8]>) -> Result<TlsRoots, String> {
    TlsRoots::new(&TlsOptions { authority_pem, insecure: false })
}

#[test]
fn an_authority_file_must_hold_a_certificate() {
    assert!(trusting(Some(b"")).is_err());
    assert!(trusting(Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).is_err());
}
