//! Why the development cluster could not start or went on without a part.

use std::path::PathBuf;

/// A failure of `dev`, as a sentence that says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// No broker program that is new enough.
    #[error(
        "no nats-server of version 2.14 or newer was found ({tried}); `scripts/run` installs one, or set TRAFFICLAB_NATS_SERVER to its path"
    )]
    NoBroker {
        /// What was looked at and why it did not fit.
        tried: String,
    },
    /// The worker program is not beside ours.
    #[error("`trafficlab-worker` is not in `{folder}`; build it with `cargo build --release --bins`")]
    NoWorker {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Another process group works on this folder.
    #[error("`{folder}` is in use by another trafficlab; stop it or give another --data-dir")]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// A file or folder of ours.
    #[error("cannot {what} `{path}`")]
    File {
        /// The verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The secrets can be read by others, or do not parse.
    #[error("`{path}` {message}")]
    Secrets {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A child did not start.
    #[error("cannot start `{program}`")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The broker ended while it was starting.
    #[error("nats-server ended with {status} while starting; see `{log}`")]
    BrokerEnded {
        /// Exit status.
        status: String,
        /// Its log file.
        log: PathBuf,
    },
    /// The broker runs but cannot be reached.
    #[error("nats-server did not answer within {seconds} s; see `{log}`")]
    BrokerSilent {
        /// The deadline.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
    },
    /// A supervising task is gone, so nobody would restart a child.
    #[error("the task that watches `{child}` ended: {reason}")]
    WatcherEnded {
        /// The child.
        child: String,
        /// Panic or cancellation.
        reason: String,
    },
    /// The thread that starts children is gone.
    #[error("the thread that starts children has ended")]
    SpawnerEnded,
}

impl DevError {
    pub(super) fn file(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { what, path, source }
    }
}
