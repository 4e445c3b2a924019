//! Finding the programs that `dev` starts.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::error::DevError;

const OLDEST: (u32, u32) = (2, 14);
const VERSION_DEADLINE: Duration = Duration::from_secs(5);

/// Names the broker program outright.
const NATS_SERVER_VARIABLE: &str = "TRAFFICLAB_NATS_SERVER";

/// A nats-server that is new enough: the one named by the environment, on PATH, or in `.tools/bin`
/// of the project that this program or the working directory lies in.
pub(super) async fn nats_server() -> Result<PathBuf, DevError> {
    let candidates = match env::var_os(NATS_SERVER_VARIABLE).filter(|path| !path.is_empty()) {
        Some(named) => vec![PathBuf::from(named)],
        None => candidates(),
    };
    newest_enough(&candidates).await
}

fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("nats-server"));
    let program = env::current_exe().ok();
    let here = env::current_dir().ok();
    let starts = [program, here];
    let in_tools = starts.iter().flatten().flat_map(|start| start.ancestors());
    let in_tools = in_tools.map(|folder| folder.join(".tools/bin/nats-server"));
    on_path.chain(in_tools).filter(|candidate| candidate.is_file()).collect()
}

async fn newest_enough(candidates: &[PathBuf]) -> Result<PathBuf, DevError> {
    let mut tried = Vec::new();
    for candidate in candidates {
        match version_of(candidate).await {
            Ok(version) if version >= OLDEST => return Ok(candidate.clone()),
            Ok((major, minor)) => tried.push(format!("{} is {major}.{minor}", candidate.display())),
            Err(reason) => tried.push(format!("{}: {reason}", candidate.display())),
        }
    }
    if tried.is_empty() {
        tried.push("none on PATH and none in .tools/bin".to_owned());
    }
    Err(DevError::NoBroker { tried: tried.join(", ") })
}

async fn version_of(program: &Path) -> Result<(u32, u32), String> {
    let mut command = Command::new(program);
    command.arg("--version").kill_on_drop(true);
    let output = tokio::time::timeout(VERSION_DEADLINE, command.output()).await;
    let output = output.map_err(|_elapsed| "does not answer --version".to_owned())?;
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    parse_version(&text).ok_or_else(|| "does not say its version".to_owned())
}

/// Major and minor version in a line such as `nats-server: v2.15.1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let after = text.split_once("nats-server: v")?.1;
    let mut parts = after.trim().split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

/// The worker program, which is built into the same folder as ours.
pub(super) fn worker() -> Result<PathBuf, DevError> {
    let program = own_program()?;
    let folder = program.parent().unwrap_or(Path::new("/"));
    let worker = folder.join("trafficlab-worker");
    if worker.is_file() {
        return Ok(worker);
    }
    Err(DevError::NoWorker { folder: folder.to_owned() })
}

/// The path of the running program.
pub(super) fn own_program() -> Result<PathBuf, DevError> {
    env::current_exe().map_err(DevError::file("find", Path::new("/proc/self/exe")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn versions_are_read_from_the_broker_s_line() {
        for (text, version) in [
            ("nats-server: v2.15.1\n", Some((2, 15))),
            ("nats-server: v2.9.10", Some((2, 9))),
            ("nats-server: v3.0.0-RC.1", Some((3, 0))),
            ("bash 5.2", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), version, "{text}");
        }
    }

    fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn an_old_broker_is_passed_over_and_named_when_nothing_fits() {
        let folder = tempfile::tempdir().unwrap();
        let old = script(folder.path(), "old", "echo nats-server: v2.9.10");
        let odd = script(folder.path(), "odd", "echo hello");
        let new = script(folder.path(), "new", "echo nats-server: v2.14.0");
        let found = newest_enough(&[old.clone(), odd.clone(), new.clone()]).await.unwrap();
        assert_eq!(found, new);
        let error = newest_enough(&[old, odd]).await.unwrap_err().to_string();
        assert!(error.contains("is 2.9") && error.contains("scripts/run"), "{error}");
    }
}
