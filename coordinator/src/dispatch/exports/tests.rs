//! Records of exports against real files: every byte once, in its place, of the newest owner.
#![allow(clippy::unwrap_used, reason = "test code")]

use bytes::Bytes;
use tempfile::TempDir;
use trafficlab_shared::model::export::{ExportFormat, ExportTable};
use trafficlab_shared::protocol::export::{ExportEvent, ExportRecord};
use trafficlab_shared::protocol::report::{Delivery, EndReason};
use trafficlab_shared::protocol::{codec, subject};

use super::*;
use crate::dispatch::ingest::{Incoming, Ingester, Taken};
use crate::store::Store;
use crate::store::entries::QUARANTINE;

const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c22";

struct Bench {
    _folder: TempDir,
    store: Store,
    files: ExportFiles,
    ingester: Ingester,
    sequence: u64,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::in_memory().unwrap();
        let mut batch = Batch::new();
        let (table, columns) = (ExportTable::Campaigns, ExportTable::Campaigns.usual());
        plan(&mut batch, JOB, ExportSpec { table, format: ExportFormat::Csv, columns, rows: 3 }).unwrap();
        store.apply(batch).unwrap();
        let files = ExportFiles::new(folder.path().join("exports"));
        let mut ingester = Ingester::open(store.clone(), &folder.path().join("segments"), files.clone()).unwrap();
        ingester.position_in(1);
        Self { _folder: folder, store, files, ingester, sequence: 0 }
    }

    fn take(&mut self, records: &[ExportRecord]) -> Taken {
        let incoming = |record: &ExportRecord| {
            self.sequence += 1;
            let payload = codec::encode(record).unwrap().into();
            let subject = subject::export_results(&record.job);
            Incoming { subject, sequence: self.sequence, stored_ns: 100 + self.sequence, payload }
        };
        let messages: Vec<Incoming> = records.iter().map(incoming).collect();
        self.ingester.commit(&messages).unwrap()
    }

    fn row(&self) -> ExportJobRow {
        EXPORT_JOBS.get(&self.store, &JOB.to_owned()).unwrap().unwrap()
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.files.table(JOB)).unwrap()
    }
}

fn record(epoch: u32, event: ExportEvent, from: u64, output: &'static str) -> ExportRecord {
    ExportRecord {
        v: 1,
        job: JOB.into(),
        epoch,
        worker: format!("w{epoch}"),
        delivery: Delivery { sequence: 1, count: epoch.into() },
        revision: 1,
        event,
        starts: epoch,
        rows: from / 2,
        from,
        output: Bytes::from_static(output.as_bytes()),
    }
}

const END: ExportEvent = ExportEvent::End { reason: EndReason::Completed };

#[test]
fn pieces_become_a_file() {
    let mut bench = Bench::new();
    let taken = bench.take(&[record(1, ExportEvent::Start, 0, ""), record(1, ExportEvent::Batch, 0, "name\r\n")]);
    assert_eq!((taken.exports.jobs.len(), bench.row().state, bench.row().bytes), (1, CaptureState::Running, 6));
    let taken = bench.take(&[record(1, ExportEvent::Batch, 6, "one\r\n"), record(1, END, 11, "")]);
    assert_eq!(taken.exports.jobs, [JOB]);
    assert_eq!(taken.exports.sequences, [(JOB.to_owned(), 4)]);
    let row = bench.row();
    assert_eq!((row.state, row.bytes, row.ended_ns), (CaptureState::Done, 11, Some(104)));
    assert_eq!(bench.file(), "name\r\none\r\n");
}

#[test]
fn what_comes_twice_counts_once() {
    let mut bench = Bench::new();
    let first = [record(1, ExportEvent::Start, 0, ""), record(1, ExportEvent::Batch, 0, "abc")];
    bench.take(&first);
    let again = bench.take(&first);
    assert_eq!((again.dropped, bench.row().bytes), (2, 3));
    bench.take(&[record(1, ExportEvent::Batch, 3, "def"), record(1, END, 6, "")]);
    let late = bench.take(&[record(1, ExportEvent::Batch, 3, "xxx"), record(1, END, 6, "")]);
    assert_eq!((late.dropped, bench.file().as_str()), (2, "abcdef"));
}

