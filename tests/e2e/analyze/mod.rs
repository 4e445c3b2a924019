//! `trafficlab-worker analyze` as people and programs call it.

mod formats;
mod inputs;
mod results;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use trafficlab_engine::packet::craft::{Capture, Conversation, Side, udp};

use crate::harness::worker;

/// 2023-11-14 22:13:20 UTC.
const START_NS: i64 = 1_700_000_000_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
/// Connections of the sample, one of them over UDP.
const CONNECTIONS: usize = 13;

/// How a call ended.
struct Ended {
    code: i32,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|fault| panic!("{fault}: {}", self.stderr))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// What was printed, of a call that must have ended well.
    fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }
}

/// `analyze` with none of our own variables in its environment.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(worker());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRAFFICLAB_") {
            command.env_remove(name);
        }
    }
    command.arg("analyze").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn analyze(args: &[&str]) -> Ended {
    ended(&command(args).output().unwrap())
}

fn ended(output: &std::process::Output) -> Ended {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ended { code: output.status.code().unwrap(), stdout: output.stdout.clone(), stderr }
}

/// `analyze -` with these bytes as standard input.
fn piped(args: &[&str], bytes: &[u8]) -> Ended {
    let mut child = command(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    // The program may have seen enough before the end.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    ended(&output)
}

/// A folder with a capture in it.
struct Sample {
    folder: TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Sample {
    fn of(bytes: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.pcap");
        std::fs::write(&path, &bytes).unwrap();
        Self { folder, path, bytes }
    }

    /// The crafted capture.
    fn new() -> Self {
        Self::of(capture().pcap())
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn beside(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The call with this capture as its first argument; it must end well.
    fn good(&self, args: &[&str]) -> Ended {
        analyze(&[&[self.path()], args].concat()).good()
    }
}

/// Twelve TCP connections, four seconds apart, one of which loses every second segment, and a question over UDP.
fn capture() -> Capture {
    let mut capture = Capture::new();
    for number in 0..12_u8 {
        let client: SocketAddr = format!("10.0.0.{}:4{number:04}", number + 1).parse().unwrap();
        let server: SocketAddr = "192.0.2.80:443".parse().unwrap();
        let mut conversation = Conversation::new(client, server, START_NS + i64::from(number) * 4 * SECOND_NS);
        conversation.handshake();
        for _ in 0..20 {
            conversation.data(Side::Server, 1_000);
            if number == 7 {
                conversation.wait(SECOND_NS / 20).retransmit(Side::Server);
            }
            conversation.ack(Side::Client);
        }
        conversation.close();
        capture.conversation(&conversation);
    }
    let (asking, server) = ("[2001:db8::5]:5353".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap());
    capture.at(START_NS + 9 * SECOND_NS, &udp(asking, server, b"who?"));
    capture.at(START_NS + 9 * SECOND_NS + 1_000_000, &udp(server, asking, b"somebody"));
    capture.sort();
    capture
}

fn gzip(path: &Path) -> Vec<u8> {
    let packed = Command::new("gzip").arg("--stdout").arg(path).output().unwrap();
    assert!(packed.status.success());
    packed.stdout
}

/// Lines of JSON.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
