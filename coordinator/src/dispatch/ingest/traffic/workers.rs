//! Figures of a run by worker, written in the same batch as its totals.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Traffic;
use crate::store::workers::{MOST_WORKERS, OTHER, WORKERS, WorkerFigures};
use crate::store::{Batch, Store, StoreError};

type Rows = BTreeMap<(String, String), WorkerFigures>;

/// The workers of each run that have rows of their own, looked up once a commit and only when a new one comes.
type Names = BTreeMap<String, BTreeSet<String>>;

/// Adds the figures of all records to those of their workers. The store's lock is held.
pub(super) fn put(store: &Store, work: &Traffic, gone: &HashSet<String>, batch: &mut Batch) -> Result<(), StoreError> {
    let mut rows = Rows::new();
    let mut names = Names::new();
    for ((job, worker), added) in work.workers.iter().filter(|((job, _), _)| !gone.contains(job)) {
        let key = row_of(store, &mut names, job, worker)?;
        if !rows.contains_key(&key) {
            rows.insert(key.clone(), WORKERS.get(store, &key)?.unwrap_or_default());
        }
        if let Some(row) = rows.get_mut(&key) {
            row.merge(added);
        }
    }
    for (key, row) in &rows {
        WORKERS.put(batch, key, row)?;
    }
    Ok(())
}

/// The worker's own row, or the common one once the run has seen too many.
fn row_of(store: &Store, names: &mut Names, job: &str, worker: &str) -> Result<(String, String), StoreError> {
    let key = (job.to_owned(), worker.to_owned());
    if WORKERS.contains(store, &key)? {
        return Ok(key);
    }
    if !names.contains_key(job) {
        let stored = WORKERS.scan_prefix(store, &key.0, false).map(|row| Ok(row?.0.1));
        let stored: BTreeSet<String> = stored.collect::<Result<_, StoreError>>()?;
        names.insert(key.0.clone(), stored);
    }
    let known = names.entry(key.0.clone()).or_default();
    let room = known.iter().filter(|name| *name != OTHER).count() < MOST_WORKERS;
    if room {
        known.insert(key.1.clone());
    }
    Ok(if room { key } else { (key.0, OTHER.to_owned()) })
}
