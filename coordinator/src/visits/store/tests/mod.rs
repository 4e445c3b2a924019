//! The visit store on real files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod crash;
mod full_disk;
mod limits;
mod recovery;
mod remove;
mod together;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use trafficlab_engine::visit::column::Traffic;
use trafficlab_engine::visit::data::DAY_MS;
use trafficlab_engine::visit::record::{Agent, Page, Visit};
use trafficlab_engine::visit::view::for_each_row;

use super::*;

/// Noon of a day.
const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;
const SITE: &str = "a.example";

/// A store with a clock that is set by hand.
struct Bench {
    folder: tempfile::TempDir,
    kv: Store,
    clock: Arc<AtomicI64>,
    options: Options,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(NOON));
        let read = Arc::clone(&clock);
        let options = Options { clock: Arc::new(move || read.load(Ordering::Relaxed)), ..Options::default() };
        Self { folder: tempfile::tempdir().unwrap(), kv: Store::in_memory().unwrap(), clock, options }
    }

    fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    fn open(&self) -> VisitStore {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<VisitStore, VisitsError> {
        VisitStore::open_with(self.folder.path(), self.kv.clone(), self.options.clone())
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn logs(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("logs"), ".log")
    }

    fn parts(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("parts"), ".part")
    }
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.to_str().unwrap().ends_with(suffix)).collect();
    all.sort();
    all
}

/// A page view of `SITE` by visitor `number`, spread over the slices.
fn visit(number: u64, time_ms: i64) -> Visit<'static> {
    Visit {
        time_ms,
        site: SITE,
        visitor: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        page: Page { host: SITE, path: "/" },
        event: "pageview",
        ..Visit::default()
    }
}

fn bot(number: u64, time_ms: i64) -> Visit<'static> {
    Visit { agent: Agent { bot: "crawler: Testbot", ..Agent::default() }, ..visit(number, time_ms) }
}

fn marked(traffic: Traffic, number: u64, time_ms: i64) -> Visit<'static> {
    Visit { traffic, campaign: "c", ..visit(number, time_ms) }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Records and waits for the disk.
fn put(store: &VisitStore, visit: &Visit<'_>) -> u64 {
    match store.record(visit) {
        Recorded::Accepted(ticket) => wait(store.durable(&ticket)).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn put_all(store: &VisitStore, visits: &[Visit<'_>], arrival: Arrival) {
    for recorded in store.record_all(visits, arrival) {
        wait(store.durable(recorded.ticket().unwrap())).unwrap();
    }
}

/// Time, visitor and page.
type Seen = (i64, u64, String);

/// Time, visitor and page of everything a site has, in order.
fn all(store: &VisitStore, site: &str) -> Vec<Seen> {
    let mut found = Vec::new();
    for data in store.data(site, i64::MIN, i64::MAX).unwrap() {
        for_each_row(&*data, |row| {
            found.push((row.time_ms(), row.visitor(), row.visit(site).page.path.to_owned()));
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    found.sort();
    found
}

/// What is told about a store; equal before and after whatever must not change it.
fn figures(store: &VisitStore, now: i64) -> (Counts, u64, u64, Vec<(String, u64)>, Vec<Seen>) {
    let rows_by_day = store.days(SITE).iter().map(|day| day.rows).sum();
    (store.counts(), store.recent(now, MOST_RECENT_MS), rows_by_day, store.sites(), all(store, SITE))
}

#[test]
fn visits_are_counted_in_order_and_read_at_once() {
    let bench = Bench::new();
    let store = bench.open();
    assert_eq!(put(&store, &visit(1, NOON)), 1);
    assert_eq!(put(&store, &bot(2, NOON)), 2);
    assert_eq!(put(&store, &marked(Traffic::Synthetic, 3, NOON)), 2, "told the unchanged count");
    assert_eq!(put(&store, &marked(Traffic::Unverified, 4, NOON)), 2);
    assert_eq!(put(&store, &visit(5, NOON)), 3);
    assert_eq!(store.counts(), Counts { total: 3, bots: 1, synthetic: 1, unverified: 1 });
    assert_eq!(store.recent(NOON, 1000), 3);
    assert_eq!(all(&store, SITE).len(), 5);
    assert_eq!(store.sites(), [(SITE.to_owned(), 5)]);
    assert!(store.data("b.example", i64::MIN, i64::MAX).unwrap().is_empty());
    assert!(store.data(SITE, NOON + 1, i64::MAX).unwrap().is_empty() && store.data(SITE, 0, NOON).unwrap().is_empty());
}

#[test]
fn sealing_changes_nothing_that_is_told() {
    let bench = Bench::new();
    let store = bench.open();
    let days: Vec<Visit<'_>> = (0..300).map(|number| visit(number, NOON - (number as i64 % 3) * DAY_MS)).collect();
    put_all(&store, &days, Arrival::Live);
    let other = Visit { site: "b.example", ..visit(7, NOON) };
    put_all(&store, &[other, bot(1, NOON)], Arrival::Live);
    let before = figures(&store, NOON);
    store.seal_now().unwrap();
    assert_eq!(figures(&store, NOON), before);
    assert_eq!((bench.logs().len(), bench.parts().len()), (0, 4), "three days of one site and one of the other");
    assert_eq!(store.days(SITE).iter().map(|day| day.rows).collect::<Vec<_>>(), [100, 100, 101]);
    assert!(store.days(SITE).iter().all(|day| day.bytes > 0) && store.disk_bytes().unwrap() > 0);
    store.seal_now().unwrap();
    assert_eq!(bench.parts().len(), 4, "nothing to seal");
    put(&store, &visit(9, NOON));
    store.seal_now().unwrap();
    store.merge_now().unwrap();
    assert_eq!((bench.parts().len(), all(&store, SITE).len()), (4, 302));
    drop(store);
    assert_eq!(bench.open().counts(), Counts { total: 303, bots: 1, ..Counts::default() });
}

#[test]
fn imported_visits_count_in_the_totals_and_not_as_recent() {
    let bench = Bench::new();
    let store = bench.open();
    put_all(&store, &[visit(1, NOON - 5000)], Arrival::Import);
    put_all(&store, &[visit(2, NOON - 5000), visit(3, NOON + DAY_MS), visit(4, NOON - 9 * DAY_MS)], Arrival::Live);
    let told = |store: &VisitStore| (store.counts().total, store.recent(NOON, 4000), store.recent(NOON, 5000));
    assert_eq!(told(&store), (4, 1, 2), "a visit of the future counts as of now, one of long ago not at all");
    drop(store);
    let store = bench.open();
    assert_eq!(told(&store), (4, 1, 2));
    store.seal_now().unwrap();
    drop(store);
    assert_eq!(told(&bench.open()), (4, 1, 2));
}
