//! What is sent: marks, templates, headers, bodies, and to whom.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Generate;
use crate::harness::worker;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A server that answers 200 to everything and keeps what it was asked.
struct Listener {
    url: String,
    seen: mpsc::UnboundedReceiver<Seen>,
    _tasks: JoinSet<()>,
}

impl Listener {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (out, seen) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(BufReader::new(stream), out.clone()));
            }
        });
        Self { url, seen, _tasks: tasks }
    }

    fn all(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }
}

async fn serve(mut stream: BufReader<tokio::net::TcpStream>, out: mpsc::UnboundedSender<Seen>) {
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let line = lines.next().unwrap();
        let pair =
            |line: String| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
        let mut seen = Seen { line, headers: lines.map(pair).collect(), body: String::new() };
        let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        seen.body = String::from_utf8_lossy(&body).into_owned();
        out.send(seen).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    }
}

#[tokio::test]
async fn every_request_carries_the_printed_run_id() {
    let mut listener = Listener::start().await;
    let ended = Generate::json(&[&listener.url, "--rate", "200", "--requests", "20"]).run().await;
    let run_id = ended.summary()["run_id"].as_str().unwrap().to_owned();
    assert!(ended.stderr.starts_with(&format!("run {run_id} ")), "{}", ended.stderr);
    let seen = listener.all();
    assert_eq!(seen.len(), 20);
    for request in &seen {
        assert_eq!(request.line, "GET / HTTP/1.1");
        assert_eq!(request.header("x-synthetic-traffic"), Some(run_id.as_str()));
        assert!(request.header("x-synthetic-id").unwrap().starts_with(&run_id));
        assert!(request.header("user-agent").unwrap().starts_with("trafficlab/"));
    }
}

