//! The hidden `guard` command: a process that becomes a child which cannot outlive its parent.
//!
//! The kernel sends the parent-death signal when the *thread* that started the child ends, so the
//! caller starts it from the thread of `spawner.rs`. Setting the signal needs no `unsafe` here,
//! because this is a whole process of its own before `exec` and not a hook between fork and exec.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// Exit status that says that the lock is held by somebody else.
pub const EXIT_LOCKED: u8 = 75;

const EXIT_FAILED: u8 = 70;

/// How long a lock may stay with a process that is just being killed.
const LOCK_ATTEMPTS: u32 = 30;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Arguments of `guard`.
#[derive(Debug, clap::Args)]
pub struct GuardArgs {
    /// Process id of the parent; when it is gone already, nothing is started
    #[arg(long)]
    pub parent: i32,
    /// A file that the child keeps locked for as long as it lives
    #[arg(long)]
    pub lock: Option<PathBuf>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Turns this process into the command; returns only when that fails.
#[must_use]
pub fn run(args: &GuardArgs) -> ExitCode {
    match become_child(args) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "guard could not start its command");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn become_child(args: &GuardArgs) -> io::Result<ExitCode> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the signal was set; then nobody would ever send it.
    if rustix::process::getppid().map(Pid::as_raw_pid) != Some(args.parent) {
        return Ok(ExitCode::from(EXIT_FAILED));
    }
    let held = match &args.lock {
        None => None,
        Some(path) => match lock(path)? {
            Some(file) => Some(file),
            None => return Ok(ExitCode::from(EXIT_LOCKED)),
        },
    };
    let (program, rest) = args.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let error = Command::new(program).args(rest).exec();
    drop(held);
    Err(error)
}

/// Takes the lock and lets the descriptor pass through `exec`; `None` when somebody holds it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => {
                rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty())?;
                return Ok(Some(file));
            }
            Err(TryLockError::WouldBlock) => pause(),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

#[allow(clippy::disallowed_methods, reason = "this process has one thread, no runtime and nothing else to do")]
fn pause() {
    std::thread::sleep(LOCK_PAUSE);
}
