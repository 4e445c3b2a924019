//! One folder of sled 0.34. This is the only file that knows the engine; `generations.rs` makes the store of it.
//!
//! Measured or reproduced traps, and what is done about each:
//! * Writes that were not flushed are lost on kill −9, and the flush of sled uses `sync_file_range`, which neither writes
//!   the file's metadata nor empties the disk's cache: `flush` here calls `sync_data` on the `db` file as well.
//! * The background flusher ends silently after its first error, and `flush_async` deadlocks under concurrency
//!   (sled#1308): neither is used.
//! * A left-over `snap.*.generating` file stops open for ever (sled#1527): it is deleted before open.
//! * `len()` walks the tree and transactions deadlock with `flush`: neither is used.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::kv::{Batch, CHUNK_BYTES, Change, KeyRange, Pair, Result, StoreError};
use super::{quota, sync_folder};

/// The default of sled is 1 GB, more than the whole coordinator may take.
const CACHE_BYTES: u64 = 32 * 1024 * 1024;
/// Name sled gives its log file inside its folder.
const LOG_FILE: &str = "db";

/// A sled database in a folder of its own.
pub(super) struct SledKv {
    db: sled::Db,
    path: PathBuf,
    log_file: File,
    /// The first input/output error. Once set, nothing is written any more: what sled holds in memory and what is on the
    /// disk may differ from then on.
    failure: OnceLock<String>,
}

impl SledKv {
    /// Opens the database in the folder `path`, which is made when it is missing.
    ///
    /// # Errors
    /// `Open` when the folder is in use by another process, damaged or not accessible.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = |message: String| StoreError::Open { path: path.display().to_string(), message };
        fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
        remove_unfinished_snapshots(path).map_err(|error| failed(error.to_string()))?;
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(|error| failed(error.to_string()))?;
        let log_file = File::open(path.join(LOG_FILE)).map_err(|error| failed(error.to_string()))?;
        // The names of the new files have to be durable too.
        sync_folder(path).map_err(|error| failed(error.to_string()))?;
        Ok(Self { db, path: path.to_path_buf(), log_file, failure: OnceLock::new() })
    }

    fn writable(&self) -> Result<()> {
        match self.failure.get() {
            Some(reason) => Err(StoreError::ReadOnly { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Notes a failed write. Whatever sled reports, the state on the disk is unknown afterwards.
    pub(super) fn write_failed(&self, what: &'static str, message: &str) -> StoreError {
        let reason = self.failure.get_or_init(|| {
            tracing::error!(what, message, "store failed, it takes no more writes");
            format!("failed to {what}: {message}")
        });
        StoreError::ReadOnly { reason: reason.clone() }
    }
}

impl SledKv {
    /// As `Kv::get`.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.db.get(key).map_err(|error| read_failed("get", &error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// As `Kv::chunk`.
    pub(super) fn chunk(&self, range: &KeyRange, reverse: bool, limit: usize) -> Result<Vec<Pair>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let mut pairs = match &range.end {
            Some(end) => self.db.range(range.start.as_slice()..end.as_slice()),
            None => self.db.range(range.start.as_slice()..),
        };
        let mut chunk = Vec::new();
        let mut bytes = 0;
        while chunk.len() < limit && bytes < CHUNK_BYTES {
            let Some(pair) = (if reverse { pairs.next_back() } else { pairs.next() }) else {
                break;
            };
            let (key, value) = pair.map_err(|error| read_failed("scan", &error))?;
            bytes += key.len() + value.len();
            chunk.push((key.to_vec(), value.to_vec()));
        }
        Ok(chunk)
    }

    /// As `Kv::apply`.
    pub(super) fn apply(&self, batch: Batch) -> Result<()> {
        self.writable()?;
        batch.check()?;
        let mut changes = batch.into_changes();
        // A batch makes sled begin a new log buffer, a write each time. A single change is atomic without that.
        let result = match (changes.len(), changes.pop()) {
            (1, Some(Change::Put(key, value))) => self.db.insert(key, value).map(drop),
            (1, Some(Change::Delete(key))) => self.db.remove(key).map(drop),
            (_, last) => self.db.apply_batch(sled_batch(changes.into_iter().chain(last))),
        };
        result.map_err(|error| self.write_failed("apply a batch", &error.to_string()))
    }

    /// As `Kv::flush`.
    pub(super) fn flush(&self) -> Result<()> {
        self.writable()?;
        self.db.flush().map_err(|error| self.write_failed("flush", &error.to_string()))?;
        self.log_file.sync_data().map_err(|error| self.write_failed("sync", &error.to_string()))
    }

    /// As `Kv::size`.
    pub(super) fn size(&self) -> Result<u64> {
        quota::directory_usage(&self.path)
            .map_err(|error| StoreError::Engine { what: "measure its size", message: error.to_string() })
    }

    /// As `Kv::read_only`.
    pub(super) fn read_only(&self) -> Option<String> {
        self.failure.get().cloned()
    }
}

fn sled_batch(changes: impl Iterator<Item = Change>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for change in changes {
        match change {
            Change::Put(key, value) => batch.insert(key, value),
            Change::Delete(key) => batch.remove(key),
        }
    }
    batch
}

fn read_failed(what: &'static str, error: &sled::Error) -> StoreError {
    StoreError::Engine { what, message: error.to_string() }
}

/// Deletes what an interrupted snapshot left behind. Its content is worthless: sled makes it again from its log.
fn remove_unfinished_snapshots(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::info!(file = %name, "removing an unfinished store snapshot");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn an_unfinished_snapshot_does_not_stop_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kv");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("snap.00000000000000FF.generating"), b"half").unwrap();
        let kv = SledKv::open(&path).unwrap();
        assert_eq!(kv.get(b"a").unwrap(), None);
        assert!(!path.join("snap.00000000000000FF.generating").exists());
    }

    // checklist 60: so the rates that one process keeps are all there are.
    #[test]
    fn a_second_open_of_the_same_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let kv = SledKv::open(folder.path()).unwrap();
        let second = SledKv::open(folder.path()).err();
        assert!(matches!(second, Some(StoreError::Open { .. })), "{second:?}");
        drop(kv);
    }

    #[test]
    fn after_a_failed_write_reads_answer_and_writes_name_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let kv = SledKv::open(folder.path()).unwrap();
        let mut batch = Batch::new();
        batch.put("a", "1");
        kv.apply(batch.clone()).unwrap();
        kv.write_failed("flush", "no space left on device");
        let refused = kv.apply(batch);
        assert_eq!(refused, Err(StoreError::ReadOnly { reason: "failed to flush: no space left on device".into() }));
        assert_eq!(kv.flush(), refused);
        assert_eq!(kv.read_only().as_deref(), Some("failed to flush: no space left on device"));
        assert_eq!(kv.get(b"a").unwrap().as_deref(), Some(b"1".as_slice()));
    }
}
