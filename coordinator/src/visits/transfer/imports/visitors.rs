//! The visitors of an import, in a file beside it: they are told apart by salts of that import alone, so removing them
//! removes exactly what the import brought.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Visitors remembered so that they are written once; repetitions in the file do no harm.
const REMEMBERED: usize = 1 << 20;
const BYTES: usize = 8;
/// Visitors that are removed at once, which bounds memory.
pub(super) const AT_ONCE: usize = 1 << 18;

/// Writes visitors. They are durable before the visits they belong to.
#[derive(Debug)]
pub(super) struct Visitors {
    file: File,
    known: HashSet<u64>,
    fresh: Vec<u8>,
}

impl Visitors {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file, known: HashSet::new(), fresh: Vec::new() })
    }

    pub(super) fn add(&mut self, visitor: u64) {
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        if self.known.insert(visitor) {
            self.fresh.extend_from_slice(&visitor.to_le_bytes());
        }
    }

    /// Makes everything added durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.fresh)?;
        self.fresh.clear();
        self.file.sync_data()
    }
}

/// Gives the visitors of a file to `remove`, some at a time; a missing file has none, and a torn last one was never
/// used.
pub(super) fn each<E: From<io::Error>>(path: &Path, mut remove: impl FnMut(&[u64]) -> Result<(), E>) -> Result<(), E> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    loop {
        let mut bytes = Vec::new();
        let most = u64::try_from(AT_ONCE * BYTES).unwrap_or(u64::MAX);
        (&mut file).take(most).read_to_end(&mut bytes)?;
        let mut visitors: Vec<u64> =
            bytes.chunks_exact(BYTES).filter_map(|bytes| bytes.try_into().ok().map(u64::from_le_bytes)).collect();
        if visitors.is_empty() {
            return Ok(());
        }
        visitors.sort_unstable();
        visitors.dedup();
        remove(&visitors)?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;

    #[test]
    fn visitors_come_back_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v");
        let mut visitors = Visitors::create(&path).unwrap();
        [3, 1, 3, u64::MAX].into_iter().for_each(|visitor| visitors.add(visitor));
        visitors.sync().unwrap();
        visitors.add(7);
        visitors.sync().unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[1, 2, 3]).unwrap();
        let mut found = Vec::new();
        each::<io::Error>(&path, |some| {
            found.extend_from_slice(some);
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [1, 3, 7, u64::MAX]);
        each::<io::Error>(&folder.path().join("none"), |_| panic!("there is no file")).unwrap();
    }
}
