//! `dev`: a broker and worker processes that live and die with the coordinator.
//!
//! Invariant: no child outlives this process, however it ends. Children are started by one thread
//! (`spawner`) through the `guard` command, which asks the kernel to kill them with that thread.

mod broker;
mod child;
mod error;
mod find;
pub mod guard;
mod nats_conf;
mod secrets;
mod spawner;
mod supervise;
mod workers;

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use trafficlab_shared::config::{Config, Secret};

use broker::Broker;
pub use error::DevError;
use nats_conf::Layout;
pub use secrets::DevSecrets;
use spawner::Spawner;
use supervise::{Launch, supervise};
use workers::Worker;

/// Room for the streams beside the results.
const OTHER_STREAMS_BYTES: u64 = 4 << 30;

/// Which programs are started and where they work.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// Folder of all state; made when it is missing.
    pub data_dir: PathBuf,
    /// How many worker processes.
    pub workers: u16,
    /// A program that knows `guard`: ours.
    pub guard: PathBuf,
    /// The worker program.
    pub worker: PathBuf,
    /// The broker program.
    pub nats_server: PathBuf,
}

impl DevOptions {
    /// The programs found beside ours, on PATH and in `.tools`.
    ///
    /// # Errors
    /// A program is missing or too old.
    pub async fn discover(data_dir: &Path, workers: u16) -> Result<Self, DevError> {
        Ok(Self {
            data_dir: data_dir.to_owned(),
            workers,
            guard: find::own_program()?,
            worker: find::worker()?,
            nats_server: Self::find_nats_server().await?,
        })
    }

    /// A broker program of version 2.14 or newer.
    ///
    /// # Errors
    /// None is found; the sentence says what was tried and what to do.
    pub async fn find_nats_server() -> Result<PathBuf, DevError> {
        find::nats_server().await
    }
}

/// The running children.
#[derive(Debug)]
pub struct DevCluster {
    url: String,
    secrets: DevSecrets,
    broker_pid: watch::Receiver<Option<u32>>,
    worker_pids: Vec<watch::Receiver<Option<u32>>>,
    stop_broker: watch::Sender<bool>,
    stop_workers: watch::Sender<bool>,
    broker: JoinSet<()>,
    workers: JoinSet<()>,
    spawner: Spawner,
}

impl DevCluster {
    /// Starts broker and workers with the programs found on this machine.
    ///
    /// # Errors
    /// A program is missing, the folder is in use or not writable, or the broker does not answer.
    pub async fn start(config: &Config, data_dir: &Path, workers: u16) -> Result<Self, DevError> {
        let options = DevOptions::discover(data_dir, workers).await?;
        Self::start_with(config, options).await
    }

    /// Starts broker and workers with the given programs; the broker answers when this returns.
    ///
    /// # Errors
    /// As `start`.
    pub async fn start_with(config: &Config, options: DevOptions) -> Result<Self, DevError> {
        let data_dir = make_folders(&options.data_dir)?;
        let secrets = DevSecrets::load_or_make(&data_dir)?;
        let spawner = Spawner::start(options.guard.clone())?;
        let broker = Broker {
            spawner: spawner.clone(),
            program: options.nats_server.clone(),
            layout: Layout::below(&data_dir),
            data_dir: data_dir.clone(),
            max_file_store: [config.nats.files_max_bytes.0, OTHER_STREAMS_BYTES]
                .into_iter()
                .fold(config.nats.results_max_bytes.0, u64::saturating_add),
            secrets: secrets.clone(),
            port: OnceLock::new(),
        };
        let child = broker.launch().await?;
        let url = broker.url().ok_or(DevError::SpawnerEnded)?;
        let (pid, broker_pid) = watch::channel(child.id());
        let mut cluster = Self {
            url,
            secrets,
            broker_pid,
            worker_pids: Vec::new(),
            stop_broker: watch::Sender::new(false),
            stop_workers: watch::Sender::new(false),
            broker: JoinSet::new(),
            workers: JoinSet::new(),
            spawner,
        };
        let stop = cluster.stop_broker.subscribe();
        cluster.broker.spawn(supervise(broker, child, pid, stop));
        cluster.start_workers(config, &options, &data_dir).await?;
        Ok(cluster)
    }

