//! Bounds: distinct values, waiting rows, unsealed logs, parts of a day.

use super::*;

fn paths(store: &VisitStore) -> Vec<String> {
    let mut paths: Vec<String> = all(store, SITE).into_iter().map(|(_, _, path)| path).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[test]
fn values_beyond_the_bound_become_other_also_after_a_seal_and_a_start() {
    let bench = Bench::new().with(|options| options.most_texts = Some(3));
    let mut store = bench.open();
    let at = |path| Visit { page: Page { host: SITE, path }, ..visit(1, NOON) };
    put_all(&store, &[at("/1"), at("/2")], Arrival::Live);
    store.seal_now().unwrap();
    put_all(&store, &[at("/3"), at("/4"), at("/2")], Arrival::Live);
    assert_eq!((paths(&store), store.folded()), (["(other)", "/1", "/2", "/3"].map(String::from).to_vec(), 1));
    drop(store);
    store = bench.open();
    put_all(&store, &[at("/5"), at("/3")], Arrival::Live);
    assert_eq!((paths(&store).len(), store.folded()), (4, 1), "the sealed and the open texts were counted again");
    // Another site brings the text to the dictionary, which does not make room for it here.
    let other = Visit { site: "b.example", ..at("/6") };
    put_all(&store, &[other, at("/6"), at("/1")], Arrival::Live);
    assert_eq!((paths(&store).len(), store.folded()), (4, 2));
    let tomorrow = Visit { time_ms: NOON + DAY_MS, ..at("/7") };
    put(&store, &tomorrow);
    assert!(paths(&store).contains(&"/7".to_owned()), "each day has its own bound");
}

#[test]
fn a_full_frame_turns_visits_away_and_takes_them_later() {
    let bench = Bench::new().with(|options| options.most_waiting = 10);
    let store = bench.open();
    // The writer waits for this lock before it shows the first frame, so that the next one fills up.
    let held = unpoisoned(&store.shared.view);
    let mut tickets = Vec::new();
    let mut full = 0;
    while let Recorded::Accepted(ticket) = store.record(&visit(full, NOON)) {
        tickets.push(ticket);
        full += 1;
    }
    assert!((10..=20).contains(&full), "{full}");
    drop(held);
    for ticket in &tickets {
        wait(store.durable(ticket)).unwrap();
    }
    assert_eq!(store.counts().total, full);
    put(&store, &visit(1, NOON));
}

#[test]
fn recording_pauses_when_too_much_is_unsealed_and_goes_on_after_the_seal() {
    let bench = Bench::new().with(|options| (options.seal_rows, options.most_closed) = (10, 2));
    let store = bench.open();
    let mut accepted = 0;
    while let Recorded::Accepted(ticket) = store.record(&visit(accepted, NOON)) {
        wait(store.durable(&ticket)).unwrap();
        accepted += 1;
    }
    assert!((20..=22).contains(&accepted), "{accepted}");
    assert_eq!(all(&store, SITE).len() as u64, accepted);
    drop(store);
    let store = bench.open();
    assert!(matches!(store.record(&visit(0, NOON)), Recorded::Full), "also after a start");
    store.seal_now().unwrap();
    put(&store, &visit(0, NOON));
    assert_eq!(all(&store, SITE).len() as u64, accepted + 1);
}

#[test]
fn a_day_with_many_parts_is_merged_by_its_smaller_ones_and_a_day_that_rests_wholly() {
    let bench = Bench::new().with(|options| options.most_parts = 3);
    let store = bench.open();
    let keep = || store.shared.merge(&mut unpoisoned(&store.shared.keeper), false).unwrap();
    let rows = || {
        let view = unpoisoned(&store.shared.view);
        let mut rows: Vec<u64> = view.parts_of(None).map(|part| part.summary().rows).collect();
        rows.sort_unstable();
        rows
    };
    for number in [5, 1, 1] {
        put_all(&store, &vec![visit(number, NOON); usize::try_from(number).unwrap()], Arrival::Live);
        store.seal_now().unwrap();
    }
    keep();
    assert_eq!(rows(), [1, 1, 5], "few enough");
    put(&store, &visit(9, NOON));
    store.seal_now().unwrap();
    keep();
    assert_eq!(rows(), [3, 5], "the three smallest became one");
    bench.pass(DAY_MS);
    put(&store, &visit(9, NOON));
    store.seal_now().unwrap();
    keep();
    assert_eq!(rows(), [1, 3, 5], "the day is over, and still gets visits");
    bench.pass(60_000);
    keep();
    assert_eq!(rows(), [9]);
}

#[test]
fn a_damaged_part_keeps_no_other_day_from_being_merged() {
    let bench = Bench::new();
    let store = bench.open();
    for number in 0..2 {
        put_all(&store, &[visit(number, NOON - DAY_MS), visit(number, NOON)], Arrival::Live);
        store.seal_now().unwrap();
    }
    let damaged = bench.parts()[0].clone();
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[0] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    assert!(matches!(store.merge_now(), Err(VisitsError::Damaged(_))));
    assert_eq!(bench.parts().len(), 3, "the other day is one part now");
}

#[test]
fn times_at_the_ends_of_the_world_are_stored_and_read() {
    let bench = Bench::new();
    let store = bench.open();
    let times = [i64::MIN, -1, 0, 253_402_300_799_999, i64::MAX];
    for at in times {
        put(&store, &visit(1, at));
        put(&store, &visit(2, at));
        store.seal_now().unwrap();
    }
    let before = all(&store, SITE);
    assert_eq!(before.len(), 2 * times.len());
    assert_eq!((before[0].0, before[9].0), (-62_135_596_800_000, 253_402_300_799_999));
    store.merge_now().unwrap();
    drop(store);
    assert_eq!(all(&bench.open(), SITE), before);
}

#[test]
fn an_agent_beyond_the_bound_becomes_other_when_another_site_brought_it() {
    let bench = Bench::new().with(|options| options.most_texts = Some(1));
    let store = bench.open();
    let with = |site, browser| Visit { site, agent: Agent { browser, ..Agent::default() }, ..visit(1, NOON) };
    put_all(&store, &[with(SITE, "One"), with("b.example", "Two"), with(SITE, "Two")], Arrival::Live);
    let mut browsers = Vec::new();
    for_each_row(&*store.data(SITE, i64::MIN, i64::MAX).unwrap()[0], |row| {
        browsers.push(row.visit(SITE).agent.browser.to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((browsers, store.folded()), (vec!["One".to_owned(), "(other)".to_owned()], 1));
}
