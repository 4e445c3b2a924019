//! A broker, a coordinator and workers, as an operator would start them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::api::Api;
use super::broker::{self, Broker};
use super::process::{Process, Program};
use super::programs;
use super::small_disk::SmallDisk;
use super::wait::eventually;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const UP_WITHIN: Duration = Duration::from_secs(40);

/// A coordinator or a worker.
#[derive(Debug)]
pub(crate) struct Node {
    program: Program,
    process: Option<Process>,
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) workers: Vec<Node>,
    pub(crate) coordinator: Node,
    pub(crate) broker: Broker,
    pub(crate) api: Api,
    disk: Option<SmallDisk>,
    folder: TempDir,
    worker_env: Vec<(String, String)>,
}

/// What to start.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    workers: usize,
    settings: Vec<(String, String)>,
    worker_env: Vec<(String, String)>,
    mebibytes: Option<u32>,
}

impl Node {
    fn new(program: Program) -> Self {
        let process = Some(Process::start(&program));
        Self { program, process }
    }

    /// The running process.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again with the same settings.
    pub(crate) fn up(&mut self) {
        self.process = Some(Process::start(&self.program));
    }

    /// SIGSTOP: it neither works nor answers, but its connections stay.
    pub(crate) fn freeze(&mut self) {
        self.process().signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn thaw(&mut self) {
        self.process().signal(Signal::CONT);
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn terminate(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        process.terminate().await
    }
}

impl Builder {
    /// How many workers; they are called `w1`, `w2` ….
    pub(crate) fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// A setting of the coordinator, such as `GENERATOR__MAX_RATE`.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((format!("TRAFFICLAB_{key}"), value.to_owned()));
        self
    }

    /// An environment variable of every worker.
    pub(crate) fn worker_env(mut self, name: &str, value: &str) -> Self {
        self.worker_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The coordinator's data lies on a disk of this size.
    pub(crate) fn data_mebibytes(mut self, mebibytes: u32) -> Self {
        self.mebibytes = Some(mebibytes);
        self
    }

    /// Starts everything; the coordinator is healthy and knows all workers when this returns.
    pub(crate) async fn start(self) -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(folder.path()).await;
        let port = programs::free_port();
        let mut program = coordinator_program(folder.path(), &broker.url(), port, self.settings);
        let mut disk = None;
        if let Some(mebibytes) = self.mebibytes {
            let mounted = SmallDisk::mount(&folder.path().join("data"), mebibytes).await;
            program = mounted.around(program);
            disk = Some(mounted);
        }
        let coordinator = Node::new(program);
        let api = Api::new(format!("http://127.0.0.1:{port}"));
        let worker_env = self.worker_env;
        let mut cluster = Cluster { workers: Vec::new(), coordinator, broker, api, disk, folder, worker_env };
        for _ in 0..self.workers {
            cluster.add_worker();
        }
        cluster.ready().await;
        cluster
    }
}

impl Cluster {
    /// What to start.
    pub(crate) fn builder() -> Builder {
        Builder::default()
    }

    /// With so many workers and default settings.
    pub(crate) async fn with_workers(workers: usize) -> Self {
        Self::builder().workers(workers).start().await
    }

    /// Starts one more worker.
    pub(crate) fn add_worker(&mut self) {
        self.add_worker_with(&[]);
    }

    /// Starts one more worker with settings of its own, such as `WORKER__CAPACITY`.
    pub(crate) fn add_worker_with(&mut self, settings: &[(&str, &str)]) {
        let name = format!("w{}", self.workers.len() + 1);
        let mut env = self.worker_env.clone();
        env.extend(settings.iter().map(|(key, value)| (format!("TRAFFICLAB_{key}"), (*value).to_owned())));
        let program = worker_program(self.folder.path(), &self.broker.url(), &name, env);
        self.workers.push(Node::new(program));
    }

    /// Starts one more worker to whom `hidden` is an empty folder, in a mount namespace of its own.
    pub(crate) fn add_worker_without(&mut self, hidden: &Path) {
        let name = format!("w{}", self.workers.len() + 1);
        let mut program = worker_program(self.folder.path(), &self.broker.url(), &name, self.worker_env.clone());
        let hide = r#"mount -t tmpfs none "$1" && shift && exec "$@""#;
        let mut args = ["--mount", "--map-root-user", "sh", "-c", hide, "sh"].map(str::to_owned).to_vec();
        args.extend([hidden.display().to_string(), program.path.display().to_string()]);
        args.append(&mut program.args);
        (program.path, program.args) = ("unshare".into(), args);
        self.workers.push(Node::new(program));
    }

    /// The folder of all state.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The disk of `data_mebibytes`.
    pub(crate) fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().unwrap()
    }

    /// Waits until the coordinator is healthy and sees every worker that runs.
    pub(crate) async fn ready(&mut self) {
        let running = self.workers.iter().filter(|worker| worker.process.is_some()).count();
        let what = format!("a healthy coordinator with {running} workers");
        let (api, coordinator) = (&self.api, &mut self.coordinator);
        let healthy = async || {
            if let Some(status) = coordinator.process().status() {
                panic!("the coordinator ended with {status}");
            }
            let health = api.try_get("/health").await.ok()?;
            let workers = health.body["workers"].as_u64()?;
            (health.body["status"] == "healthy" && workers >= running as u64).then_some(())
        };
        eventually(UP_WITHIN, &what, healthy).await;
    }

    /// Kills the coordinator and starts it again.
    pub(crate) async fn restart_coordinator(&mut self) {
        self.coordinator.kill();
        self.coordinator.up();
        self.ready().await;
    }
}

fn coordinator_program(folder: &Path, nats: &str, port: u16, settings: Vec<(String, String)>) -> Program {
    let data = folder.join("data").display().to_string();
    let listen = format!("127.0.0.1:{port}");
    let mut env = common("coordinator", broker::COORDINATOR);
    env.extend(settings);
    Program {
        name: "coordinator".into(),
        path: programs::coordinator(),
        args: ["serve", "--nats", nats, "--data-dir", &data, "--listen", &listen].map(str::to_owned).to_vec(),
        env,
        log: folder.join("coordinator.log"),
    }
}

fn worker_program(folder: &Path, nats: &str, name: &str, extra: Vec<(String, String)>) -> Program {
    let mut env = common("worker", broker::WORKER);
    env.extend(extra);
    Program {
        name: name.to_owned(),
        path: programs::worker(),
        args: ["serve", "--nats", nats, "--id", name, "--lanes", "1"].map(str::to_owned).to_vec(),
        env,
        log: folder.join(format!("{name}.log")),
    }
}

fn common(user: &str, password: &str) -> Vec<(String, String)> {
    [
        ("ENVIRONMENT", "development"),
        ("NATS__USER", user),
        ("NATS__PASSWORD", password),
        ("AUTH__JWT_SECRET", SECRET),
        ("AUTH__SECRETS_KEY", SECRET),
        ("GENERATOR__OWNERSHIP_SECRET", SECRET),
        ("LOG__LEVEL", "info"),
    ]
    .map(|(key, value)| (format!("TRAFFICLAB_{key}"), value.to_owned()))
    .to_vec()
}
