//! Visits that go.

use super::*;

#[test]
fn days_before_a_bound_are_pruned_and_the_dry_run_tells_the_same() {
    let bench = Bench::new();
    let store = bench.open();
    let other = Visit { site: "b.example", ..visit(3, NOON - 5 * DAY_MS) };
    put_all(&store, &[visit(1, NOON), visit(2, NOON - 3 * DAY_MS), other], Arrival::Live);
    store.seal_now().unwrap();
    put(&store, &visit(4, NOON - 4 * DAY_MS));
    let bound = NOON / DAY_MS - 2;
    let told = store.prune(Some(SITE), bound, true).unwrap();
    assert_eq!((told.parts, told.rows, store.counts().total), (1, 2, 4));
    assert_eq!(all(&store, SITE).len(), 3, "nothing happened");
    let gone = store.prune(Some(SITE), bound, false).unwrap();
    assert_eq!((gone.parts, gone.rows), (2, 2), "the visit in memory was sealed first");
    assert_eq!(all(&store, SITE).iter().map(|row| row.0).collect::<Vec<_>>(), [NOON]);
    assert_eq!(store.counts().total, 4, "removed visits still count");
    assert_eq!((all(&store, "b.example").len(), bench.parts().len()), (1, 2));
    assert_eq!(store.prune(None, bound, false).unwrap().rows, 1);
    assert_eq!(store.prune(None, bound, false).unwrap(), Pruned::default());
    drop(store);
    let store = bench.open();
    assert_eq!((all(&store, SITE).len(), store.sites(), bench.parts().len()), (1, vec![(SITE.to_owned(), 1)], 1));
}

#[test]
fn no_byte_of_an_erased_visitor_stays() {
    let bench = Bench::new();
    let store = bench.open();
    let secret = "/unusual-page-of-mine";
    let mine =
        |time_ms| Visit { user: "unusual-user@example", page: Page { host: SITE, path: secret }, ..visit(77, time_ms) };
    put_all(&store, &[visit(1, NOON), mine(NOON), mine(NOON - DAY_MS)], Arrival::Live);
    store.seal_now().unwrap();
    put_all(&store, &[mine(NOON + 1), Visit { site: "b.example", ..mine(NOON) }], Arrival::Live);
    let visitor = mine(0).visitor;
    assert_eq!(store.erase(Some(SITE), &[visitor, 12_345]).unwrap(), 3);
    assert_eq!(all(&store, SITE).len(), 1);
    assert_eq!(all(&store, "b.example").len(), 1, "of the other site nothing was asked");
    assert_eq!(store.erase(None, &[visitor]).unwrap(), 1);
    assert_eq!(store.erase(None, &[visitor]).unwrap(), 0);
    for file in files(&bench.folder.path().join("logs"), "").into_iter().chain(bench.parts()) {
        let bytes = fs::read(&file).unwrap();
        for text in [secret.as_bytes(), b"unusual-user@example", &visitor.to_le_bytes()] {
            assert!(!bytes.windows(text.len()).any(|window| window == text), "{}", file.display());
        }
    }
    drop(store);
    assert_eq!(all(&bench.open(), SITE).len(), 1);
}

#[test]
fn a_removed_site_is_gone_with_its_files() {
    let bench = Bench::new();
    let store = bench.open();
    put_all(&store, &[visit(1, NOON), Visit { site: "b.example", ..visit(2, NOON) }], Arrival::Live);
    assert_eq!(store.remove_site(SITE).unwrap().rows, 1);
    assert_eq!((store.sites(), bench.parts().len()), (vec![("b.example".to_owned(), 1)], 1));
}

#[test]
fn an_erasure_takes_a_log_that_a_seal_could_not_remove() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, &visit(1, NOON));
    let (log, kept) = (bench.logs()[0].clone(), bench.folder.path().join("kept"));
    fs::copy(&log, &kept).unwrap();
    store.seal_now().unwrap();
    assert!(!log.exists());
    fs::rename(kept, &log).unwrap();
    assert_eq!(store.erase(Some(SITE), &[visit(1, NOON).visitor]).unwrap(), 1);
    assert_eq!((bench.logs().len(), bench.parts().len()), (0, 0));
}

#[test]
fn ids_of_events_are_in_no_file_a_day_later_also_when_nobody_comes() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, &Visit { event_id: 5, ..visit(1, NOON) });
    bench.pass(DAY_MS / 2);
    put(&store, &Visit { event_id: 6, ..visit(1, NOON) });
    store.seal_now().unwrap();
    let held = || {
        let state = VISIT_SEAL.get(&bench.kv, &()).unwrap().unwrap();
        let snapshot = snapshot::Snapshot::read(&store.shared.logs, state.log).unwrap();
        (snapshot.ids.iter().map(|(id, _)| *id).collect::<Vec<_>>(), snapshot.counts.total)
    };
    let forget = || store.shared.forget_ids(&mut unpoisoned(&store.shared.keeper)).unwrap();
    bench.pass(DAY_MS / 2 + 3_600_000);
    forget();
    assert_eq!(held(), (vec![5, 6], 2), "a snapshot is not written for every id");
    bench.pass(1000);
    forget();
    assert_eq!(held(), (vec![6], 2));
    bench.pass(DAY_MS);
    forget();
    assert_eq!(held(), (vec![], 2));
    let before = figures(&store, bench.now());
    drop(store);
    assert_eq!(figures(&bench.open(), bench.now()), before);
}
