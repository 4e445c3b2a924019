//! How fast visits become durable: `cargo bench -p trafficlab-coordinator --bench visit_store -- [FOLDER] [MILLIONS]`
//! prints one line a figure. Under `taskset -c 0` it is what one core does, the writer's thread and sealing included.
//!
//! The folder (a temporary one unless named) should lie on the disk that is meant.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a program for people who measure")]

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use trafficlab_coordinator::store::Store;
use trafficlab_coordinator::visits::store::{Arrival, Recorded, VisitStore};
use trafficlab_engine::visit::record::{Acquisition, Agent, Page, Visit};
use trafficlab_shared::clock;

/// Connections of single visits.
const CONNECTIONS: u64 = 64;
/// Visits of a batch.
const BATCH: u64 = 500;
/// Batches that are under way at once.
const BATCHES: u64 = 4;
const ROUND: Duration = Duration::from_secs(4);
const DAYS: u64 = 30;
const DAY_MS: i64 = 86_400_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = arguments.next().map_or_else(|| temporary.path().to_path_buf(), Into::into);
    let millions: u64 = arguments.next().map_or(10, |text| text.parse().expect("a number of millions"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&folder, millions));
}

async fn measure(folder: &Path, millions: u64) {
    let open = || {
        let kv = Store::open(&folder.join("kv")).expect("the key-value store");
        std::fs::create_dir_all(folder.join("visits")).expect("a folder");
        VisitStore::open(&folder.join("visits"), kv).expect("the store of visits")
    };
    let store = open();
    let names = Names::new();
    let keeper = JoinSet::from_iter([run(store.clone())]);
    for (what, tasks, batch) in [("single visits", CONNECTIONS, 1), ("batches of 500", BATCHES, BATCH)] {
        let before = cpu_seconds();
        let (done, seconds) = rate(&store, &names, tasks, batch).await;
        let cpu = (cpu_seconds() - before) / done * 1e6;
        println!("{what}, {tasks} at once: {:.0}/s, {cpu:.2} s of processor time for a million", done / seconds);
    }
    fill(&store, &names, millions * 1_000_000).await;
    drop(keeper);
    let begun = Instant::now();
    let own = store.clone();
    let merged = tokio::task::spawn_blocking(move || own.seal_now().and_then(|()| own.merge_now()));
    merged.await.expect("no panic").expect("a merge");
    println!("merging the rest: {:.2?}; files: {} MB", begun.elapsed(), store.disk_bytes().unwrap_or(0) / 1_000_000);
    println!("memory: {}", memory());
    for number in 0..200_000 {
        let recorded = store.record(&names.visit(number, now_ms()));
        if number % 20_000 == 0 || number == 199_999 {
            store.durable(recorded.ticket().expect("room")).await.expect("a write");
        }
    }
    let (counts, begun) = (store.counts(), Instant::now());
    for _ in 0..100_000 {
        std::hint::black_box(store.recent(now_ms(), 168 * 3_600_000 - 1234));
    }
    println!("recent, 168 h: {:.0} ns", begun.elapsed().as_secs_f64() * 1e4);
    drop(store);
    let begun = Instant::now();
    let store = open();
    println!("start with {} visits and a log: {:.2?}", store.counts().total, begun.elapsed());
    assert_eq!(store.counts(), counts);
}

/// How many visits became durable, one batch after the other on each of `tasks`, and in how many seconds.
async fn rate(store: &VisitStore, names: &Names, tasks: u64, batch: u64) -> (f64, f64) {
    let begun = Instant::now();
    let mut all = JoinSet::new();
    for task in 0..tasks {
        let (store, names) = (store.clone(), names.clone());
        all.spawn(async move {
            let mut done = 0;
            while begun.elapsed() < ROUND {
                put(&store, &names, task << 32 | done, batch, now_ms()).await;
                done += batch;
            }
            done
        });
    }
    let done: u64 = all.join_all().await.into_iter().sum();
    (f64::from(u32::try_from(done).unwrap_or(u32::MAX)), begun.elapsed().as_secs_f64())
}

/// Processor time of this process so far; the system counts it in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

async fn put(store: &VisitStore, names: &Names, first: u64, batch: u64, time_ms: i64) {
    let visits: Vec<Visit<'_>> = (first..first + batch).map(|number| names.visit(number, time_ms)).collect();
    let mut left = visits.as_slice();
    while !left.is_empty() {
        let recorded = store.record_all(left, Arrival::Live);
        let taken = recorded.iter().take_while(|recorded| !matches!(recorded, Recorded::Full)).count();
        for ticket in recorded.iter().filter_map(|recorded| recorded.ticket().ok()) {
            store.durable(ticket).await.expect("a write");
        }
        left = left.get(taken..).unwrap_or_default();
        if !left.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn fill(store: &VisitStore, names: &Names, visits: u64) {
    let begun = Instant::now();
    let today = now_ms();
    let per_day = visits / DAYS;
    for day in 0..DAYS {
        let start = today - i64::try_from(DAYS - day).unwrap_or(0) * DAY_MS;
        for first in (0..per_day).step_by(5000) {
            put(store, names, day * per_day + first, 5000, start).await;
        }
    }
    println!("{visits} visits over {DAYS} days: {:.1?}", begun.elapsed());
}

async fn run(store: VisitStore) {
    store.run().await;
}

/// Texts of made-up visits.
#[derive(Clone)]
struct Names {
    pages: Vec<String>,
    sources: Vec<String>,
    agents: Vec<String>,
}

impl Names {
    fn new() -> Self {
        let names = |prefix: &str, number: u64| (0..number).map(|at| format!("{prefix}{at}")).collect();
        Self {
            pages: names("/articles/some-page-", 5000),
            sources: names("source-", 200),
            agents: names("Browser ", 300),
        }
    }

    fn visit(&self, number: u64, time_ms: i64) -> Visit<'_> {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let pick = |texts: &'_ [String], shift: u32| -> usize {
            usize::try_from(mixed.rotate_left(shift) >> 33).unwrap_or(0) % texts.len().max(1)
        };
        Visit {
            time_ms,
            site: "a.example",
            visitor: (number / 4).wrapping_mul(0xd6e8_feb8_6659_fd93),
            page: Page { host: "a.example", path: self.pages.get(pick(&self.pages, 0)).map_or("", String::as_str) },
            agent: Agent {
                browser: self.agents.get(pick(&self.agents, 20)).map_or("", String::as_str),
                browser_version: "131",
                os: "Linux",
                os_version: "",
                device: "Desktop",
                bot: "",
            },
            acquisition: Acquisition {
                source: self.sources.get(pick(&self.sources, 40)).map_or("", String::as_str),
                channel: "Referral",
                ..Acquisition::default()
            },
            event: "pageview",
            ..Visit::default()
        }
    }
}

fn now_ms() -> i64 {
    i64::try_from(clock::wall_ns() / 1_000_000).unwrap_or(0)
}

/// What the system says of this process's memory now and at its highest.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
