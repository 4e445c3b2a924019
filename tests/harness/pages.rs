//! A web site of a test: text by path, served under whatever host name a browser was told.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The type and the text of a path. Nothing answers 204, which leaves a browser where it is.
type Answer = dyn Fn(&str) -> Option<(&'static str, String)> + Send + Sync;

/// A running site; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) port: u16,
    _tasks: JoinSet<()>,
}

impl Pages {
    /// Serves on a port that the system chooses.
    pub(crate) async fn serve(answer: impl Fn(&str) -> Option<(&'static str, String)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::new(answer)));
        Self { port, _tasks: tasks }
    }
}

async fn accept(listener: TcpListener, answer: Arc<Answer>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let answer = Arc::clone(&answer);
        connections.spawn(async move {
            // A browser opens connections it does not use, and closes them.
            drop(one(stream, &*answer).await);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn one(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read_buf(&mut head).await?;
        if read == 0 || head.len() > 64 << 10 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.split(' ').nth(1).unwrap_or("/");
    let path = target.split(['?', '#']).next().unwrap_or(target);
    let answer = match answer(path) {
        Some((kind, text)) => format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        ),
        None => "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned(),
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
