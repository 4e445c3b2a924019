//! A disk that fills up.

use std::process::Command;

use super::*;

const CHILD_FOLDER: &str = "TRAFFICLAB_TEST_FULL_VISITS";

/// The test starts itself again under a file size limit of the system, which a write meets as it meets a full disk: part
/// of it is written, then it fails.
#[test]
fn visits_that_do_not_fit_are_refused_and_nothing_of_them_stays() {
    if let Ok(folder) = std::env::var(CHILD_FOLDER) {
        fill_up(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The shell counts in blocks of 512 bytes. The signal is ignored so that the write answers an error.
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::visits_that_do_not_fit_are_refused_and_nothing_of_them_stays");
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(fs::read(folder.path().join("done")).unwrap(), b"yes");
}

fn fill_up(folder: &Path) {
    let kv = Store::in_memory().unwrap();
    let open = || VisitStore::open(folder, kv.clone()).unwrap();
    let store = open();
    let text = "x".repeat(1500);
    let page = |number: u64| format!("/{number}/{text}");
    let mut number = 1;
    let refused = loop {
        let path = page(number);
        let recorded =
            store.record(&Visit { event_id: number, page: Page { host: SITE, path: &path }, ..visit(number, NOON) });
        match wait(store.durable(recorded.ticket().unwrap())) {
            Ok(count) => assert_eq!(count, number),
            Err(error) => break error,
        }
        number += 1;
    };
    assert!(matches!(refused, VisitsError::Full(_)), "{refused}");
    let stored = number - 1;
    assert!((20..60).contains(&stored), "{stored}");
    assert_eq!((store.counts().total, store.recent(NOON, MOST_RECENT_MS)), (stored, 0));
    // A small visit still fits; the refused text comes with it, and its event id is free again.
    let again = page(number);
    let small = Visit { event_id: number, page: Page { host: SITE, path: &again }, ..visit(number, NOON) };
    let recorded = store.record(&small);
    assert!(matches!(recorded, Recorded::Accepted(_)), "{recorded:?}");
    assert!(wait(store.durable(recorded.ticket().unwrap())).is_err());
    assert_eq!(all(&store, SITE).len() as u64, stored);
    // Sealing makes a new log, and with it room.
    store.seal_now().unwrap();
    assert_eq!(put(&store, &small), number);
    drop(store);
    let store = open();
    assert_eq!((store.counts().total, all(&store, SITE).len() as u64), (number, number));
    assert!(matches!(store.record(&small), Recorded::Duplicate(_)));
    fs::write(folder.join("done"), "yes").unwrap();
}
