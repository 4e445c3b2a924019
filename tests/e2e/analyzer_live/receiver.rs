//! A server that stands in for Slack, `PagerDuty` and the like: refuses as long as it is told to, and keeps what it took.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A call that was taken.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) head: String,
    pub(super) body: String,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    refusing: AtomicBool,
    refused: AtomicUsize,
    taken: Mutex<Vec<Call>>,
}

/// The server; ends when dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) address: String,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    pub(super) async fn start(refusing: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State { refusing: AtomicBool::new(refusing), ..State::default() });
        let own = Arc::clone(&state);
        let serving = tokio::runtime::Handle::current().spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A caller that was killed leaves half a request.
                answer(stream, &own).await.unwrap_or_default();
            }
        });
        Self { address, state, serving }
    }

    /// From now on it takes what comes.
    pub(super) fn accept(&self) {
        self.state.refusing.store(false, Ordering::SeqCst);
    }

    pub(super) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    pub(super) fn taken(&self) -> Vec<Call> {
        self.state.taken.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await?;
        if count == 0 {
            return Ok(());
        }
        read.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                break (head, body.to_owned());
            }
        }
    };
    let status = if state.refusing.load(Ordering::SeqCst) {
        state.refused.fetch_add(1, Ordering::SeqCst);
        "503 Service Unavailable"
    } else {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        state.taken.lock().unwrap().push(Call { path, head, body });
        "202 Accepted"
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await
}
