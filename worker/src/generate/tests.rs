//! Whole runs inside this process against servers that the built-in target is not: TLS, and ones that close.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::thread::JoinHandle;

use clap::Parser as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Code, run};
use crate::cli::{Cli, Command};

const CERTIFICATE: &[u8] = include_bytes!("../../testdata/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../testdata/tls/server.key");
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tls/authority.pem");

/// A server on a thread of its own; it ends with this value.
struct Server {
    authority: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<u64>>,
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// HTTP/1.1, and closes after so many answers.
    Http1(u64),
    Http2,
}

impl Server {
    fn start(tls: bool, speaks: Speaks) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let acceptor = tls.then(|| acceptor(speaks));
                tokio::select! {
                    connections = accept(&listener, acceptor.as_ref(), speaks) => connections,
                    _ = stopped => 0,
                }
            })
        });
        Self { authority, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn acceptor(speaks: Speaks) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let protocol: &[u8] = if speaks == Speaks::Http2 { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(listener: &TcpListener, acceptor: Option<&TlsAcceptor>, speaks: Speaks) -> u64 {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        match acceptor.cloned() {
            Some(acceptor) => connections.spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, speaks).await;
                }
            }),
            None => connections.spawn(answer(stream, speaks)),
        };
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, speaks: Speaks) {
    match speaks {
        Speaks::Http1(most) => answer_http1(stream, most).await,
        Speaks::Http2 => answer_http2(stream).await,
    }
}

/// Answers each head with `ok`, and closes after so many.
async fn answer_http1(mut stream: impl AsyncRead + AsyncWrite + Unpin, most: u64) {
    let (mut text, mut answered) = (Vec::new(), 0);
    while answered < most && stream.read_buf(&mut text).await.unwrap_or(0) > 0 {
        while let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
            text.drain(..end + 4);
            answered += 1;
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
                return;
            }
            drop(stream.flush().await);
        }
    }
}

/// Answers each marked request with `ok`, an unmarked one with 400.
async fn answer_http2(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let marked = request.headers().contains_key("x-synthetic-traffic");
        let head = http::Response::builder().status(if marked { 200 } else { 400 }).body(()).unwrap();
        if let Ok(mut body) = respond.send_response(head, false) {
            drop(body.send_data(bytes::Bytes::from_static(b"ok"), true));
        }
    }
}

/// Runs `generate URL FLAGS…`: how it ended, and its JSON object when it came that far.
fn generate(url: &str, flags: &[&str]) -> (Code, Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.json");
    let report = format!("json={}", file.display());
    let line = ["x", "generate", url, "--quiet", "--report", &report];
    let Command::Generate(args) = Cli::try_parse_from(line.iter().chain(flags)).unwrap().command else {
        panic!("not generate");
    };
    let code = run(&args);
    let text = std::fs::read_to_string(file).unwrap_or_else(|_not_written| "null".to_owned());
    (code, serde_json::from_str(&text).unwrap())
}

#[test]
fn a_certificate_needs_an_authority_or_a_person_who_does_not_care() {
    let server = Server::start(true, Speaks::Http1(u64::MAX));
    let url = format!("https://{}/", server.authority);
    let base = ["--rate", "200", "--requests", "20", "--connections", "2"];
    let (code, refused) = generate(&url, &base);
    assert_eq!((code, refused["errors"]["tls"].as_u64()), (Code::NothingSent, Some(20)), "{refused}");
    let (code, trusted) = generate(&url, &[&base[..], &["--ca", AUTHORITY]].concat());
    assert_eq!((code, trusted["status_codes"]["200"].as_u64()), (Code::Done, Some(20)), "{trusted}");
    assert_eq!(trusted["insecure"], false);
    let (code, careless) = generate(&url, &[&base[..], &["--insecure"]].concat());
    assert_eq!((code, careless["status_codes"]["200"].as_u64()), (Code::Done, Some(20)), "{careless}");
    assert_eq!(careless["insecure"], true);
}

#[test]
fn connections_that_serve_once_are_made_anew() {
    let server = Server::start(false, Speaks::Http1(1));
    let url = format!("http://{}/", server.authority);
    for flags in [["--rate", "100"], ["--rate", "max"]] {
        let (code, summary) = generate(&url, &[&flags[..], &["--requests", "30", "--no-keepalive"]].concat());
        assert_eq!((code, summary["status_codes"]["200"].as_u64()), (Code::Done, Some(30)), "{summary}");
    }
}

#[test]
fn a_number_of_requests_has_the_length_of_its_arrivals() {
    let server = Server::start(false, Speaks::Http1(u64::MAX));
    let url = format!("http://{}/", server.authority);
    // Due after 0 and 1.25 s; the third one would be due after 2.5 s.
    let (code, summary) = generate(&url, &["--rate", "0.8", "--requests", "2", "--threads", "2"]);
    assert_eq!((code, summary["sent"].as_u64()), (Code::Done, Some(2)), "{summary}");
    assert!((summary["duration_s"].as_f64().unwrap() - 2.5).abs() < 0.01, "{summary}");
}

#[test]
fn the_warm_up_is_counted_and_not_timed() {
    let server = Server::start(false, Speaks::Http1(u64::MAX));
    let url = format!("http://{}/", server.authority);
    let flags = ["--rate", "200", "--requests", "100", "--warm-up", "500ms", "--threshold", "p99<1us"];
    let (code, summary) = generate(&url, &flags);
    // Nothing was timed, so nothing can be crossed.
    assert_eq!((code, summary["sent"].as_u64()), (Code::Done, Some(100)), "{summary}");
    assert!(summary["response_time_ms"]["p99"].is_null() && summary["thresholds"][0]["passed"].is_null());
}

#[test]
fn http2_by_prior_knowledge_and_by_alpn() {
    for tls in [false, true] {
        let server = Server::start(tls, Speaks::Http2);
        let url = format!("{}://{}/", if tls { "https" } else { "http" }, server.authority);
        for flags in [["--rate", "400", "--requests", "100"], ["--rate", "max", "--requests", "500"]] {
            let http2 = ["--http2", "--streams", "8", "--connections", "2", "--ca", AUTHORITY];
            let (code, summary) = generate(&url, &[&flags[..], &http2].concat());
            let requests: u64 = flags[3].parse().unwrap();
            assert_eq!((code, summary["status_codes"]["200"].as_u64()), (Code::Done, Some(requests)), "{summary}");
            assert_eq!(summary["http_version"], "2");
        }
    }
    // A server that speaks HTTP/1.1 only is an error, never a quiet fallback.
    let server = Server::start(true, Speaks::Http1(u64::MAX));
    let url = format!("https://{}/", server.authority);
    let (code, summary) = generate(&url, &["--rate", "100", "--requests", "5", "--http2", "--insecure"]);
    assert_eq!((code, summary["succeeded"].as_u64()), (Code::NothingSent, Some(0)), "{summary}");
}
