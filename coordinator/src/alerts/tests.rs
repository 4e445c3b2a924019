//! From stored anomalies to calls of a real server on this machine, which refuses, accepts, is away and comes back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, reason = "test code")]

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use trafficlab_shared::config::{Purpose, Sources};
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};

use super::*;
use crate::store::Batch;
use crate::store::alerts::{ALERT_LOG, ALERT_OUTBOX, DeliveryStatus};
use crate::store::captures::{ANOMALIES, CAPTURES, Capture};

const WITHIN: Duration = Duration::from_secs(30);

/// A server that gives the scripted answers, then 200, and keeps the bodies.
struct Receiver {
    listener: TcpListener,
    script: Mutex<Vec<&'static str>>,
    bodies: Mutex<Vec<Value>>,
}

impl Receiver {
    async fn on(address: &str, script: &[&'static str]) -> Self {
        let mut script = script.to_vec();
        script.reverse();
        let listener = TcpListener::bind(address).await.unwrap();
        Self { listener, script: Mutex::new(script), bodies: Mutex::default() }
    }

    fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }

    async fn serve(&self) {
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut read = Vec::new();
            let body = loop {
                let mut part = [0; 4096];
                let count = stream.read(&mut part).await.unwrap();
                read.extend_from_slice(&part[..count]);
                let text = String::from_utf8_lossy(&read).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                    if body.len() >= length.parse::<usize>().unwrap() {
                        break body.to_owned();
                    }
                }
                assert!(count > 0, "the request ended early: {text}");
            };
            self.bodies.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            let head = self.script.lock().unwrap().pop().unwrap_or("200 OK\r\n");
            let answer = format!("HTTP/1.1 {head}Content-Length: 2\r\nConnection: close\r\n\r\nno");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

fn alerts(address: &str, more: &str) -> Arc<Alerts> {
    alerts_with(address, more, "first_retry = \"20ms\"\nlongest_retry = \"50ms\"")
}

fn alerts_with(address: &str, more: &str, keys: &str) -> Arc<Alerts> {
    let hook = format!("{{ name = \"own\", kind = \"webhook\", url = \"http://{address}/hook\", {more} }}");
    let flags = format!("[alerts]\nhooks = [{hook}]\n{keys}\n[outbound]\nallow_private = true").parse().unwrap();
    let config = Config::load(&Sources { flags, ..Sources::default() }, Purpose::Worker).unwrap();
    Arc::new(Alerts::new(&config).unwrap())
}

fn capture(id: &str, live: bool) -> Capture {
    let source = if live {
        json!({"kind": "live", "spec": {"interface": "eth0"}})
    } else {
        json!({"kind": "upload", "file_name": "a.pcap", "path": "", "bytes": 1})
    };
    serde_json::from_value(json!({
        "id": id, "name": "n", "source": source, "state": "running", "settings": {}, "created_ns": 1,
        "analysis_job": format!("job-{id}"), "anomaly_job": format!("job-{id}"),
    }))
    .unwrap()
}

/// Stores a capture with anomalies of these hosts, numbered from `from`.
fn store_anomalies(store: &Store, capture: &Capture, from: u64, hosts: &[&str]) {
    let mut batch = Batch::new();
    CAPTURES.put(&mut batch, &capture.id, capture).unwrap();
    for (number, host) in (from..).zip(hosts) {
        let found = Anomaly {
            kind: AnomalyKind::PortScan,
            flow_src: Some((*host).to_owned()),
            window_index: i64::try_from(number).unwrap(),
            ..policy::sample(0).anomaly
        };
        ANOMALIES.put(&mut batch, &(capture.analysis_job.clone().unwrap(), number), &found).unwrap();
    }
    store.apply(batch).unwrap();
}

/// Looks at a capture, then delivers until the condition holds.
async fn deliver(alerts: &Alerts, store: &Store, receiver: &Receiver, done: impl Fn() -> bool) {
    let hook = alerts.config.hooks[0].clone();
    let reached = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = alerts.deliver(store, &hook) => unreachable!("delivering runs for ever"),
        () = receiver.serve() => unreachable!("serving runs for ever"),
        reached = tokio::time::timeout(WITHIN, reached) => reached.unwrap(),
    }
}

fn ended(store: &Store) -> Vec<(DeliveryStatus, u32, Option<String>)> {
    let rows = ALERT_LOG.scan(store, false).map(|row| row.unwrap().1);
    rows.map(|row| (row.status, row.alert.attempts, row.alert.error)).collect()
}

