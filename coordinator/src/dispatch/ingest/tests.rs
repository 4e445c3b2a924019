//! Ingest against a real segment folder: exactly once, whatever comes twice, late or broken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use bytes::Bytes;
use tempfile::TempDir;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::pack::{BlockWriter, PackedEntry};
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::content::ContentSpec;
use trafficlab_shared::model::run::{Mode, RunSpec};
use trafficlab_shared::protocol::report::{Cursor, Delivery, EndReason, Event, Origin, Record, Results};
use trafficlab_shared::protocol::{codec, subject};
use uuid::Uuid;

use super::{Incoming, Ingester};
use crate::dispatch::exports::ExportFiles;
use crate::dispatch::runs;
use crate::entries::EntryReader;
use crate::measured::Times;
use crate::store::entries::QUARANTINE;
use crate::store::runs::{RUNS, RunState, SHARDS, ShardState, TOTALS};
use crate::store::segment::SegmentDir;
use crate::store::workers::{Counts, MOST_WORKERS, OTHER, WORKERS};
use crate::store::{Batch, Store};

struct Bench {
    folder: TempDir,
    store: Store,
    ingester: Option<Ingester>,
    job: String,
    sequence: u64,
}

fn exports(folder: &TempDir) -> ExportFiles {
    ExportFiles::new(folder.path().join("exports"))
}

impl Bench {
    fn new(shards: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::in_memory().unwrap();
        let job = Uuid::now_v7().to_string();
        let spec = RunSpec {
            job: job.clone(),
            campaign: "c".into(),
            seed: 1,
            mode: Mode::Simulate,
            shards,
            arrivals: Arrivals::Constant,
            rate: 6_000_000_000,
            duration_ms: 10_000,
            warm_up_ms: 0,
            catch_up_ms: 1000,
            keep_one_in: 1,
            live_entries: false,
            shown_url: None,
            content: ContentSpec::default(),
            http: None,
        };
        let mut batch = Batch::new();
        runs::plan(&mut batch, &spec).unwrap();
        store.apply(batch).unwrap();
        let ingester = Ingester::open(store.clone(), folder.path(), exports(&folder)).unwrap();
        let mut bench = Self { folder, store, ingester: Some(ingester), job, sequence: 0 };
        bench.ingester().position_in(1);
        bench
    }

    fn ingester(&mut self) -> &mut Ingester {
        self.ingester.as_mut().unwrap()
    }

    fn incoming(&mut self, subject: String, payload: Vec<u8>) -> Incoming {
        self.sequence += 1;
        Incoming { subject, sequence: self.sequence, stored_ns: 1_000_000_000, payload: Bytes::from(payload) }
    }

    fn record(&mut self, shard: u32, event: Event, from: u32, next: u32) -> Incoming {
        let record = self.raw_record(shard, event, from, next);
        let to = subject::traffic_results(&self.job, shard);
        self.incoming(to, codec::encode(&record).unwrap())
    }

    fn raw_record(&self, shard: u32, event: Event, from: u32, next: u32) -> Record {
        let cursor = |k| Cursor { slot: 0, k };
        Record {
            v: 1,
            job: self.job.clone(),
            shard,
            epoch: 1,
            worker: "w".into(),
            delivery: Delivery { sequence: 1, count: 1 },
            event,
            revision: 1,
            origin: Some(Origin { activation: 1, active_ns: 0, wall_ns: 1_000_000_000 }),
            from: cursor(from),
            next: cursor(next),
            open: vec![],
            history: vec![],
            results: (next > from).then(|| results(from..next)),
        }
    }

    fn sequences(&self) -> Vec<u64> {
        let segments = SegmentDir::new(self.folder.path());
        let mut reader = EntryReader::open(&self.store, &segments, "c", 1).unwrap();
        let mut sequences = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            block.for_each(|row| sequences.push(row.sequence));
        }
        sequences
    }

    fn shard(&self, shard: u32) -> ShardState {
        SHARDS.get(&self.store, &(self.job.clone(), shard)).unwrap().unwrap().state
    }
}

fn results(arrivals: std::ops::Range<u32>) -> Results {
    let mut block = BlockWriter::new();
    let mut counters = Counters::default();
    for k in arrivals {
        assert!(block.push(&PackedEntry { k, status: 200, success: true, ..PackedEntry::default() }));
        counters.scheduled += 1;
        counters.sent += 1;
        counters.succeeded += 1;
    }
    Results {
        count: u32::try_from(block.len()).unwrap(),
        block: Bytes::from(block.finish()),
        counters: Bytes::from(codec::encode(&counters).unwrap()),
        timings: Bytes::from(codec::encode(&Timings::default()).unwrap()),
    }
}

