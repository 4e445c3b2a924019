//! Sessions, pages and clocks of visitors, through the API and on the wire.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::{Api, Cluster, Entries};

const THINK_TIME: f64 = 1.5;

/// A server that keeps the heads of all requests, by `X-Synthetic-Id`.
struct Recorder {
    url: String,
    heads: Arc<Mutex<HashMap<String, String>>>,
    _accepting: JoinSet<()>,
}

impl Recorder {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::default();
        let mut accepting = JoinSet::new();
        let kept = Arc::clone(&heads);
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&kept)));
            }
        });
        Self { url, heads, _accepting: accepting }
    }
}

async fn answer(mut stream: TcpStream, heads: Arc<Mutex<HashMap<String, String>>>) {
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await.is_ok_and(|read| read > 0) {
        while let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(received.drain(..end + 4).collect()).unwrap();
            let id = header(&head, "X-Synthetic-Id").unwrap().to_owned();
            heads.lock().unwrap().insert(id, head);
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
                return;
            }
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(own, _)| *own == name).map(|(_, value)| value)
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {entry}"))
}

fn session(target: Option<&str>, config: &Value) -> Value {
    let mut session = json!({
        "requests_per_minute": 6_000,
        "duration_minutes": 0.125,
        "geo_locations": ["Germany", "Japan"],
        "config": {"mode": "simulate", "seed": 4},
    });
    session["target_url"] = json!(target);
    for (key, value) in config.as_object().unwrap() {
        session["config"][key] = value.clone();
    }
    session
}

async fn finished(api: &Api, id: &str) -> Vec<Value> {
    api.wait_for(id, "completed", Duration::from_secs(60)).await;
    let entries = Entries::read(api, id).await;
    assert_eq!(entries.ids().len(), 750);
    entries.0
}

/// Entries of each session in the order of their pages.
fn by_session(entries: &[Value]) -> BTreeMap<&str, Vec<&Value>> {
    let mut sessions: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for entry in entries {
        sessions.entry(text(entry, "session_id")).or_default().push(entry);
    }
    for entries in sessions.values_mut() {
        entries.sort_by_key(|entry| entry["page_number"].as_u64());
    }
    sessions
}

fn seconds(entry: &Value) -> f64 {
    let moment = text(entry, "scheduled_at");
    let clock: Vec<f64> = moment[11..26].split(':').map(|part| part.parse().unwrap()).collect();
    clock[0] * 3_600.0 + clock[1] * 60.0 + clock[2]
}

/// One identity per session, pages that count from 1, and think times around the mean.
fn must_be_sessions(entries: &[Value]) {
    const IDENTITY: [&str; 8] =
        ["ip_address", "user_agent", "language", "country", "city", "latitude", "device_model", "user_profile"];
    let sessions = by_session(entries);
    let mut gaps = Vec::new();
    let mut unseen = 0;
    for visits in sessions.values() {
        for pair in visits.windows(2) {
            for name in IDENTITY {
                assert_eq!(pair[0][name], pair[1][name], "`{name}` changes: {} {}", pair[0], pair[1]);
            }
            let pages = pair[1]["page_number"].as_u64().unwrap() - pair[0]["page_number"].as_u64().unwrap();
            assert!(pages > 0, "{} {}", pair[0], pair[1]);
            unseen += pages - 1;
            // A run may end behind midnight.
            let gap = (seconds(pair[1]) - seconds(pair[0])).rem_euclid(86_400.0);
            gaps.push(gap);
        }
        assert!(visits[0]["page_number"] == 1, "{}", visits[0]);
    }
    assert!(gaps.len() > 300 && sessions.len() > 150, "{} sessions, {} gaps", sessions.len(), gaps.len());
    assert_eq!(unseen, 0, "even arrivals leave no page out");
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((mean / THINK_TIME - 1.0).abs() < 0.15, "{mean}");
}

#[tokio::test]
async fn visitors_browse_with_one_identity() {
    let recorder = Recorder::start().await;
    let cluster = Cluster::with_workers(2).await;
    let api = &cluster.api;
    let sessions = json!({"think_time": THINK_TIME, "pages": 4, "paths": [
        {"path": "/", "entry": true}, {"path": "/item/{{random_int:1,999}}?lang={{language}}", "weight": 9}]});
    let drawn = session(Some("https://shop.example.com/"), &json!({ "sessions": sessions }));
    let headers = json!({"X-Session": "{{session_id}}/{{page}}", "X-Path": "{{path}}"});
    let sent = session(Some(&recorder.url), &json!({"mode": "http", "sessions": sessions, "headers": headers}));
    let daily = session(None, &json!({"daily": {"start_hour": 19}}));
    let (drawn, _) = api.start(&drawn).await;
    let (sent, _) = api.start(&sent).await;
    let (daily, _) = api.start(&daily).await;

    let drawn = finished(api, &drawn).await;
    must_be_sessions(&drawn);
    for entry in &drawn {
        let path = text(entry, "url").strip_prefix("https://shop.example.com").unwrap();
        assert_eq!(path == "/", entry["page_number"] == 1 || !path.starts_with("/item/"), "{entry}");
    }

    let sent = finished(api, &sent).await;
    must_be_sessions(&sent);
    must_be_on_the_wire(&recorder.url, &sent, &recorder.heads.lock().unwrap());

    // Evening in Germany, and four in the morning in Japan.
    let daily = finished(api, &daily).await;
    let awake = daily.iter().filter(|entry| entry["country"] == "DE").count();
    assert!((500..700).contains(&awake), "{awake}");
    assert!(daily.iter().all(|entry| entry.get("session_id").is_none()));
}

/// What the target saw is what the entries say, and each page names the one before.
fn must_be_on_the_wire(url: &str, entries: &[Value], heads: &HashMap<String, String>) {
    for visits in by_session(entries).values() {
        let mut last: Option<String> = None;
        for entry in visits {
            let head = &heads[text(entry, "id")];
            let path = head.split(' ').nth(1).unwrap();
            assert_eq!(format!("{url}{path}"), text(entry, "url"));
            assert_eq!(header(head, "X-Path"), Some(path));
            let page = format!("{}/{}", text(entry, "session_id"), entry["page_number"]);
            assert_eq!(header(head, "X-Session"), Some(page.as_str()));
            assert_eq!(header(head, "User-Agent"), entry["user_agent"].as_str());
            assert_eq!(header(head, "Referer"), last.as_deref());
            let language = header(head, "Accept-Language").unwrap();
            assert!(language.starts_with(text(entry, "language")) && language.contains(";q="), "{head}");
            let hints = head.contains("\r\nSec-CH-UA: ");
            assert_eq!(hints, head.contains("\r\nSec-CH-UA-Platform: "), "{head}");
            assert!(!(hints && text(entry, "browser") == "Safari"), "{head}");
            last = Some(format!("{url}{path}"));
        }
    }
}

#[tokio::test]
async fn what_sessions_cannot_be_is_refused() {
    let cluster = Cluster::with_workers(1).await;
    let cases = [
        (json!({"sessions": {"think_time": 0}}), "config.sessions.think_time"),
        (json!({"sessions": {"paths": ["no slash"]}}), "config.sessions.paths[0]"),
        (json!({"daily": {"hours": [1]}}), "config.daily.hours"),
        (json!({"headers": {"X-User": "{{csv:user}}"}}), "config.headers.X-User"),
    ];
    for (config, field) in cases {
        let answer = cluster.api.post("/api/sessions/", &session(None, &config)).await.expect(400);
        assert!(answer.to_string().contains(field), "{answer}");
    }
}
