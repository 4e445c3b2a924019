//! Delivery to a small mail server that is made here, and to files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::sync::Arc;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use trafficlab_shared::config::{Config, Purpose, Sources};

use super::deliver::round;
use super::*;
use crate::adops::actor::Actor;
use crate::adops::change::change;

const HOUR_NS: u64 = 3600 * 1_000_000_000;

/// Speaks SMTP (RFC 5321) as far as the client needs it, and keeps what it takes.
struct Server {
    port: u16,
    /// The answer to each message, the first one next; `250 taken` when there is none.
    answers: Arc<Mutex<Vec<&'static str>>>,
    taken: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, taken) = (Arc::default(), Arc::default());
        let (own_answers, own_taken) = (Arc::clone(&answers), Arc::clone(&taken));
        let task = Handle::current().spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                converse(stream, &own_answers, &own_taken).await;
            }
        });
        Self { port, answers, taken, task }
    }

    fn answer(&self, answers: &[&'static str]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
}

async fn converse(stream: TcpStream, answers: &Mutex<Vec<&'static str>>, taken: &Mutex<Vec<String>>) {
    let (from, mut to) = stream.into_split();
    let mut lines = BufReader::new(from).lines();
    to.write_all(b"220 here\r\n").await.unwrap();
    let mut envelope = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next().unwrap() {
            "EHLO" => "250-here\r\n250 8BITMIME",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        envelope.push(line.clone());
        to.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        if line == "DATA" {
            let mut message = envelope.join("\n");
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "." {
                    break;
                }
                message.push('\n');
                message.push_str(&line);
            }
            let next = answers.lock().unwrap().pop().unwrap_or("250 taken");
            if next.starts_with("250") {
                taken.lock().unwrap().push(message);
            }
            to.write_all(format!("{next}\r\n").as_bytes()).await.unwrap();
        }
    }
}

fn mailer(text: &str) -> Mailer {
    let sources = Sources { flags: text.parse().unwrap(), ..Sources::default() };
    Mailer::new(&Config::load(&sources, Purpose::Worker).unwrap()).unwrap()
}

fn smtp(port: u16) -> Mailer {
    mailer(&format!("[mail]\nsmtp_url = \"smtp://127.0.0.1:{port}\"\nfrom = \"Lab <lab@example.com>\""))
}

async fn put(store: &Store, tenant: u64, to: &str, about: Option<u64>) {
    let actor = Actor::system(TenantId(tenant), "test");
    let mail = Mail {
        to: to.to_owned(),
        subject: "Hello\r\nBcc: evil@example.com".to_owned(),
        text: "Text\n.\nmore".to_owned(),
        about: about.map(UserId),
        ..Mail::default()
    };
    change(store, &actor, |change| queue(change, &mail)).await.unwrap();
}

fn waiting(store: &Store, tenant: u64) -> Vec<Queued> {
    QUEUE.scan(store, TenantId(tenant), false).map(|row| row.unwrap().1).collect()
}

fn now() -> u64 {
    trafficlab_shared::clock::wall_ns()
}

#[tokio::test]
async fn a_server_takes_what_waits_and_headers_stay_ours() {
    let (store, server) = (Store::in_memory().unwrap(), Server::start().await);
    put(&store, 1, "jane@example.com", None).await;
    put(&store, 2, "john@example.com", None).await;
    round(&store, &smtp(server.port), now()).await.unwrap();
    let taken = server.taken();
    let [one, two] = taken.as_slice() else { panic!("{taken:?}") };
    for (message, to) in [(one, "jane"), (two, "john")] {
        assert!(message.contains(&format!("RCPT TO:<{to}@example.com>")), "{message}");
        assert!(message.contains("MAIL FROM:<lab@example.com>") && message.matches("RCPT TO").count() == 1);
        assert!(!message.lines().any(|line| line.starts_with("Bcc:")), "{message}");
        assert!(message.trim_end().ends_with("more"), "the point alone did not end it: {message}");
    }
    assert_eq!((waiting(&store, 1).len(), waiting(&store, 2).len()), (0, 0));
    assert_eq!(LETTERS.scan(&store, TenantId(1), false).count(), 0);
    server.task.abort();
}