#[test]
fn two_shards_share_one_sequence_without_gaps() {
    let mut bench = Bench::new(2);
    let messages = vec![
        bench.record(0, Event::Start { idle_starts: 1 }, 0, 0),
        bench.record(1, Event::Start { idle_starts: 1 }, 0, 0),
        bench.record(0, Event::Batch, 0, 3),
        bench.record(1, Event::Batch, 0, 2),
        bench.record(0, Event::End { reason: EndReason::Completed }, 3, 4),
        bench.record(1, Event::End { reason: EndReason::Completed }, 2, 2),
    ];
    let taken = bench.ingester().commit(&messages).unwrap();
    assert_eq!(taken.entries, 6);
    assert_eq!(bench.sequences(), [1, 2, 3, 4, 5, 6]);
    let run = RUNS.get(&bench.store, &bench.job).unwrap().unwrap();
    assert_eq!(run.state, RunState::Completed);
    assert_eq!(run.desired.origin_ns, Some(1_500_000_000));
    assert!(TOTALS.get(&bench.store, &bench.job).unwrap().unwrap().counters.balanced());
}

#[test]
fn what_comes_again_counts_once() {
    let mut bench = Bench::new(1);
    let start = bench.record(0, Event::Start { idle_starts: 1 }, 0, 0);
    let first = bench.record(0, Event::Batch, 0, 3);
    bench.ingester().commit(&[start, first.clone()]).unwrap();
    assert_eq!(bench.ingester().commit(&[first]).unwrap().entries, 0);
    // Another stream begins at 1 again; the shard's mark recognises what is known.
    bench.ingester().position_in(2);
    bench.sequence = 0;
    let again = bench.record(0, Event::Batch, 0, 3);
    let more = bench.record(0, Event::Batch, 3, 5);
    let taken = bench.ingester().commit(&[again, more]).unwrap();
    assert_eq!((taken.dropped, taken.entries), (1, 2));
    assert_eq!(bench.sequences(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_gap_sets_its_shard_aside_and_no_other() {
    let mut bench = Bench::new(2);
    let messages = vec![
        bench.record(0, Event::Batch, 5, 8),
        bench.record(1, Event::Batch, 0, 2),
        bench.record(0, Event::Batch, 8, 9),
    ];
    let taken = bench.ingester().commit(&messages).unwrap();
    assert_eq!((taken.aside, taken.entries), (2, 2));
    assert_eq!(bench.shard(0), ShardState::Quarantined);
    assert_eq!(bench.shard(1), ShardState::Running);
    assert_eq!(QUARANTINE.scan(&bench.store, false).count(), 2);
    let run = RUNS.get(&bench.store, &bench.job).unwrap().unwrap();
    assert!(run.reason.unwrap().contains("missing"));
}

#[test]
fn malformed_messages_are_kept_and_passed() {
    let mut bench = Bench::new(1);
    let job = bench.job.clone();
    let other = bench.raw_record(0, Event::Batch, 0, 2);
    let mut broken = bench.raw_record(0, Event::Batch, 0, 2);
    broken.results.as_mut().unwrap().counters = Bytes::from_static(b"\xc1");
    let messages = vec![
        bench.incoming(subject::traffic_results(&job, 0), b"nonsense".to_vec()),
        bench.incoming("tl.v1.res.unheard.of".into(), vec![]),
        bench.incoming(subject::traffic_results(&job, 7), codec::encode(&other).unwrap()),
        bench.incoming(subject::traffic_results("unknown-job", 0), codec::encode(&other).unwrap()),
        bench.record(0, Event::Batch, 0, 2),
        bench.incoming(subject::traffic_results(&job, 0), codec::encode(&broken).unwrap()),
    ];
    let taken = bench.ingester().commit(&messages).unwrap();
    assert_eq!(taken.entries, 2);
    assert_eq!(taken.aside, 4);
    assert_eq!(taken.dropped, 1, "the last one begins before the shard's mark");
}

#[test]
fn a_crash_after_the_segments_and_before_the_store_leaves_no_trace() {
    let mut bench = Bench::new(1);
    let first = bench.record(0, Event::Batch, 0, 3);
    bench.ingester().commit(&[first]).unwrap();
    drop(bench.ingester.take());
    // What a commit that never reached the store would have left behind.
    let files = SegmentDir::new(bench.folder.path()).files().unwrap();
    let name = std::fs::read_dir(bench.folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(files.len(), 1);
    let mut bytes = std::fs::read(&name).unwrap();
    bytes.extend_from_slice(b"half a frame");
    std::fs::write(&name, bytes).unwrap();
    bench.ingester = Some(Ingester::open(bench.store.clone(), bench.folder.path(), exports(&bench.folder)).unwrap());
    let second = bench.record(0, Event::Batch, 3, 5);
    bench.ingester().commit(&[second]).unwrap();
    assert_eq!(bench.sequences(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_failed_shard_stops_the_others_and_says_why() {
    let mut bench = Bench::new(2);
    let messages = vec![
        bench.record(0, Event::Start { idle_starts: 1 }, 0, 0),
        bench.record(1, Event::Failed { reason: "no such host".into(), attempts: 1 }, 0, 0),
    ];
    bench.ingester().commit(&messages).unwrap();
    let run = RUNS.get(&bench.store, &bench.job).unwrap().unwrap();
    assert_eq!(run.reason.as_deref(), Some("no such host"));
    assert!(!run.is_generating());
}

#[test]
fn records_of_a_removed_run_leave_nothing() {
    let mut bench = Bench::new(1);
    let mut batch = Batch::new();
    runs::bury(&mut batch, &bench.job).unwrap();
    bench.store.apply(batch).unwrap();
    let late = bench.record(0, Event::Batch, 0, 3);
    let taken = bench.ingester().commit(&[late]).unwrap();
    assert_eq!((taken.entries, taken.dropped), (0, 1));
    assert!(TOTALS.get(&bench.store, &bench.job).unwrap().is_none());
}

#[test]
fn segments_without_their_metadata_are_not_thrown_away() {
    let mut bench = Bench::new(1);
    let first = bench.record(0, Event::Batch, 0, 3);
    bench.ingester().commit(&[first]).unwrap();
    let opened = Ingester::open(Store::in_memory().unwrap(), bench.folder.path(), exports(&bench.folder));
    assert!(opened.is_err_and(|error| error.to_string().contains("restore a dump")));
}

/// Response time, service time and lag of every request are known here, so both sums can be made anew.
#[test]
fn figures_are_exact_over_all_shards_and_add_up_by_worker() {
    let mut bench = Bench::new(70);
    let mut values = [Vec::new(), Vec::new(), Vec::new()];
    let mut messages = Vec::new();
    for shard in 0..70_u32 {
        let mut record = bench.raw_record(shard, Event::Batch, 0, shard + 1);
        record.worker = format!("w{shard:02}");
        let mut own: Vec<u64> = (0..=u64::from(shard)).map(|k| 1000 + k * 997 * u64::from(shard)).collect();
        let mut timings = Timings { response: Histogram::of(&mut own), ..Timings::default() };
        values[0].extend(own.iter().copied());
        own.iter_mut().for_each(|value| *value /= 2);
        timings.service = Histogram::of(&mut own);
        values[1].extend(own.iter().copied());
        own.iter_mut().for_each(|value| *value /= 8);
        timings.lag = Histogram::of(&mut own);
        values[2].extend(own);
        record.results.as_mut().unwrap().timings = Bytes::from(codec::encode(&timings).unwrap());
        let subject = subject::traffic_results(&bench.job, shard);
        messages.push(bench.incoming(subject, codec::encode(&record).unwrap()));
    }
    // Two commits, so that rows are made in both ways.
    let later = messages.split_off(66);
    bench.ingester().commit(&messages).unwrap();
    let taken = bench.ingester().commit(&later).unwrap();
    assert_eq!((taken.aside, taken.figures.len()), (0, 1));

    let run = RUNS.get(&bench.store, &bench.job).unwrap().unwrap();
    let times = Times::of(&bench.store, &[run]).unwrap();
    let [response, service, lag] = &mut values;
    assert_eq!(times.response, Histogram::of(response));
    assert_eq!(times.service, Histogram::of(service));
    assert_eq!(times.lag, Histogram::of(lag));

    let rows: Vec<_> = WORKERS.scan_prefix(&bench.store, &bench.job, false).map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), MOST_WORKERS + 1);
    let mut sum = Counts::default();
    rows.iter().for_each(|(_, row)| sum.merge(&row.counts));
    assert_eq!(sum, (&TOTALS.get(&bench.store, &bench.job).unwrap().unwrap().counters).into());
    let other = &rows.iter().find(|((_, worker), _)| worker == OTHER).unwrap().1;
    assert_eq!(other.counts.sent, (65..=70).sum::<u64>(), "the last six workers together");
    assert_eq!(rows.iter().map(|(_, row)| row.lag.count()).sum::<u64>(), times.lag.count());
}
