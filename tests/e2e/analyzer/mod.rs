//! The analyzer document over HTTP, with captures made by code.

mod document;
mod input;
mod jobs;
mod live;
mod sample;
mod server;
mod shapes;
mod uploads;

use std::path::PathBuf;

use tempfile::TempDir;

use crate::harness::Cluster;

/// A folder with `test.pcap`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test.pcap"), sample::office().pcap()).unwrap();
    folder
}

/// A server with a folder of captures.
pub(crate) struct Lab {
    pub(crate) cluster: Cluster,
    pub(crate) captures: TempDir,
}

impl Lab {
    /// With so many workers, and `test.pcap` in the capture folder.
    pub(crate) async fn start(workers: usize) -> Self {
        Self::with(workers, &[]).await
    }

    /// The same with further settings of the coordinator.
    pub(crate) async fn with(workers: usize, settings: &[(&str, &str)]) -> Self {
        let captures = folder();
        let dirs = format!("[{:?}]", captures.path().display().to_string());
        let mut builder = Cluster::builder().workers(workers).set("CAPTURES__DIRS", &dirs);
        for (key, value) in settings {
            builder = builder.set(key, value);
        }
        Self { cluster: builder.start().await, captures }
    }

    /// As with `--pcap FILE`, and no capture folder.
    pub(crate) async fn with_pcap() -> Self {
        let captures = folder();
        let file = captures.path().join("test.pcap").display().to_string();
        let cluster = Cluster::builder().workers(1).set("CAPTURES__PCAP_FILE", &file).start().await;
        Self { cluster, captures }
    }

    /// A path in the capture folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.captures.path().join(name)
    }

    /// The lines of a file that an answer names, relative to the data folder.
    pub(crate) fn lines(&self, name: &str) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.cluster.data_dir().join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
