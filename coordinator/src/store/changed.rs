//! The keys that are written while a compaction copies the store.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::kv::{Batch, Result, StoreError};

/// More changed keys than this make a compaction give up: they are held in memory.
const MOST: usize = 200_000;

/// The keys of a compaction that is under way; nothing while there is none.
#[derive(Debug, Default)]
pub(super) struct Changed {
    noted: Mutex<Option<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    keys: BTreeSet<Vec<u8>>,
    too_many: bool,
}

impl Changed {
    /// Begins to note.
    pub(super) fn start(&self) {
        *self.noted() = Some(Noted::default());
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        *self.noted() = None;
    }

    /// The keys of a batch, when they have to be noted after it was applied.
    pub(super) fn keys_of(&self, batch: &Batch) -> Option<Vec<Vec<u8>>> {
        self.noted().is_some().then(|| batch.keys().map(<[u8]>::to_vec).collect())
    }

    /// Notes keys that were written.
    pub(super) fn note(&self, keys: Option<Vec<Vec<u8>>>) {
        let Some(keys) = keys else { return };
        if let Some(noted) = self.noted().as_mut() {
            noted.keys.extend(keys);
            if noted.keys.len() > MOST {
                noted.too_many = true;
                noted.keys.clear();
            }
        }
    }

    /// Takes the keys noted so far, and goes on noting.
    ///
    /// # Errors
    /// `Engine` when they were too many.
    pub(super) fn take(&self) -> Result<BTreeSet<Vec<u8>>> {
        match self.noted().as_mut() {
            Some(Noted { too_many: true, .. }) => {
                Err(StoreError::Engine { what: "compact", message: "too much is written at the same time".into() })
            }
            Some(noted) => Ok(std::mem::take(&mut noted.keys)),
            None => Ok(BTreeSet::new()),
        }
    }

    fn noted(&self) -> MutexGuard<'_, Option<Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn keys_are_noted_between_start_and_stop_only_and_bounded() {
        let changed = Changed::default();
        let mut batch = Batch::new();
        batch.put("a", "1");
        batch.delete("b");
        assert_eq!(changed.keys_of(&batch), None);
        changed.start();
        changed.note(changed.keys_of(&batch));
        assert_eq!(changed.take().unwrap(), [b"a".to_vec(), b"b".to_vec()].into());
        assert!(changed.take().unwrap().is_empty());
        let many = (0..=MOST).map(|number| number.to_be_bytes().to_vec()).collect();
        changed.note(Some(many));
        assert!(matches!(changed.take(), Err(StoreError::Engine { what: "compact", .. })));
        changed.stop();
        assert_eq!(changed.keys_of(&batch), None);
    }
}