    async fn start_workers(&mut self, config: &Config, options: &DevOptions, data_dir: &Path) -> Result<(), DevError> {
        let mut filled = config.clone();
        self.secrets.fill(&mut filled);
        let variables = workers::variables(&filled, &self.secrets.worker_password);
        for number in 1..=options.workers {
            let worker = Worker {
                name: format!("dev-{number}"),
                spawner: self.spawner.clone(),
                program: options.worker.clone(),
                log: data_dir.join(format!("logs/worker-{number}.log")),
                url: self.url.clone(),
                variables: variables.clone(),
            };
            let child = worker.launch().await?;
            let (pid, seen) = watch::channel(child.id());
            self.worker_pids.push(seen);
            self.workers.spawn(supervise(worker, child, pid, self.stop_workers.subscribe()));
        }
        Ok(())
    }

    /// Address of the broker, the same for as long as the cluster lives.
    #[must_use]
    pub fn nats_url(&self) -> &str {
        &self.url
    }

    /// User name and password of the coordinator at the broker.
    #[must_use]
    pub fn coordinator_login(&self) -> (&'static str, &Secret) {
        ("coordinator", &self.secrets.coordinator_password)
    }

    /// All secrets of this folder.
    #[must_use]
    pub fn secrets(&self) -> &DevSecrets {
        &self.secrets
    }

    /// Process id of the broker; `None` while it is being started again.
    #[must_use]
    pub fn broker_pid(&self) -> Option<u32> {
        *self.broker_pid.borrow()
    }

    /// Follows the broker's process id, for health reports.
    #[must_use]
    pub fn watch_broker(&self) -> watch::Receiver<Option<u32>> {
        self.broker_pid.clone()
    }

    /// Process ids of the workers in order; `None` for one that is being started again.
    #[must_use]
    pub fn worker_pids(&self) -> Vec<Option<u32>> {
        self.worker_pids.iter().map(|pid| *pid.borrow()).collect()
    }

    /// Puts address, login and missing secrets into `config`, as if an operator had written them.
    pub fn fill(&self, config: &mut Config) {
        let (user, password) = self.coordinator_login();
        config.nats.url = Some(self.url.clone());
        config.nats.user = Some(user.to_owned());
        config.nats.password = Some(password.clone());
        self.secrets.fill(config);
    }

    /// Waits until a watching task ends, which it never does before it is told to.
    pub async fn failed(&mut self) -> DevError {
        tokio::select! {
            Some(end) = self.broker.join_next() => watcher_ended("nats-server", end),
            Some(end) = self.workers.join_next() => watcher_ended("a worker", end),
            else => std::future::pending().await,
        }
    }

    /// Stops the workers; the broker goes on, so that their last records can be taken.
    pub async fn stop_workers(&mut self) {
        self.stop_workers.send_replace(true);
        join_all("a worker", &mut self.workers).await;
    }

    /// Stops the workers, then the broker, and waits until all are gone.
    pub async fn stop(mut self) {
        self.stop_workers().await;
        self.stop_broker.send_replace(true);
        join_all("nats-server", &mut self.broker).await;
    }
}

async fn join_all(child: &str, tasks: &mut JoinSet<()>) {
    while let Some(end) = tasks.join_next().await {
        if end.is_err() {
            tracing::error!(error = %watcher_ended(child, end), "a child may not have been stopped in order");
        }
    }
}

fn watcher_ended(child: &str, end: Result<(), JoinError>) -> DevError {
    let reason = end.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string());
    DevError::WatcherEnded { child: child.to_owned(), reason }
}

/// Makes the data folder and the log folder; the broker needs the absolute path.
fn make_folders(data_dir: &Path) -> Result<PathBuf, DevError> {
    let logs = data_dir.join("logs");
    for folder in [data_dir, &data_dir.join("nats"), &logs] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(DevError::file("make", folder))?;
    }
    data_dir.canonicalize().map_err(DevError::file("find", data_dir))
}