#[test]
fn a_new_owner_begins_anew_and_the_old_one_is_not_heard() {
    let mut bench = Bench::new();
    bench.take(&[record(1, ExportEvent::Start, 0, ""), record(1, ExportEvent::Batch, 0, "a longer beginning")]);
    bench.take(&[record(2, ExportEvent::Start, 0, "")]);
    assert_eq!((bench.row().bytes, bench.row().worker.as_str()), (0, "w2"));
    let stale = bench.take(&[record(1, ExportEvent::Batch, 18, "!"), record(1, END, 19, "")]);
    assert_eq!((stale.dropped, bench.row().state), (2, CaptureState::Running));
    bench.take(&[record(2, ExportEvent::Batch, 0, "short"), record(2, END, 5, "")]);
    assert_eq!(bench.file(), "short");
}

#[test]
fn both_owners_in_one_batch_leave_the_file_of_the_newer() {
    let mut bench = Bench::new();
    bench.take(&[
        record(1, ExportEvent::Start, 0, ""),
        record(1, ExportEvent::Batch, 0, "first owner"),
        record(1, ExportEvent::Yield, 11, ""),
        record(2, ExportEvent::Start, 0, ""),
        record(2, ExportEvent::Batch, 0, "second"),
        record(2, END, 6, ""),
    ]);
    assert_eq!(bench.file(), "second");
}

#[test]
fn a_hole_ends_the_export_and_an_empty_file_is_a_file() {
    let mut bench = Bench::new();
    bench.take(&[record(1, ExportEvent::Start, 0, ""), record(1, ExportEvent::Batch, 5, "x")]);
    assert_eq!(bench.row().state, CaptureState::Failed);
    assert_eq!(bench.row().reason.unwrap(), "bytes 0 to 5 of the file are missing");
    let mut bench = Bench::new();
    bench.take(&[record(1, ExportEvent::Start, 0, ""), record(1, END, 0, "")]);
    assert_eq!((bench.row().state, bench.file().as_str()), (CaptureState::Done, ""));
}

#[test]
fn nothing_is_taken_of_an_export_that_is_gone() {
    // checklist 85
    let mut bench = Bench::new();
    bench.take(&[record(1, ExportEvent::Start, 0, "")]);
    let mut batch = Batch::new();
    EXPORT_JOBS.delete(&mut batch, &JOB.to_owned());
    GONE_JOBS.put(&mut batch, &JOB.to_owned(), &1).unwrap();
    bench.store.apply(batch).unwrap();
    let taken = bench.take(&[record(1, ExportEvent::Batch, 0, "abc"), record(1, END, 3, "")]);
    assert_eq!(taken.dropped, 2);
    assert!(!bench.files.table(JOB).exists());
    assert!(EXPORT_JOBS.get(&bench.store, &JOB.to_owned()).unwrap().is_none());
}

#[test]
fn a_disk_that_refuses_ends_the_export_and_nothing_else() {
    let mut bench = Bench::new();
    std::fs::create_dir_all(bench.files.table(JOB)).unwrap();
    let taken = bench.take(&[record(1, ExportEvent::Start, 0, ""), record(1, ExportEvent::Batch, 0, "abc")]);
    assert_eq!(taken.exports.jobs, [JOB]);
    assert_eq!(bench.row().state, CaptureState::Failed);
    assert!(bench.row().reason.unwrap().starts_with("its file cannot be written"));
    bench.take(&[record(1, ExportEvent::Batch, 3, "def")]);
    assert_eq!(QUARANTINE.scan(&bench.store, false).count(), 0, "the stream goes on");
}