fn waiting(store: &Store) -> usize {
    ALERT_OUTBOX.scan(store, false).count()
}

#[tokio::test]
async fn a_receiver_that_refuses_at_first_gets_it_in_the_end() {
    let script = ["503 Service Unavailable\r\n", "429 Too Many Requests\r\nRetry-After: 0\r\n"];
    let receiver = Receiver::on("127.0.0.1:0", &script).await;
    let (store, capture) = (Store::in_memory().unwrap(), capture("c1", true));
    let alerts = alerts(&receiver.address(), "");
    alerts.begin(&store).await.unwrap();
    store_anomalies(&store, &capture, 0, &["192.0.2.1"]);
    alerts.look_at(&store, "c1").await.unwrap();
    assert_eq!(waiting(&store), 1);
    deliver(&alerts, &store, &receiver, || ended(&store).len() == 1).await;
    assert_eq!(ended(&store), [(DeliveryStatus::Delivered, 3, None)]);
    assert_eq!(waiting(&store), 0);
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 3);
    // The same finding has the same name in every attempt.
    assert!(bodies.iter().all(|body| body["id"] == bodies[0]["id"]));
    assert_eq!(bodies[0]["anomaly"]["flow_src"], "192.0.2.1");
    assert_eq!(alerts.counts["own"].retried.load(Ordering::Relaxed), 2);
    // Nothing is told twice.
    alerts.look_at(&store, "c1").await.unwrap();
    assert_eq!(waiting(&store), 0);
}

#[tokio::test]
async fn what_was_not_delivered_outlives_the_process() {
    let away = Receiver::on("127.0.0.1:0", &[]).await;
    let address = away.address();
    drop(away);
    let store = Store::in_memory().unwrap();
    let first = alerts(&address, "");
    first.begin(&store).await.unwrap();
    store_anomalies(&store, &capture("c1", true), 0, &["192.0.2.1", "192.0.2.2"]);
    first.look_at(&store, "c1").await.unwrap();
    let hook = first.config.hooks[0].clone();
    let retried = || first.counts["own"].retried.load(Ordering::Relaxed);
    let tried = async {
        while retried() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = first.deliver(&store, &hook) => unreachable!("delivering runs for ever"),
        tried = tokio::time::timeout(WITHIN, tried) => tried.unwrap(),
    }
    drop(first);
    let receiver = Receiver::on(&address, &[]).await;
    let second = alerts(&address, "");
    second.begin(&store).await.unwrap();
    second.look_at_all(&store).await.unwrap();
    deliver(&second, &store, &receiver, || ended(&store).len() == 2).await;
    let hosts: Vec<Value> = receiver.bodies().iter().map(|body| body["anomaly"]["flow_src"].clone()).collect();
    assert_eq!(hosts, ["192.0.2.1", "192.0.2.2"]);
    assert!(ended(&store)[0].1 >= 3, "{:?}", ended(&store));
}

#[tokio::test]
async fn the_quiet_period_keeps_repetitions_back_and_counts_them() {
    let receiver = Receiver::on("127.0.0.1:0", &[]).await;
    let (store, capture) = (Store::in_memory().unwrap(), capture("c1", true));
    let alerts = alerts(&receiver.address(), "quiet_period = \"1s\"");
    alerts.begin(&store).await.unwrap();
    store_anomalies(&store, &capture, 0, &["192.0.2.1", "192.0.2.1", "192.0.2.9", "192.0.2.1"]);
    alerts.look_at(&store, "c1").await.unwrap();
    assert_eq!(waiting(&store), 2);
    assert_eq!(alerts.counts["own"].suppressed.load(Ordering::Relaxed), 2);
    deliver(&alerts, &store, &receiver, || ended(&store).len() == 2).await;
    // When the period is over the next one tells how many were kept back.
    let over = clock::wall_ns() + 1_000_000_000;
    deliver(&alerts, &store, &receiver, || clock::wall_ns() > over).await;
    store_anomalies(&store, &capture, 4, &["192.0.2.1"]);
    alerts.look_at(&store, "c1").await.unwrap();
    deliver(&alerts, &store, &receiver, || ended(&store).len() == 3).await;
    assert_eq!(receiver.bodies()[2]["suppressed"], 2);
}

