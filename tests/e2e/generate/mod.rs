//! The load tester of the command line, against real sockets.

mod endings;
mod load;
mod request;
mod results;

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::harness::worker;

/// `generate` with these flags, beside `--quiet --format json`.
struct Generate {
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// How a run ended.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Generate {
    fn new(args: &[&str]) -> Self {
        let args = ["generate"].iter().chain(args).chain(&["--quiet"]);
        Self { args: args.map(|arg| (*arg).to_owned()).collect(), env: Vec::new() }
    }

    fn json(args: &[&str]) -> Self {
        let mut made = Self::new(args);
        made.args.extend(["--format", "json"].map(ToOwned::to_owned));
        made
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it; none of our own variables reaches it.
    fn start(&self) -> Child {
        let mut command = Command::new(worker());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TRAFFICLAB_") {
                command.env_remove(name);
            }
        }
        command.args(&self.args).envs(self.env.iter().cloned()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn run(&self) -> Ended {
        Ended::of(&self.start().wait_with_output().await.unwrap())
    }

    /// Runs it; it must end with 0. The JSON object is what it printed.
    async fn summary(&self) -> Value {
        let ended = self.run().await;
        assert_eq!(ended.code, 0, "{:?}: {}", self.args, ended.stderr);
        ended.summary()
    }
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn summary(&self) -> Value {
        let summary: Value = serde_json::from_str(&self.stdout).unwrap();
        let of = |name: &str| summary[name].as_u64().unwrap();
        assert_eq!(of("scheduled"), of("sent") + of("dropped") + of("missed"), "{summary}");
        assert!(of("late") <= of("sent"), "{summary}");
        summary
    }
}
