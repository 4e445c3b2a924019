//! Visits when the server is killed under load and when the broker is away: what was answered is there, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::harness::{Api, Cluster, eventually, soon};

const CLIENTS: u64 = 16;
const KILLS: u64 = 5;
/// Answers between two kills.
const BETWEEN: u64 = 150;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What the clients share.
#[derive(Debug, Default)]
struct Load {
    answered: AtomicU64,
    over: AtomicBool,
}

/// The pages one client sent: answered with 200, and those whose answer never came.
#[derive(Debug, Default)]
struct Sent {
    answered: Vec<String>,
    unsure: Vec<String>,
}

fn visit(user: &str, page: &str) -> Value {
    json!({"user_id": user, "page_url": format!("https://shop.example{page}"), "user_agent": AGENT})
}

/// Sends one visit; none when no answer came. Any answer but 200 is a fault, also while the server stops.
async fn once(api: &Api, body: &Value) -> Option<u64> {
    let answer = api.send(reqwest::Method::POST, "/visit", Some(body)).await.ok()?.expect(200);
    answer["visit_count"].as_u64()
}

/// One visit after the other, each on its own page, until the load is over. With `repeat` a visit has an id and is sent
/// until it is answered; without it is sent once.
async fn client(api: Api, load: Arc<Load>, name: String, repeat: bool) -> Sent {
    let mut sent = Sent::default();
    for number in 0_u64.. {
        if load.over.load(Ordering::Relaxed) {
            break;
        }
        let page = format!("/{name}/{number}");
        let mut body = visit(&name, &page);
        if repeat {
            body["event_id"] = json!(page);
        }
        let mut answer = once(&api, &body).await;
        while answer.is_none() && repeat {
            sleep(Duration::from_millis(5)).await;
            answer = once(&api, &body).await;
        }
        if answer.is_some() {
            load.answered.fetch_add(1, Ordering::Relaxed);
            sent.answered.push(page);
        } else {
            sent.unsure.push(page);
            // Not a wait for anything: a server that is down refuses at once, and the list would grow without bound.
            sleep(Duration::from_millis(5)).await;
        }
    }
    sent
}

/// How often each page of the shop is stored.
async fn stored(api: &Api) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for page in 1.. {
        let query = "site_id=shop.example&period=all&property=event:page&metrics=pageviews&limit=1000";
        let answer = api.get(&format!("/api/visits/breakdown?{query}&page={page}")).await.expect(200);
        let rows = answer["results"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let before = found.insert(row["page"].as_str().unwrap().to_owned(), row["pageviews"].as_u64().unwrap());
            assert_eq!(before, None, "{row} is on two pages of the list");
        }
    }
    found
}

async fn total(api: &Api) -> u64 {
    api.get("/stats").await.expect(200)["total_visits"].as_u64().unwrap()
}

async fn more_answers(load: &Load, more: u64) {
    let wanted = load.answered.load(Ordering::Relaxed) + more;
    let enough = async || (load.answered.load(Ordering::Relaxed) >= wanted).then_some(());
    eventually(Duration::from_secs(60), &format!("{more} more answers"), enough).await;
}

#[tokio::test]
async fn every_answered_visit_survives_kills_under_load_and_none_is_there_twice() {
    let mut cluster = Cluster::with_workers(0).await;
    let load = Arc::new(Load::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let repeat = number % 2 == 0;
        let name = format!("{}-{number}", if repeat { "with" } else { "without" });
        clients.spawn(client(cluster.api.clone(), Arc::clone(&load), name, repeat));
    }
    for kill in 0..KILLS {
        more_answers(&load, BETWEEN + kill * 37).await;
        cluster.coordinator.kill();
        cluster.coordinator.up();
    }
    more_answers(&load, BETWEEN).await;
    load.over.store(true, Ordering::Relaxed);
    let sent = clients.join_all().await;
    cluster.ready().await;

    let mut stored = stored(&cluster.api).await;
    let sum: u64 = stored.values().sum();
    assert_eq!(total(&cluster.api).await, sum, "the counter is the number of stored visits");
    let (mut answered, mut kept) = (0, 0);
    for page in sent.iter().flat_map(|client| &client.answered) {
        assert_eq!(stored.remove(page), Some(1), "{page} was answered with 200");
        answered += 1;
    }
    for page in sent.iter().flat_map(|client| &client.unsure) {
        let times = stored.remove(page).unwrap_or(0);
        assert!(times <= 1, "{page} was sent once and is there {times} times");
        kept += times;
    }
    assert!(stored.is_empty(), "nobody sent {stored:?}");
    assert!(answered >= KILLS * BETWEEN && answered + kept == sum, "{answered} {kept} {sum}");
    assert_eq!(once(&cluster.api, &visit("last", "/last")).await, Some(sum + 1), "the count goes on");
}

#[tokio::test]
async fn without_the_broker_visits_are_taken_and_shown() {
    let mut cluster = Cluster::with_workers(0).await;
    assert_eq!(once(&cluster.api, &visit("anna", "/")).await, Some(1));
    cluster.broker.kill();
    let degraded = async || (cluster.api.get("/health").await.body["status"] == "degraded").then_some(());
    soon("the coordinator noticing", degraded).await;
    assert_eq!(once(&cluster.api, &visit("anna", "/cart")).await, Some(2));
    let query = "site_id=shop.example&period=all&metrics=visitors,pageviews";
    let figures = cluster.api.get(&format!("/api/visits/aggregate?{query}")).await.expect(200);
    assert_eq!(
        (&figures["results"]["visitors"]["value"], &figures["results"]["pageviews"]["value"]),
        (&json!(1), &json!(2))
    );

    cluster.coordinator.kill();
    cluster.coordinator.up();
    let up = async || cluster.api.try_get("/stats").await.ok().map(drop);
    soon("a coordinator without a broker", up).await;
    assert_eq!(once(&cluster.api, &visit("anna", "/paid")).await, Some(3));
    assert_eq!(total(&cluster.api).await, 3);
    cluster.broker.up().await;
    cluster.ready().await;
    let pages = [("/", 1), ("/cart", 1), ("/paid", 1)].map(|(page, times)| (page.to_owned(), times));
    assert_eq!(stored(&cluster.api).await, BTreeMap::from(pages));
}