#[tokio::test]
async fn a_refusal_is_not_repeated_and_patience_ends() {
    let receiver = Receiver::on("127.0.0.1:0", &["400 Bad Request\r\n", "500 X\r\n", "500 X\r\n", "500 X\r\n"]).await;
    let store = Store::in_memory().unwrap();
    let keys = "first_retry = \"10ms\"\nlongest_retry = \"10ms\"\nattempts = 3";
    let alerts = alerts_with(&receiver.address(), "", keys);
    alerts.begin(&store).await.unwrap();
    store_anomalies(&store, &capture("c1", true), 0, &["192.0.2.1", "192.0.2.2"]);
    alerts.look_at(&store, "c1").await.unwrap();
    deliver(&alerts, &store, &receiver, || ended(&store).len() == 2).await;
    let reason = |status| Some(format!("it answered {status}: no"));
    let failed = DeliveryStatus::Failed;
    assert_eq!(ended(&store), [(failed, 1, reason(400)), (failed, 3, reason(500))]);
    assert_eq!(waiting(&store), 0);
}

#[tokio::test]
async fn too_many_waiting_alerts_drop_the_oldest() {
    let store = Store::in_memory().unwrap();
    let alerts = alerts_with("127.0.0.1:9", "", "pending = 2");
    alerts.begin(&store).await.unwrap();
    let hosts: Vec<String> = (0..250).map(|host| format!("192.0.2.{host}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    store_anomalies(&store, &capture("c1", true), 0, &hosts);
    alerts.look_at(&store, "c1").await.unwrap();
    let left: Vec<_> = ALERT_OUTBOX.scan(&store, false).map(|row| row.unwrap().1.anomaly.flow_src.unwrap()).collect();
    assert_eq!(left, ["192.0.2.248", "192.0.2.249"]);
    assert_eq!(alerts.counts["own"].dropped.load(Ordering::Relaxed), 248);
    let remembered = ended(&store);
    assert_eq!(remembered.len(), deliver::REMEMBERED);
    assert!(remembered.iter().all(|(status, ..)| *status == DeliveryStatus::Dropped));
}

#[tokio::test]
async fn only_what_is_found_after_hooks_are_wanted_is_told() {
    let store = Store::in_memory().unwrap();
    let (live, file) = (capture("c1", true), capture("c2", false));
    store_anomalies(&store, &live, 0, &["192.0.2.1", "192.0.2.2"]);
    let alerts = alerts("127.0.0.1:9", "");
    alerts.begin(&store).await.unwrap();
    alerts.look_at_all(&store).await.unwrap();
    assert_eq!(waiting(&store), 0);
    store_anomalies(&store, &live, 2, &["192.0.2.3"]);
    store_anomalies(&store, &file, 0, &["192.0.2.4"]);
    alerts.look_at_all(&store).await.unwrap();
    let rows: Vec<_> = ALERT_OUTBOX.scan(&store, false).map(|row| row.unwrap().1.anomaly.flow_src.unwrap()).collect();
    // The file's are for hooks with `files = true`.
    assert_eq!(rows, ["192.0.2.3"]);
    let files = self::alerts("127.0.0.1:9", "files = true, types = [\"port_scan\"], severities = [\"medium\"]");
    store_anomalies(&store, &file, 1, &["192.0.2.5"]);
    files.look_at_all(&store).await.unwrap();
    assert_eq!(waiting(&store), 2);
}

#[tokio::test]
async fn quiet_hours_hold_alerts_back() {
    let receiver = Receiver::on("127.0.0.1:0", &[]).await;
    let store = Store::in_memory().unwrap();
    let minute = clock::wall_ns() / 60_000_000_000 % 1440;
    let hour = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let now = format!("quiet_hours = \"{}-{}\"", hour((minute + 1380) % 1440), hour((minute + 60) % 1440));
    let quiet = alerts(&receiver.address(), &now);
    quiet.begin(&store).await.unwrap();
    store_anomalies(&store, &capture("c1", true), 0, &["192.0.2.1"]);
    quiet.look_at(&store, "c1").await.unwrap();
    let step = quiet.step(&store, &quiet.config.hooks[0]).unwrap();
    assert!(matches!(step, deliver::Step::Wait(Some(nap)) if nap > Duration::from_secs(3000)));
    // The hook itself can be tried at any time.
    let hook = quiet.config.hooks[0].clone();
    tokio::select! {
        () = receiver.serve() => unreachable!("serving runs for ever"),
        sent = quiet.test(&hook) => assert_eq!(sent, Sent::Delivered),
    }
    assert_eq!(receiver.bodies()[0]["capture"]["id"], "test");
}