#[tokio::test]
async fn passing_refusals_are_tried_again_and_final_ones_are_not() {
    let (store, server) = (Store::in_memory().unwrap(), Server::start().await);
    let mailer = smtp(server.port);
    put(&store, 1, "jane@example.com", None).await;
    server.answer(&["451 later"]);
    let start = now();
    round(&store, &mailer, start).await.unwrap();
    let [queued] = waiting(&store, 1).try_into().unwrap();
    assert_eq!((queued.attempts, queued.failed_ns, queued.next_ns > start), (1, None, true));
    round(&store, &mailer, start + 1).await.unwrap();
    assert_eq!(waiting(&store, 1).first().map(|queued| queued.attempts), Some(1), "not before its time");
    round(&store, &mailer, queued.next_ns).await.unwrap();
    assert_eq!((waiting(&store, 1).len(), server.taken().len()), (0, 1));
    put(&store, 1, "jane@example.com", None).await;
    server.answer(&["550 never"]);
    round(&store, &mailer, now()).await.unwrap();
    let failed = waiting(&store, 1).first().and_then(|queued| queued.failed_ns).unwrap();
    round(&store, &mailer, failed + HOUR_NS).await.unwrap();
    assert_eq!((waiting(&store, 1).len(), server.taken().len()), (1, 1), "it stays to be seen");
    round(&store, &mailer, failed + KEPT_NS).await.unwrap();
    assert_eq!((waiting(&store, 1).len(), LETTERS.scan(&store, TenantId(1), false).count()), (0, 0));
    server.task.abort();
}

#[tokio::test]
async fn a_server_that_is_away_is_asked_once_a_round_and_for_a_day() {
    let store = Store::in_memory().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mailer = smtp(port);
    for _ in 0..3 {
        put(&store, 1, "jane@example.com", None).await;
    }
    round(&store, &mailer, now()).await.unwrap();
    let attempts: Vec<u32> = waiting(&store, 1).iter().map(|queued| queued.attempts).collect();
    assert_eq!(attempts, [1, 0, 0]);
    let mut at = now();
    for _ in 0..200 {
        round(&store, &mailer, at).await.unwrap();
        at += HOUR_NS / 4;
    }
    assert!(waiting(&store, 1).iter().all(|queued| queued.failed_ns.is_some() && queued.attempts < 120));
}

#[tokio::test]
async fn without_a_server_mails_are_files_and_those_of_the_erased_are_dropped() {
    let (store, folder) = (Store::in_memory().unwrap(), tempfile::tempdir().unwrap());
    put(&store, 1, "jane@example.com", Some(7)).await;
    put(&store, 1, "john@example.com", Some(8)).await;
    assert_eq!(about(&store, TenantId(1), UserId(7)).unwrap().len(), 1);
    let actor = Actor::system(TenantId(1), "test");
    change(&store, &actor, |change| Ok(forget(change, UserId(7))?)).await.unwrap();
    assert_eq!(LETTERS.scan(&store, TenantId(1), false).count(), 1);
    let mailer = mailer(&format!("data_dir = {:?}", folder.path()));
    round(&store, &mailer, now()).await.unwrap();
    let files: Vec<_> =
        std::fs::read_dir(folder.path().join("outbox")).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("To: john@example.com") && file.extension().is_some_and(|ending| ending == "eml"), "{text}");
    assert_eq!(waiting(&store, 1).len(), 0);
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_the_change() {
    let store = Store::in_memory().unwrap();
    let actor = Actor::system(TenantId(1), "test");
    let filled = |change: &mut Change<'_>| {
        let queued = Queued { about: None, until_ns: u64::MAX, attempts: 0, next_ns: 0, failed_ns: None };
        for key in 0..10_000 {
            change.put(&QUEUE, key, &queued)?;
        }
        Ok(())
    };
    change(&store, &actor, filled).await.unwrap();
    let refused = change(&store, &actor, |change| queue(change, &Mail::default())).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    let other = Actor::system(TenantId(2), "test");
    change(&store, &other, |change| queue(change, &Mail::default())).await.unwrap();
}
