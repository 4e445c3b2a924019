//! The managed broker and worker processes of `dev`, with a real nats-server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod roles;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{Instant, sleep, timeout};
use trafficlab_coordinator::dev::{DevCluster, DevError, DevOptions};
use trafficlab_shared::config::{Config, DEV_PRESET, Purpose, Secret, Sources};

const DEADLINE: Duration = Duration::from_secs(20);

fn config() -> Config {
    let sources = Sources { preset: Some(DEV_PRESET), ..Sources::default() };
    Config::load(&sources, Purpose::Coordinator).unwrap()
}

/// A stand-in for the worker program that only lives.
fn idle_worker(folder: &Path) -> PathBuf {
    let path = folder.join("idle-worker");
    std::fs::write(&path, "#!/bin/sh\necho \"$TRAFFICLAB_NATS__USER $*\"\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn options(folder: &Path, workers: u16) -> DevOptions {
    let discovered = DevOptions {
        guard: PathBuf::from(env!("CARGO_BIN_EXE_trafficlab-coordinator")),
        worker: idle_worker(folder),
        nats_server: DevOptions::find_nats_server().await.unwrap(),
        data_dir: folder.join("data"),
        workers,
    };
    assert!(discovered.nats_server.is_file());
    discovered
}

async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        sleep(Duration::from_millis(20)).await;
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

/// Gone, or a zombie that only waits for whoever inherited it.
fn is_gone(number: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    test_kill_process(pid(number)).is_err() || stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"))
}

async fn connect(cluster: &DevCluster, user: &str, password: &Secret, inbox: &str) -> async_nats::Client {
    let options = async_nats::ConnectOptions::with_user_and_password(user.to_owned(), password.expose().to_owned());
    options.custom_inbox_prefix(inbox).connect(cluster.nats_url()).await.unwrap()
}

async fn start(folder: &Path, workers: u16) -> Result<DevCluster, DevError> {
    DevCluster::start_with(&config(), options(folder, workers).await).await
}

/// Kills the broker: a new one comes up on the same port, and a client that stayed finds what was stored.
async fn kill_broker(cluster: &DevCluster) -> u32 {
    let (user, password) = cluster.coordinator_login();
    let js = jetstream::new(connect(cluster, user, password, "_INBOX").await);
    let config = stream::Config { name: "S".into(), subjects: vec!["s".into()], ..Default::default() };
    js.create_stream(config).await.unwrap();
    js.publish("s", "kept".into()).await.unwrap().await.unwrap();
    let first = cluster.broker_pid().unwrap();
    kill_process(pid(first), Signal::KILL).unwrap();
    let fresh = || async { cluster.broker_pid().filter(|pid| *pid != first) };
    let second = until("a new broker", fresh).await;
    let js = &js;
    let messages = until("the same client reaching it", || async move {
        let stream = timeout(Duration::from_secs(2), js.get_stream("S")).await;
        Some(stream.ok()?.ok()?.cached_info().state.messages)
    });
    assert_eq!(messages.await, 1, "the store was kept");
    second
}

/// Kills the first worker: it is started again with the same arguments.
async fn kill_worker(cluster: &DevCluster, folder: &Path) {
    let first = cluster.worker_pids()[0].unwrap();
    kill_process(pid(first), Signal::KILL).unwrap();
    let fresh = || async { cluster.worker_pids()[0].filter(|pid| *pid != first) };
    until("a new worker", fresh).await;
    let log = folder.join("data/logs/worker-1.log");
    let twice = || async {
        let text = std::fs::read_to_string(&log).unwrap();
        (text.lines().count() == 2).then_some(text)
    };
    let shown = until("two starts in the log", twice).await;
    assert!(shown.contains("worker serve --nats nats://127.0.0.1:"), "{shown}");
    assert!(shown.contains("--id dev-1"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_restarts_its_children_and_leaves_none_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = start(folder.path(), 2).await.unwrap();
    let broker = kill_broker(&cluster).await;
    kill_worker(&cluster, folder.path()).await;
    let workers = cluster.worker_pids().into_iter().flatten();
    let all: Vec<u32> = workers.chain([broker]).collect();
    assert_eq!(all.len(), 3);
    let failure = timeout(Duration::from_millis(50), cluster.failed()).await;
    assert!(failure.is_err(), "{failure:?}");
    cluster.stop().await;
    assert!(all.iter().all(|pid| is_gone(*pid)), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_serves_one_cluster_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), 0).await.unwrap();
    let refused = start(folder.path(), 0).await.unwrap_err();
    assert!(matches!(refused, DevError::InUse { .. }), "{refused}");
    first.stop().await;
    let again = start(folder.path(), 0).await.unwrap();
    again.stop().await;
}

/// Runs this test binary again as a process that holds a cluster, and kills that process.
#[tokio::test(flavor = "multi_thread")]
async fn children_die_with_a_killed_parent() {
    const HOLDER: &str = "DEV_CLUSTER_HOLDER";
    if let Some(folder) = std::env::var_os(HOLDER).map(PathBuf::from) {
        let cluster = start(&folder, 1).await.unwrap();
        let pids = [cluster.broker_pid().unwrap(), cluster.worker_pids()[0].unwrap()];
        std::fs::write(folder.join("pids.new"), format!("{} {}", pids[0], pids[1])).unwrap();
        std::fs::rename(folder.join("pids.new"), folder.join("pids")).unwrap();
        return std::future::pending().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "children_die_with_a_killed_parent", "--nocapture"]);
    command.env(HOLDER, folder.path()).stdout(Stdio::null()).kill_on_drop(true);
    let mut holder = command.spawn().unwrap();
    let pids =
        until("the holder's children", || async { std::fs::read_to_string(folder.path().join("pids")).ok() }).await;
    let pids: Vec<u32> = pids.split(' ').map(|text| text.parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| !is_gone(*pid)), "{pids:?}");
    holder.kill().await.unwrap();
    until("the end of the children", || async { pids.iter().all(|pid| is_gone(*pid)).then_some(()) }).await;
}
