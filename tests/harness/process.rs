//! A child process with its output in a file; killed when dropped, and with this process.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::programs;
use super::wait::eventually;

/// Lines of a child's output that are shown when a test fails.
const SHOWN: usize = 60;

/// A running child.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

/// What to start and where its output goes.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) log: PathBuf,
}

impl Process {
    /// Starts the program through `guard`, so that it ends with the thread of this test. None of
    /// our own `TRAFFICLAB_` variables reaches it.
    pub(crate) fn start(program: &Program) -> Self {
        let mut command = Command::new(programs::coordinator());
        command.args(["guard", "--parent", &std::process::id().to_string(), "--"]);
        command.arg(&program.path).args(&program.args);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TRAFFICLAB_") {
                command.env_remove(name);
            }
        }
        command.env("RUST_BACKTRACE", "1").envs(program.env.iter().cloned());
        let output = append(&program.log);
        let errors = output.try_clone().unwrap();
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = command.spawn().unwrap();
        Self { name: program.name.clone(), log: program.log.clone(), child }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.pid()), signal).unwrap();
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        let child = &mut self.child;
        eventually(Duration::from_secs(30), &what, async || child.try_wait().unwrap()).await
    }

    /// Its status when it has ended.
    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Everything it has written.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The child may have ended by itself, which is no fault here.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            show(&self.name, &self.output());
        }
    }
}

#[allow(clippy::print_stderr, reason = "the runner shows it with the failed test")]
fn show(name: &str, output: &str) {
    let lines: Vec<&str> = output.lines().collect();
    let first = lines.len().saturating_sub(SHOWN);
    eprintln!("---- {name}, last lines of {} ----", lines.len());
    for line in lines.iter().skip(first) {
        eprintln!("{line}");
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

/// Whether a process is gone, or only waits for whoever inherited it.
pub(crate) fn is_gone(number: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    let zombie = stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"));
    zombie || test_kill_process(pid(number)).is_err()
}
