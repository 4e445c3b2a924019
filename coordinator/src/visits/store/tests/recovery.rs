//! What a start finds.

use super::*;

/// A folder as a crash leaves it: a copy of the files, whatever is in the middle of being done.
fn crashed(bench: &Bench) -> Bench {
    let copy = Bench { kv: bench.kv.clone(), ..Bench::new() };
    copy.clock.store(bench.now(), Ordering::Relaxed);
    for folder in ["logs", "parts"] {
        fs::create_dir_all(copy.folder.path().join(folder)).unwrap();
        for file in files(&bench.folder.path().join(folder), "") {
            fs::copy(&file, copy.folder.path().join(folder).join(file.file_name().unwrap())).unwrap();
        }
    }
    copy
}

#[test]
fn everything_answered_is_there_after_a_crash() {
    let bench = Bench::new();
    let store = bench.open();
    for number in 0..20 {
        put(&store, &bot(number, NOON - number as i64 * 1000));
        bench.pass(700);
    }
    let before = figures(&store, bench.now());
    let copy = crashed(&bench);
    drop(store);
    let store = copy.open();
    assert_eq!(figures(&store, copy.now()), before);
    assert_eq!(put(&store, &visit(99, NOON)), 21);
    drop(store);
    let store = copy.open();
    assert_eq!((store.counts().total, copy.logs().len()), (21, 2));
    store.seal_now().unwrap();
    assert_eq!((store.counts().total, copy.logs().len(), all(&store, SITE).len()), (21, 0, 21));
}

/// At any length of the log a start finds exactly the visits whose frames are whole.
#[test]
fn a_log_cut_anywhere_keeps_its_whole_frames() {
    let bench = Bench::new();
    let store = bench.open();
    let mut ends = vec![0];
    for number in 0..4 {
        put(&store, &visit(number, NOON));
        ends.push(usize::try_from(store.shared.log_bytes.load(Ordering::Relaxed)).unwrap());
    }
    drop(store);
    let log = bench.logs()[0].clone();
    let bytes = fs::read(&log).unwrap();
    let boundaries = ends.iter().flat_map(|end| end.saturating_sub(1)..end + 2);
    for length in boundaries.chain((0..ends[4]).step_by(13)) {
        // As a crash leaves it: what was not written is zeros.
        let mut torn = bytes.clone();
        torn[length..].fill(0);
        fs::write(&log, &torn).unwrap();
        // A frame that ends in zeros may be whole without them.
        let whole = ends.iter().filter(|end| torn[..**end] == bytes[..**end]).count() - 1;
        let store = bench.open();
        assert_eq!(store.counts().total, whole as u64, "{length} bytes");
        assert_eq!(all(&store, SITE).len(), whole, "{length} bytes");
        drop(store);
        if whole > 0 {
            assert!(fs::read(&log).unwrap()[ends[whole]..].iter().all(|byte| *byte == 0), "the torn frame is cut off");
        }
    }
}

#[test]
fn damage_in_the_middle_is_told_and_nothing_is_dropped_silently() {
    let bench = Bench::new();
    let store = bench.open();
    put(&store, &visit(1, NOON));
    let first = usize::try_from(store.shared.log_bytes.load(Ordering::Relaxed)).unwrap();
    put(&store, &visit(2, NOON));
    drop(store);
    let log = bench.logs()[0].clone();
    let mut bytes = fs::read(&log).unwrap();
    bytes[first - 3] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let error = bench.try_open().err().unwrap().to_string();
    assert!(error.contains("0000000001.log") && error.contains("byte 0"), "{error}");
    bytes[first - 3] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let store = bench.open();
    store.seal_now().unwrap();
    drop(store);
    fs::remove_file(&bench.parts()[0]).unwrap();
    let error = bench.try_open().err().unwrap().to_string();
    assert!(error.contains("part 0 is missing"), "{error}");
}

#[test]
fn a_repeated_event_counts_once_over_seals_and_starts() {
    let bench = Bench::new();
    let once = |id| Visit { event_id: id, ..visit(1, NOON) };
    let is_known = |store: &VisitStore, id| matches!(store.record(&once(id)), Recorded::Duplicate(_));
    let store = bench.open();
    put(&store, &once(5));
    assert!(is_known(&store, 5));
    store.seal_now().unwrap();
    assert!(is_known(&store, 5));
    put(&store, &once(6));
    let copy = crashed(&bench);
    drop(store);
    let store = copy.open();
    assert!(is_known(&store, 5) && is_known(&store, 6), "one from the snapshot, one from the log");
    let Recorded::Duplicate(ticket) = store.record(&once(6)) else { panic!("not known") };
    assert_eq!(wait(store.durable(&ticket)).unwrap(), 2, "told the unchanged count");
    store.seal_now().unwrap();
    drop(store);
    copy.pass(DAY_MS - 1000);
    assert!(is_known(&copy.open(), 5));
    copy.pass(DAY_MS);
    let store = copy.open();
    put(&store, &once(5));
    assert_eq!(store.counts().total, 3, "two days later it is another one");
}

#[test]
fn recent_visits_are_exact_over_hours_starts_and_seals() {
    let bench = Bench::new();
    let mut store = bench.open();
    let mut times: Vec<i64> = Vec::new();
    for step in 0..40_i64 {
        bench.pass(step % 7 * 3_600_000 + step * 977);
        put(&store, &visit(step.cast_unsigned(), bench.now()));
        times.push(bench.now());
        if step % 5 == 1 {
            store.seal_now().unwrap();
        }
        if step % 3 == 1 {
            drop(store);
            store = bench.open();
        }
        for hours in [1, 24, 100, 168] {
            let from = (bench.now() - hours * 3_600_000) / 1000;
            let expected = times.iter().filter(|time| **time / 1000 >= from).count() as u64;
            assert_eq!(store.recent(bench.now(), hours * 3_600_000), expected, "step {step}, {hours} h");
        }
    }
}