#[tokio::test]
async fn templates_and_rows_fill_path_header_and_body() {
    let mut listener = Listener::start().await;
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("users.csv");
    std::fs::write(&table, "user,pin\nann,\"1,1\"\nbob,22\nc/d,33\n").unwrap();
    let table = table.display().to_string();
    let url = format!("{}/u/{{{{csv:user}}}}?n={{{{sequence}}}}&d={{{{random_int:1,6}}}}", listener.url);
    let body = "{\"pin\":\"{{csv:pin}}\",\"n\":{{sequence}}}";
    let args =
        [&url, "--csv", &table, "--body", body, "-H", "X-User: {{csv:user}}", "--rate", "300", "--requests", "7"];
    let summary = Generate::json(&[&args[..], &["--connections", "1"]].concat()).summary().await;
    assert_eq!(summary["sent"], 7, "{summary}");
    let seen = listener.all();
    let rows = [("ann", "ann", "1,1"), ("bob", "bob", "22"), ("c%2Fd", "c/d", "33")];
    for (index, request) in seen.iter().enumerate() {
        let (path, user, pin) = rows[index % 3];
        let number = index + 1;
        assert!(request.line.starts_with(&format!("POST /u/{path}?n={number}&d=")), "{request:?}");
        let die: u32 = request.line.split("d=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((1..=6).contains(&die));
        assert_eq!(request.header("x-user"), Some(user));
        assert_eq!(request.body, format!("{{\"pin\":\"{pin}\",\"n\":{number}}}"));
    }
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn bodies_come_from_files_and_profiles_bring_their_headers() {
    let mut listener = Listener::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, "plain { text }\n").unwrap();
    let (at, path) = (format!("@{}", file.display()), file.display().to_string());
    for flags in [["--body", at.as_str()], ["--body-file", path.as_str()]] {
        // A fixed seed: a few of the drawn visitors come in apps, whose agents begin with another word.
        let drawn = ["--profiles", "--geo", "Germany", "--seed", "1"];
        let args = [&[&listener.url, "--rate", "max", "--requests", "3", "-X", "PUT"][..], &drawn].concat();
        Generate::json(&[&args[..], &flags].concat()).summary().await;
    }
    let seen = listener.all();
    assert_eq!(seen.len(), 6);
    for request in &seen {
        assert!(request.line.starts_with("PUT / ") && request.body == "plain { text }\n", "{request:?}");
        assert!(request.header("user-agent").unwrap().starts_with("Mozilla/5.0"), "{request:?}");
        assert!(request.header("accept-language").unwrap().starts_with("de"), "{request:?}");
    }
}

#[tokio::test]
async fn a_target_off_the_list_gets_no_packet() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let list = ("TRAFFICLAB_GENERATOR__ALLOW_TARGETS", r#"["10.0.0.0/8"]"#);
    let refused = Generate::json(&[&url, "--rate", "5"]).env(list.0, list.1).run().await;
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(refused.stderr.contains("allow_targets") && refused.stdout.is_empty(), "{}", refused.stderr);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // A public address on the list still needs its owner, which is asked for after the secret only.
    let list = (list.0, r#"["8.8.8.8/32"]"#);
    let unproven = Generate::json(&["http://8.8.8.8/", "--rate", "5"]).env(list.0, list.1).run().await;
    assert_eq!(unproven.code, 3, "{}", unproven.stderr);
    assert!(unproven.stderr.contains("ownership_secret"), "{}", unproven.stderr);
}

#[tokio::test]
async fn mistakes_are_named_before_anything_is_sent() {
    let mut listener = Listener::start().await;
    let url = listener.url.clone();
    for (flags, word) in [
        (vec![], "--rate"),
        (vec!["--rate", "fast"], "`fast`"),
        (vec!["--rate", "5", "-H", "Host: x"], "--header Host"),
        (vec!["--rate", "5", "-H", "x-synthetic-traffic: none"], "x-synthetic-traffic"),
        (vec!["--rate", "5", "-H", "no colon"], "no colon"),
        (vec!["--rate", "5", "-X", "CONNECT"], "--method"),
        (vec!["--rate", "5", "--body", "{{csv:user}}"], "--csv"),
        (vec!["--rate", "5", "--body", "{{nonsense}}"], "`--body`: unknown template variable `nonsense`"),
        (vec!["--rate", "5", "--body", "@/no/such/file"], "`--body`: `/no/such/file`"),
        (vec!["--rate", "5", "--csv", "/no/such/file"], "`--csv`: `/no/such/file`"),
        (vec!["--arrivals", "replay:/no/such/file"], "`--arrivals`: `/no/such/file`"),
        (vec!["--rate", "5", "--arrivals", "stages:1s@10"], "leave `--rate` out"),
        (vec!["--rate", "5", "--duration", "2s", "--warm-up", "2s"], "--warm-up"),
        (vec!["--rate", "5", "--catch-up", "0"], "--catch-up"),
        (vec!["--rate", "5", "--arrivals", "noise"], "noise"),
        (vec!["--rate", "max", "--arrivals", "poisson"], "--rate max"),
        (vec!["--rate", "5", "--threshold", "p99"], "p99"),
        (vec!["--rate", "5", "--geo", "Atlantis"], "--geo"),
        (vec!["--rate", "200000"], "max_rate_per_target"),
        (vec!["--rate", "5", "--ca", "/no/such/file"], "`--ca`: `/no/such/file`"),
        (vec!["--rate", "5", "--report", "pdf=x"], "pdf"),
        (vec!["--rate", "5", "--report", "json=/no/such/folder/x"], "`--report`: `/no/such/folder/x`"),
        (vec!["--rate", "5", "--http1", "--http2"], "--http2"),
        (vec!["--rate", "5", "--requests", "0"], "--requests"),
    ] {
        let args: Vec<&str> = [url.as_str()].into_iter().chain(flags).collect();
        let refused = Generate::new(&args).run().await;
        assert_eq!(refused.code, 2, "{args:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(word), "{args:?}: {}", refused.stderr);
    }
    // Else a refusal of this system would be counted as one of the target.
    let line = "ulimit -n 60 && exec \"$0\" generate \"$1\" --rate 5 --connections 100";
    let few = Command::new("sh").args(["-c", line]).arg(worker()).arg(&url).output().await.unwrap();
    assert_eq!(few.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&few.stderr).contains("`--connections 100` needs"), "{few:?}");
    let unknown = Generate::new(&[&url, "--rate", "5"]).env("TRAFFICLAB_GENERATOR__MAX_RAET", "5").run().await;
    assert!(unknown.code == 2 && unknown.stderr.contains("max_raet"), "{}", unknown.stderr);
    assert_eq!(listener.all(), []);
}
