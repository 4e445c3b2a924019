//! Stops in the middle of sealing and merging, as a crash would, and what the next start makes of them.

use super::super::keeper::Step;
use super::*;

const STEPS: [Step; 5] = [Step::PartWritten, Step::FolderSynced, Step::SnapshotWritten, Step::Committed, Step::Shown];

fn stop_at(store: &VisitStore, step: Option<Step>) {
    unpoisoned(&store.shared.keeper).stop_at = step;
}

fn filled(bench: &Bench) -> VisitStore {
    let store = bench.open();
    let visits: Vec<Visit<'_>> =
        (1..50).map(|number| Visit { event_id: number, ..bot(number, NOON - number as i64 % 2 * DAY_MS) }).collect();
    put_all(&store, &visits, Arrival::Live);
    store
}

#[test]
fn a_seal_may_stop_anywhere() {
    for step in STEPS {
        let bench = Bench::new();
        let store = filled(&bench);
        let before = figures(&store, NOON);
        stop_at(&store, Some(step));
        assert!(matches!(store.seal_now(), Err(VisitsError::Closed)), "{step:?}");
        assert_eq!(figures(&store, NOON), before, "{step:?}");
        drop(store);
        let store = bench.open();
        assert_eq!(figures(&store, NOON), before, "{step:?} and a start");
        let known = store.record(&Visit { event_id: 7, ..visit(7, NOON) });
        assert!(matches!(known, Recorded::Duplicate(_)), "{step:?}");
        store.seal_now().unwrap();
        assert_eq!(figures(&store, NOON), before, "{step:?} and the seal after it");
        assert_eq!((bench.logs().len(), bench.parts().len()), (0, 2), "{step:?}");
        assert_eq!(files(&bench.folder.path().join("logs"), "").len(), 1, "the snapshot alone");
    }
}

#[test]
fn a_seal_that_failed_is_done_by_the_next_one() {
    let bench = Bench::new();
    let store = filled(&bench);
    let before = figures(&store, NOON);
    for step in [Step::PartWritten, Step::FolderSynced, Step::SnapshotWritten] {
        stop_at(&store, Some(step));
        assert!(store.seal_now().is_err());
        put(&store, &marked(Traffic::Synthetic, 100, NOON));
    }
    stop_at(&store, None);
    store.seal_now().unwrap();
    let after = figures(&store, NOON);
    assert_eq!((after.0.total, after.0.synthetic, after.4.len()), (before.0.total, 3, before.4.len() + 3));
    assert_eq!(bench.logs().len(), 0);
    drop(store);
    assert_eq!(figures(&bench.open(), NOON), after);
}

#[test]
fn a_merge_may_stop_anywhere() {
    for step in [Step::PartWritten, Step::FolderSynced, Step::Committed] {
        let bench = Bench::new();
        let store = bench.open();
        for number in 0..3 {
            put(&store, &visit(number, NOON));
            store.seal_now().unwrap();
        }
        let before = figures(&store, NOON);
        stop_at(&store, Some(step));
        assert!(store.merge_now().is_err(), "{step:?}");
        assert_eq!(figures(&store, NOON), before, "{step:?}");
        drop(store);
        let store = bench.open();
        assert_eq!(figures(&store, NOON), before, "{step:?} and a start");
        store.merge_now().unwrap();
        assert_eq!(figures(&store, NOON), before, "{step:?} and a merge");
        assert_eq!(bench.parts().len(), 1, "{step:?}");
    }
}

#[test]
fn parts_that_are_read_stay_until_their_reader_is_done() {
    let bench = Bench::new();
    let store = bench.open();
    for number in 0..2 {
        put(&store, &visit(number, NOON));
        store.seal_now().unwrap();
    }
    let before = all(&store, SITE);
    let data = store.data(SITE, i64::MIN, i64::MAX).unwrap();
    store.merge_now().unwrap();
    assert_eq!(bench.parts().len(), 3);
    let mut rows = 0;
    for part in &data {
        for_each_row(&**part, |_| {
            rows += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    assert_eq!(rows, 2);
    drop(data);
    assert_eq!((bench.parts().len(), all(&store, SITE)), (1, before));
}
