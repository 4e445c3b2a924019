//! Many threads record while seals, merges, questions and starts happen.

use std::sync::atomic::AtomicBool;

use super::*;

const THREADS: u64 = 4;
const EACH: u64 = 600;

#[test]
fn nothing_is_lost_or_doubled_while_everything_happens_at_once() {
    let bench = Bench::new().with(|options| (options.seal_rows, options.most_closed) = (64, 100));
    let store = bench.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let store = store.clone();
                scope.spawn(move || {
                    for number in 0..EACH {
                        let id = thread * EACH + number + 1;
                        // Each visit comes twice, as from a sender that lost the answer.
                        for _ in 0..2 {
                            let recorded = store.record(&Visit { event_id: id, ..visit(id, NOON) });
                            wait(store.durable(recorded.ticket().unwrap())).unwrap();
                        }
                    }
                })
            })
            .collect();
        let keeping = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.seal_now().unwrap();
                store.merge_now().unwrap();
            }
        });
        let reading = scope.spawn(|| {
            let mut before = 0;
            while !done.load(Ordering::Relaxed) {
                let told = store.counts().total;
                let found = all(&store, SITE).len() as u64;
                assert!(found >= told && found >= before, "{found} read, {told} told, {before} before");
                before = found;
            }
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        done.store(true, Ordering::Relaxed);
        keeping.join().unwrap();
        reading.join().unwrap();
    });
    let check = |store: &VisitStore| {
        assert_eq!(store.counts().total, THREADS * EACH);
        let mut visitors: Vec<u64> = all(store, SITE).into_iter().map(|(_, visitor, _)| visitor).collect();
        visitors.dedup();
        visitors.sort_unstable();
        visitors.dedup();
        assert_eq!(visitors.len() as u64, THREADS * EACH);
        assert_eq!(all(store, SITE).len() as u64, THREADS * EACH);
    };
    check(&store);
    drop(store);
    check(&bench.open());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keeper_seals_a_full_log_and_one_of_a_day_that_is_over() {
    let bench = Bench::new().with(|options| options.seal_rows = 5);
    let store = bench.open();
    let own = store.clone();
    let keeper = tokio::task::JoinSet::from_iter([async move { own.run().await }]);
    let sealed = |rows| {
        let store = store.clone();
        async move {
            let sealed = || store.days(SITE).iter().filter(|day| day.bytes > 0).map(|day| day.rows).sum::<u64>();
            let all_there = async {
                while sealed() < rows {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(20), all_there).await.unwrap();
        }
    };
    for number in 0..6 {
        let recorded = store.record(&visit(number, NOON));
        store.durable(recorded.ticket().unwrap()).await.unwrap();
    }
    sealed(5).await;
    bench.pass(DAY_MS);
    sealed(6).await;
    drop(keeper);
}
