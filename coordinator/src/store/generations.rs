//! The key-value store as generations of an engine's folder: the way to get old values off the disk.
//!
//! The engine appends to a log and leaves what was replaced or removed readable in its file, for how long nobody knows.
//! Compaction copies what is there into a fresh folder, makes a pointer name it and deletes the old one:
//! ```text
//! LOCK        locked by the process that has the store open
//! CURRENT     name of the folder that counts; without it `kv` does, which is the first
//! kv-000002   that folder
//! ```
//! The pointer is replaced by a rename, so at every moment exactly one whole folder counts; every other one is left over
//! from a compaction that did not end and is deleted when the store is opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::changed::Changed;
use super::kv::{Batch, KeyRange, Kv, Pair, Result, StoreError};
use super::sled_kv::SledKv;
use super::{quota, sync_folder};

const FIRST: &str = "kv";
const POINTER: &str = "CURRENT";
const NEW_POINTER: &str = "CURRENT.new";
const LOCK: &str = "LOCK";
/// Pairs that are copied with one batch.
const COPIED_PAIRS: usize = 256;
/// Batches between two flushes of the copy, so that little of it waits in memory.
const FLUSH_EVERY: usize = 32;
/// So few changed keys are copied while writers wait.
const LAST_KEYS: usize = 256;
/// Bytes of the disk that a copy leaves free.
const KEPT_FREE: u64 = 64 << 20;
/// After so many rounds the rest is copied while writers wait, however many they are.
const ROUNDS: usize = 20;

/// How far a compaction is, for tests that stop there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A part is copied.
    Copying,
    /// Everything is in the new folder, but nothing points to it.
    Copied,
    /// The new pointer lies beside the old one.
    Prepared,
    /// The new pointer counts; the old folder is still there.
    Pointed,
    /// The old folder is gone.
    Removed,
}

/// The store of a folder.
pub struct Generations {
    folder: PathBuf,
    current: RwLock<Current>,
    /// Held shared by writers, and alone at the beginning and end of a compaction.
    writers: RwLock<()>,
    /// The keys that were written since the compaction began that is under way.
    changed: Changed,
    compacting: Mutex<()>,
    /// Keeps other processes out until it is dropped, after the engine.
    _lock: File,
}

struct Current {
    name: String,
    kv: SledKv,
}

impl Generations {
    /// Opens the store in `folder`, which is made when it is missing.
    ///
    /// # Errors
    /// `Open` when another process has it open, or when its files are damaged or not accessible.
    pub fn open(folder: &Path) -> Result<Self> {
        let failed =
            |error: io::Error| StoreError::Open { path: folder.display().to_string(), message: error.to_string() };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(folder).map_err(failed)?;
        let name = pointed(folder).map_err(failed)?;
        let kv = SledKv::open(&folder.join(&name))?;
        remove_leftovers(folder, &name).map_err(failed)?;
        Ok(Self {
            folder: folder.to_owned(),
            current: RwLock::new(Current { name, kv }),
            writers: RwLock::new(()),
            changed: Changed::default(),
            compacting: Mutex::new(()),
            _lock: lock,
        })
    }

    fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// `compact`, telling `reached` of each step.
    pub(super) fn compact_watched(&self, reached: &mut dyn FnMut(Step)) -> Result<()> {
        let _alone: MutexGuard<'_, ()> = self.compacting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = self.read_only() {
            return Err(StoreError::ReadOnly { reason });
        }
        self.must_have_room()?;
        let name = successor(&self.current().name);
        let path = self.folder.join(&name);
        let done = self.copy_and_swap(&name, &path, reached);
        self.changed.stop();
        if done.is_err() && self.current().name != name {
            remove_folder(&path).map_err(|error| failed(&error))?;
        }
        done
    }

    /// Refuses to fill up the disk: the store itself would take no more writes then.
    fn must_have_room(&self) -> Result<()> {
        let space = quota::space(&self.folder).map_err(|error| failed(&error))?;
        if has_room(self.size()?, space.free) {
            return Ok(());
        }
        Err(StoreError::Engine { what: "compact", message: "the disk has no room for a second copy".into() })
    }

    fn copy_and_swap(&self, name: &str, path: &Path, reached: &mut dyn FnMut(Step)) -> Result<()> {
        // An earlier one may have failed to delete its old folder.
        remove_leftovers(&self.folder, &self.current().name).map_err(|error| failed(&error))?;
        let copy = SledKv::open(path)?;
        {
            // Whoever writes after this is noted; whoever wrote before it is seen by the copy.
            let _none = self.writers.write().unwrap_or_else(PoisonError::into_inner);
            self.changed.start();
        }
        self.copy_all(&copy, reached)?;
        for _ in 0..ROUNDS {
            if self.catch_up(&copy)? <= LAST_KEYS {
                break;
            }
        }
        copy.flush()?;
        reached(Step::Copied);
        let old = {
            let _none = self.writers.write().unwrap_or_else(PoisonError::into_inner);
            self.catch_up(&copy)?;
            copy.flush()?;
            self.point_to(name, reached).map_err(|error| failed(&error))?;
            let new = Current { name: name.to_owned(), kv: copy };
            let old = std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), new);
            if let Err(error) = sync_folder(&self.folder) {
                // After a loss of power the old pointer may count again, so nothing more may be written.
                return Err(self.current().kv.write_failed("make its pointer durable", &error.to_string()));
            }
            old
        };
        reached(Step::Pointed);
        let old_path = self.folder.join(&old.name);
        drop(old);
        remove_folder(&old_path).map_err(|error| failed(&error))?;
        reached(Step::Removed);
        Ok(())
    }

    /// Copies every pair, each as it is when its turn comes.
    fn copy_all(&self, copy: &SledKv, reached: &mut dyn FnMut(Step)) -> Result<()> {
        let mut range = KeyRange::all();
        for copied in 1.. {
            let pairs = self.current().kv.chunk(&range, false, COPIED_PAIRS)?;
            let Some((last, _)) = pairs.last() else { break };
            range.start.clone_from(last);
            range.start.push(0);
            let mut batch = Batch::new();
            for (key, value) in pairs {
                batch.put(key, value);
            }
            copy.apply(batch)?;
            if copied % FLUSH_EVERY == 0 {
                copy.flush()?;
                reached(Step::Copying);
            }
        }
        Ok(())
    }

    /// Copies what was written meanwhile, and answers how many keys that were.
    fn catch_up(&self, copy: &SledKv) -> Result<usize> {
        let keys = self.changed.take()?;
        for (at, key) in keys.iter().enumerate() {
            let mut batch = Batch::new();
            match self.current().kv.get(key)? {
                Some(value) => batch.put(key.as_slice(), value),
                None => batch.delete(key.as_slice()),
            }
            copy.apply(batch)?;
            if at % (FLUSH_EVERY * COPIED_PAIRS) == FLUSH_EVERY * COPIED_PAIRS - 1 {
                copy.flush()?;
            }
        }
        Ok(keys.len())
    }

    fn point_to(&self, name: &str, reached: &mut dyn FnMut(Step)) -> io::Result<()> {
        let new = self.folder.join(NEW_POINTER);
        let mut file = File::create(&new)?;
        writeln!(file, "{name}")?;
        file.sync_all()?;
        reached(Step::Prepared);
        fs::rename(&new, self.folder.join(POINTER))
    }
}

impl Kv for Generations {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.current().kv.get(key)
    }

    fn chunk(&self, range: &KeyRange, reverse: bool, limit: usize) -> Result<Vec<Pair>> {
        self.current().kv.chunk(range, reverse, limit)
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        let _writing = self.writers.read().unwrap_or_else(PoisonError::into_inner);
        let keys = self.changed.keys_of(&batch);
        self.current().kv.apply(batch)?;
        // Only now: the compaction reads what it finds noted, and must find the new value.
        self.changed.note(keys);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        self.current().kv.flush()
    }

    fn compact(&self) -> Result<()> {
        self.compact_watched(&mut |_| ())
    }

    fn size(&self) -> Result<u64> {
        self.current().kv.size()
    }

    fn read_only(&self) -> Option<String> {
        self.current().kv.read_only()
    }
}

/// Whether a second copy of a store leaves some of the free bytes free.
const fn has_room(store: u64, free: u64) -> bool {
    free > store.saturating_add(KEPT_FREE)
}

fn failed(error: &io::Error) -> StoreError {
    StoreError::Engine { what: "compact", message: error.to_string() }
}

fn lock(folder: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::other("another process has it open")),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// The name of the folder that counts.
fn pointed(folder: &Path) -> io::Result<String> {
    let text = match fs::read_to_string(folder.join(POINTER)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FIRST.to_owned()),
        Err(error) => return Err(error),
    };
    let name = text.trim_end();
    if number(name).is_none() {
        return Err(io::Error::other(format!("`{POINTER}` names no folder of the store")));
    }
    if !folder.join(name).is_dir() {
        // An empty store would be made in its place.
        return Err(io::Error::other(format!("the folder `{name}` that `{POINTER}` names is missing")));
    }
    Ok(name.to_owned())
}

/// The number of a folder's name.
fn number(name: &str) -> Option<u32> {
    if name == FIRST {
        return Some(1);
    }
    name.strip_prefix("kv-").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn successor(name: &str) -> String {
    format!("kv-{:06}", number(name).unwrap_or(1).saturating_add(1))
}

/// Removes what a compaction left that did not end.
fn remove_leftovers(folder: &Path, current: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if number(&name).is_some() && *name != *current {
            tracing::info!(folder = %name, "removing what an unfinished compaction left");
            remove_folder(&folder.join(&*name))?;
        }
    }
    match fs::remove_file(folder.join(NEW_POINTER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_never_fills_the_disk() {
        assert!(has_room(1 << 30, 2 << 30));
        assert!(!has_room(1 << 30, 1 << 30) && !has_room(0, KEPT_FREE) && !has_room(u64::MAX, u64::MAX));
    }

    #[test]
    fn folders_are_numbered() {
        assert_eq!((successor("kv"), successor("kv-000002")), ("kv-000002".to_owned(), "kv-000003".to_owned()));
        for other in ["kv-", "kv-2x", "kv2", "kv-000002.old", "segments", "../kv"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
