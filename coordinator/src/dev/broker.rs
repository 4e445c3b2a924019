//! The managed broker: its configuration file, its start and the port it chose.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::Instant;

use super::child::end_of;
use super::error::DevError;
use super::guard::EXIT_LOCKED;
use super::nats_conf::{Layout, render};
use super::secrets::DevSecrets;
use super::spawner::Spawner;
use super::supervise::Launch;

/// A large store is read before the broker answers.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is needed to start the broker again on the same store and port.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) spawner: Spawner,
    pub(super) program: PathBuf,
    pub(super) data_dir: PathBuf,
    pub(super) layout: Layout,
    pub(super) max_file_store: u64,
    pub(super) secrets: DevSecrets,
    /// Known after the first start and kept for every later one.
    pub(super) port: OnceLock<u16>,
}

impl Broker {
    fn prepare(&self) -> Result<(), DevError> {
        let layout = &self.layout;
        for folder in [&layout.store, &layout.ports] {
            fs::create_dir_all(folder).map_err(DevError::file("make", folder))?;
        }
        let text = render(layout, self.port.get().copied(), self.max_file_store, &self.secrets);
        let write = || -> std::io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&layout.config)?.write_all(text.as_bytes())
        };
        write().map_err(DevError::file("write", &layout.config))
    }

    async fn ready(&self, child: &mut Child) -> Result<u16, DevError> {
        let deadline = Instant::now() + READY_WITHIN;
        let ports_file = child.id().map(|pid| format!("_{pid}.ports")).unwrap_or_default();
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().map_err(DevError::file("watch", &self.program))? {
                return Err(self.ended(status));
            }
            if let Some(port) = port_in(&self.layout.ports, &ports_file)
                && TcpStream::connect(("127.0.0.1", port)).await.is_ok()
            {
                return Ok(port);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(DevError::BrokerSilent { seconds: READY_WITHIN.as_secs(), log: self.layout.log.clone() })
    }

    fn ended(&self, status: std::process::ExitStatus) -> DevError {
        if status.code() == Some(i32::from(EXIT_LOCKED)) {
            return DevError::InUse { folder: self.data_dir.clone() };
        }
        DevError::BrokerEnded { status: end_of(Ok(status)), log: self.layout.log.clone() }
    }

    /// Address for clients, once the broker was started.
    pub(super) fn url(&self) -> Option<String> {
        self.port.get().map(|port| format!("nats://127.0.0.1:{port}"))
    }
}

impl Launch for Broker {
    fn name(&self) -> &'static str {
        "nats-server"
    }

    async fn launch(&self) -> Result<Child, DevError> {
        self.prepare()?;
        let mut command = self.spawner.guarded(Some(&self.layout.lock), &self.program);
        command.arg("-c").arg(&self.layout.config);
        let console = append(&self.layout.log.with_extension("out"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(console);
        let mut child = self.spawner.spawn(command).await?;
        let port = self.ready(&mut child).await?;
        let kept = *self.port.get_or_init(|| port);
        tracing::info!(pid = child.id(), port = kept, "the broker is ready");
        Ok(child)
    }
}

/// Opens a log for a child's output; a long one of earlier runs is put aside, so that two are kept.
pub(super) fn append(path: &Path) -> Result<fs::File, DevError> {
    const LONGEST: u64 = 20_000_000;
    if fs::metadata(path).is_ok_and(|file| file.len() > LONGEST) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".1");
        fs::rename(path, aside).map_err(DevError::file("rename", path))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(DevError::file("open", path))
}

/// The client port in the ports file whose name ends with `suffix`; the broker writes it when it listens.
fn port_in(folder: &Path, suffix: &str) -> Option<u16> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut files = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(suffix));
    let text = fs::read_to_string(files.next()?.path()).ok()?;
    parse_port(&text)
}

fn parse_port(text: &str) -> Option<u16> {
    let ports: serde_json::Value = serde_json::from_str(text).ok()?;
    let first = ports.get("nats")?.get(0)?.as_str()?;
    first.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_once_the_file_is_whole() {
        assert_eq!(parse_port(r#"{"nats":["nats://127.0.0.1:40123"]}"#), Some(40123));
        for text in ["", "{\"nats\":[\"nats://127.0", "{\"nats\":[]}", "{}"] {
            assert_eq!(parse_port(text), None, "{text}");
        }
    }
}
