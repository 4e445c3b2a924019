//! The built-in test target as a child, with its view of what arrived.

use std::collections::HashMap;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::process::{Process, Program};
use super::programs;
use super::wait::eventually;

/// A target that remembers every `X-Synthetic-Id`.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    process: Process,
    _folder: TempDir,
}

impl Target {
    /// Starts it with further arguments, such as `--latency 5ms`.
    pub(crate) async fn start(extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = programs::free_port();
        let listen = format!("127.0.0.1:{port}");
        let first = ["target", "--listen", &listen, "--track-ids"];
        let args = first.iter().chain(extra);
        let program = Program {
            name: "target".into(),
            path: programs::worker(),
            args: args.map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            log: folder.path().join("target.log"),
        };
        let process = Process::start(&program);
        let url = format!("http://{listen}");
        let answers = async || reqwest::get(format!("{url}/stats")).await.ok();
        eventually(Duration::from_secs(20), "the target", answers).await;
        Self { url, process, _folder: folder }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// What it counted.
    pub(crate) async fn stats(&self) -> Value {
        reqwest::get(format!("{}/stats", self.url)).await.unwrap().json().await.unwrap()
    }

    /// How often each id arrived.
    pub(crate) async fn ids(&self) -> HashMap<String, u64> {
        let log = reqwest::get(format!("{}/log", self.url)).await.unwrap().text().await.unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            (line["id"].as_str().unwrap().to_owned(), line["count"].as_u64().unwrap())
        };
        log.lines().map(line).collect()
    }
}
