//! A real nats-server with the configuration that ships, on a port of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::{self, Context};
use tokio::net::TcpStream;

use super::process::{Process, Program};
use super::programs;
use super::wait::eventually;

const TEMPLATE: &str = include_str!("../../config/nats.conf");

/// Passwords of the broker's users, the same in every test.
pub(crate) const COORDINATOR: &str = "pw-coordinator";
pub(crate) const WORKER: &str = "pw-worker";
pub(crate) const RESULTS: &str = "pw-results";

/// The broker.
#[derive(Debug)]
pub(crate) struct Broker {
    program: Program,
    store: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Broker {
    /// Starts it with its store below `folder`; it answers when this returns.
    pub(crate) async fn start(folder: &Path) -> Self {
        let home = folder.join("nats");
        std::fs::create_dir_all(&home).unwrap();
        let port = programs::free_port();
        let config = home.join("nats.conf");
        std::fs::write(&config, configuration(&home, port)).unwrap();
        let program = Program {
            name: "nats-server".into(),
            path: programs::nats_server(),
            args: vec!["-c".into(), config.display().to_string()],
            env: Vec::new(),
            log: folder.join("nats.log"),
        };
        let mut broker = Self { program, store: home.join("store"), port, process: None };
        broker.up().await;
        broker
    }

    /// Starts it again on the same store and port.
    pub(crate) async fn up(&mut self) {
        self.process = Some(Process::start(&self.program));
        let port = self.port;
        let listening = async || TcpStream::connect(("127.0.0.1", port)).await.ok();
        eventually(Duration::from_secs(20), "the broker", listening).await;
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Removes everything it has stored; it must not be running.
    pub(crate) fn lose_everything(&self) {
        assert!(self.process.is_none(), "the broker is running");
        std::fs::remove_dir_all(&self.store).unwrap();
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client of one of its users.
    pub(crate) async fn client(&self, user: &str) -> async_nats::Client {
        let (password, inbox) = match user {
            "coordinator" => (COORDINATOR, "_INBOX"),
            "worker" => (WORKER, "_INBOX"),
            "results" => (RESULTS, "_INBOX_results"),
            other => panic!("no user `{other}`"),
        };
        async_nats::ConnectOptions::with_user_and_password(user.into(), password.into())
            .custom_inbox_prefix(inbox)
            .connection_timeout(Duration::from_secs(5))
            .connect(self.url())
            .await
            .unwrap()
    }

    /// `JetStream` with the coordinator's rights.
    pub(crate) async fn jetstream(&self) -> Context {
        jetstream::new(self.client("coordinator").await)
    }
}

fn configuration(home: &Path, port: u16) -> String {
    let listen = format!("127.0.0.1:{port}");
    let store = home.join("store").display().to_string();
    let log = home.join("server.log").display().to_string();
    [
        ("server_name", "test"),
        ("listen", &listen),
        ("ports_file_dir", ""),
        ("log_file", &log),
        ("store_dir", &store),
        ("max_file_store", "8589934592"),
        ("coordinator_password", COORDINATOR),
        ("worker_password", WORKER),
        ("results_password", RESULTS),
    ]
    .iter()
    .fold(TEMPLATE.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value))
}
