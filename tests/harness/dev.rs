//! `trafficlab-coordinator dev` as a person starts it.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::api::Api;
use super::process::{Process, Program};
use super::programs;
use super::wait::eventually;

/// A running `dev` and its folder.
#[derive(Debug)]
pub(crate) struct Dev {
    pub(crate) process: Process,
    pub(crate) api: Api,
    _folder: TempDir,
}

impl Dev {
    /// Starts it on a port that the system chooses; it is healthy with all its workers when this returns.
    pub(crate) async fn start(workers: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let count = workers.to_string();
        let args = ["dev", "--workers", &count, "--data-dir", &data, "--listen", "127.0.0.1:0"];
        let mut process = Process::start(&Program {
            name: "dev".into(),
            path: programs::coordinator(),
            args: args.map(str::to_owned).to_vec(),
            env: vec![("TRAFFICLAB_NATS_SERVER".into(), programs::nats_server().display().to_string())],
            log: folder.path().join("dev.log"),
        });
        let url = async || {
            assert!(process.status().is_none(), "dev ended: {}", process.output());
            url_in(&process.output())
        };
        let api = Api::new(eventually(Duration::from_secs(60), "the URL of dev", url).await);
        let healthy = async || {
            let health = api.try_get("/health").await.ok()?;
            (health.body["status"] == "healthy" && health.body["workers"] == workers).then_some(())
        };
        eventually(Duration::from_secs(40), "a healthy dev", healthy).await;
        Self { process, api, _folder: folder }
    }
}

/// The first HTTP URL with a port in the output.
fn url_in(output: &str) -> Option<String> {
    let (_, rest) = output.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // The line may still be on its way; a digit after the port would be missing.
    (rest.len() > port.len() && !port.is_empty() && port != "0").then(|| format!("http://127.0.0.1:{port}"))
}

/// The process ids of the children of `parent`, and of theirs.
pub(crate) fn descendants(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let tasks = std::fs::read_dir(Path::new("/proc").join(parent.to_string()).join("task")).unwrap();
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            let child = child.parse().unwrap();
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}
