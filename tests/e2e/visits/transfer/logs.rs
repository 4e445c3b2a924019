//! Access logs of nginx, Apache and Caddy become visits; nothing of them counts twice.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{CHROME, FIREFOX, SITE, figure, import, noon, over, pageviews_by, send};
use crate::e2e::visits::tracker;
use crate::harness::eventually;

/// Client, seconds after noon of yesterday, target, status, referrer, user agent.
type Request = (&'static str, i64, &'static str, u16, &'static str, &'static str);

/// Two people and a crawler: five page views of people in three visits of theirs, and what is none.
const REQUESTS: [Request; 10] = [
    ("192.0.2.1", 0, "/", 200, "https://www.google.com/search?q=x", FIREFOX),
    ("192.0.2.1", 1, "/style.css", 200, "-", FIREFOX),
    ("192.0.2.1", 60, "/shoes?size=42&utm_source=letter", 200, "https://shop.example/", FIREFOX),
    ("192.0.2.2", 61, "/", 304, "-", CHROME),
    ("192.0.2.2", 62, "/missing", 404, "-", CHROME),
    ("192.0.2.2", 63, "/shoes", 200, "-", CHROME),
    ("192.0.2.9", 64, "/", 200, "-", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    ("192.0.2.2", 65, "/old", 301, "-", CHROME),
    ("192.0.2.1", 4000, "/", 200, "-", FIREFOX),
    ("192.0.2.1", 4001, "/logo.png", 200, "-", FIREFOX),
];

fn moment(seconds: i64) -> Timestamp {
    noon(1).checked_add(seconds.seconds()).unwrap()
}

fn stamp(seconds: i64) -> String {
    moment(seconds).to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// The log, with two lines in its middle that are none.
fn log(line: impl Fn(&Request) -> String) -> String {
    let mut lines: Vec<String> = REQUESTS.iter().map(line).collect();
    lines.insert(5, "\u{0}\u{1} what a crash left".to_owned());
    lines.insert(6, "192.0.2.1 - - [yesterday] \"GET / HTTP/1.1\" 200 12".to_owned());
    lines.join("\n") + "\n"
}

fn combined((client, seconds, target, status, referrer, agent): &Request) -> String {
    format!(r#"{client} - - [{}] "GET {target} HTTP/1.1" {status} 512 "{referrer}" "{agent}""#, stamp(*seconds))
}

fn vhost(request: &Request) -> String {
    format!("www.shop.example:443 {}", combined(request))
}

fn caddy((client, seconds, target, status, referrer, agent): &Request) -> String {
    let mut headers = json!({"User-Agent": [agent]});
    if *referrer != "-" {
        headers["Referer"] = json!([referrer]);
    }
    json!({
        "level": "info",
        "ts": moment(*seconds).as_second() as f64 + 0.25,
        "logger": "http.log.access.log0",
        "msg": "handled request",
        "request": {"remote_ip": client, "remote_port": "4711", "client_ip": client, "proto": "HTTP/2.0",
            "method": "GET", "host": "shop.example", "uri": target, "headers": headers},
        "bytes_read": 0, "duration": 0.001, "size": 512, "status": status,
    })
    .to_string()
}

fn must_be_whole(import: &Value) {
    assert_eq!((&import["status"], &import["error"]), (&json!("done"), &Value::Null), "{import}");
    assert_eq!((&import["lines"], &import["accepted"], &import["skipped_total"]), (&json!(12), &json!(6), &json!(6)));
    assert_eq!((&import["progress"], &import["bytes_read"]), (&json!(1.0), &import["bytes"]));
    let skipped = import["skipped"].as_array().unwrap();
    let of = |reason: &str| skipped.iter().find(|one| one["reason"] == reason).unwrap();
    assert_eq!((&of("no_page_view")["count"], &of("unreadable")["count"]), (&json!(4), &json!(2)), "{import}");
    let lines: Vec<_> = of("unreadable")["examples"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!(lines, [6, 7]);
}

#[tokio::test]
async fn logs_of_three_servers_become_the_same_visits() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    let site = format!("site_id={SITE}&format");
    let logs = [
        (format!("{site}=nginx&name=access.log"), log(combined)),
        ("format=apache".to_owned(), log(vhost)),
        ("".to_owned(), log(caddy)),
    ];
    for (round, (query, log)) in (1_u64..).zip(logs) {
        must_be_whole(&import(api, &query, log).await);
        let total = api.get("/stats").await.expect(200);
        assert_eq!((&total["total_visits"], &total["bot_visits"]), (&json!(6 * round), &json!(round)));
        // They were long ago.
        assert_eq!(total["recent_visits"], 0);
        // Visitors of two imports are never the same.
        assert_eq!(figure(api, "visitors", "").await, 2 * round);
        assert_eq!(figure(api, "visits", "").await, 3 * round);
        assert_eq!(figure(api, "pageviews", "").await, 5 * round);
        assert_eq!(figure(api, "pageviews", "&bots=only").await, round);
        assert_eq!(pageviews_by(api, "event:page").await, [("/".into(), 3 * round), ("/shoes".into(), 2 * round)]);
        assert_eq!(pageviews_by(api, "visit:browser").await.len(), 2);
        let sources = pageviews_by(api, "visit:source").await;
        assert!(sources.contains(&("Google".into(), 2 * round)), "{sources:?}");
    }
    let listed = api.get("/api/visits/imports?limit=2").await.expect(200);
    assert_eq!((&listed["total"], listed["imports"].as_array().unwrap().len()), (&json!(3), 2));
    assert_eq!(listed["imports"][1]["format"], "apache");
    assert_eq!(api.get("/api/visits/import/none").await.status, 404);
}

#[tokio::test]
async fn a_file_counts_once_and_goes_as_a_whole() {
    let mut cluster = tracker(&[]).await;
    let query = format!("site_id={SITE}");
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(log(combined).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let dry = import(&cluster.api, &format!("{query}&dry_run=true"), packed.clone()).await;
    must_be_whole(&dry);
    assert_eq!(figure(&cluster.api, "pageviews", "").await, 0);

    let first = import(&cluster.api, &query, packed.clone()).await;
    must_be_whole(&first);
    let refused = send(&cluster.api, &query, packed.clone()).await.expect(409);
    assert_eq!(refused["import_id"], first["import_id"]);
    assert_eq!(figure(&cluster.api, "pageviews", "").await, 5);
    let again = import(&cluster.api, &format!("{query}&again=true"), packed.clone()).await;
    must_be_whole(&again);
    assert_eq!(figure(&cluster.api, "pageviews", "").await, 10);

    cluster.restart_coordinator().await;
    let api = &cluster.api;
    assert_eq!(figure(api, "pageviews", "").await, 10);
    let path = format!("/api/visits/import/{}", first["import_id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.expect(200)["accepted"], 6);
    api.delete(&path).await.expect(200);
    api.delete(&path).await.expect(404);
    assert_eq!(figure(api, "pageviews", "").await, 5);
    // What is gone may come again, since the other one was asked for twice.
    assert_eq!(send(api, &query, packed).await.status, 409);
}

/// Many lines of one day.
fn long(lines: u32) -> String {
    let line = |number: u32| {
        let client = format!("198.51.{}.{}", number / 250 % 250, number % 250);
        let seconds = i64::from(number % 36_000);
        format!(r#"{client} - - [{}] "GET /p{} HTTP/1.1" 200 9 "-" "{FIREFOX}""#, stamp(seconds), number % 50)
    };
    (0..lines).map(|number| line(number) + "\n").collect()
}

#[tokio::test]
async fn a_cancelled_and_an_interrupted_import_leave_nothing() {
    let mut cluster = tracker(&[]).await;
    let query = format!("site_id={SITE}&format=nginx");
    let log = long(20_000);
    let queued = send(&cluster.api, &query, log.clone().into_bytes()).await.expect(202);
    let path = format!("/api/visits/import/{}", queued["import_id"].as_str().unwrap());
    cluster.api.delete(&path).await.expect(200);
    assert_eq!(cluster.api.get(&path).await.status, 404);
    assert_eq!(figure(&cluster.api, "pageviews", "").await, 0);

    let queued = send(&cluster.api, &query, log.into_bytes()).await.expect(202);
    let id = queued["import_id"].as_str().unwrap();
    let path = format!("/api/visits/import/{id}");
    let begun = async || {
        let status = cluster.api.get(&path).await.expect(200);
        (status["status"] != "queued").then_some(())
    };
    eventually(super::WITHIN, "the beginning of an import", begun).await;
    cluster.restart_coordinator().await;
    let ended = over(&cluster.api, id).await;
    let counted = figure(&cluster.api, "pageviews", "").await;
    if ended["status"] == "done" {
        assert_eq!(counted, 20_000, "{ended}");
    } else {
        assert!(ended["error"].as_str().unwrap().contains("restart"), "{ended}");
        assert_eq!(counted, 0, "{ended}");
    }
}

#[tokio::test]
async fn other_files_are_refused_with_the_reason() {
    let cluster = tracker(&[("TRACKER__SITES", "[\"shop.example\"]")]).await;
    let api = &cluster.api;
    let ended = import(api, "", "neither a log\nnor a table\n").await;
    assert!(ended["status"] == "failed" && ended["error"].as_str().unwrap().contains("access log"), "{ended}");
    // A log that does not say its hosts.
    let ended = import(api, "", log(combined)).await;
    assert_eq!((&ended["accepted"], &ended["skipped"][0]["reason"]), (&json!(0), &json!("no_host")), "{ended}");
    // One that says hosts which are not counted here.
    let ended = import(api, "", vhost(&REQUESTS[0]).replace("shop.example", "other.example") + "\n").await;
    assert_eq!(ended["skipped"][0]["reason"], "unknown_site", "{ended}");
    assert_eq!(send(api, "site_id=other.example", b"x".to_vec()).await.status, 404);
    let empty = send(api, "", Vec::new()).await.expect(422);
    assert_eq!(empty["details"][0]["field"], "file");
    let siteless = send(api, "format=plausible", b"x".to_vec()).await.expect(422);
    assert_eq!(siteless["details"][0]["field"], "site_id");
    assert_eq!(send(api, "format=iis", b"x".to_vec()).await.status, 422);
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 0);
}
