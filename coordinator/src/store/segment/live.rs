//! How many bytes of each segment file are still wanted, so that files without any can be removed.
//!
//! Nothing of this is stored: the caller adds the locations of all its extents at open.

use std::collections::BTreeMap;

use super::Location;

/// Live bytes per file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveBytes {
    files: BTreeMap<u32, u64>,
}

impl LiveBytes {
    /// No live bytes anywhere.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frame is wanted.
    pub fn add(&mut self, location: Location) {
        let bytes = self.files.entry(location.file).or_default();
        *bytes = bytes.saturating_add(location.len.into());
    }

    /// A frame is not wanted any more.
    pub fn remove(&mut self, location: Location) {
        if let Some(bytes) = self.files.get_mut(&location.file) {
            *bytes = bytes.saturating_sub(location.len.into());
        }
    }

    /// Live bytes of a file.
    pub fn of(&self, file: u32) -> u64 {
        self.files.get(&file).copied().unwrap_or(0)
    }

    /// Live bytes of all files.
    pub fn total(&self) -> u64 {
        self.files.values().sum()
    }

    /// Those of the `existing` files that may be removed: nothing in them is alive, and they lie before `committed_file`,
    /// the file of the position that is stored as committed. That one must stay even when it is empty of live frames.
    pub fn dead_files(&self, existing: &[u32], committed_file: u32) -> Vec<u32> {
        existing.iter().copied().filter(|file| *file < committed_file && self.of(*file) == 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_dies_with_its_last_frame_but_never_the_committed_one() {
        let at = |file, offset| Location { file, offset, len: 10 };
        let mut live = LiveBytes::new();
        for location in [at(0, 0), at(0, 10), at(1, 0), at(2, 0)] {
            live.add(location);
        }
        live.remove(at(0, 0));
        live.remove(at(1, 0));
        live.remove(at(2, 0));
        assert_eq!((live.of(0), live.total()), (10, 10));
        assert_eq!(live.dead_files(&[0, 1, 2], 2), [1]);
        live.remove(at(0, 10));
        assert_eq!(live.dead_files(&[0, 1, 2], 2), [0, 1]);
    }
}
