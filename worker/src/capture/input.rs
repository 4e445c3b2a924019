//! Where a file's bytes come from: the shared folder, or the object store in pieces.

use std::fs::File;
use std::io::Read;

use crate::job::pieces::Pieces;

/// One of both.
pub(super) enum Input {
    /// The file itself.
    File(File),
    /// Its bytes as they come.
    Pieces(Pieces),
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Pieces(pieces) => pieces.read(into),
        }
    }
}

/// The file at `path` if it is there and as long as it was when the job was made.
pub(super) fn shared_file(path: &str, bytes: u64) -> Option<File> {
    let file = File::open(path).ok()?;
    let found = file.metadata().ok()?;
    (found.is_file() && found.len() == bytes).then_some(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn only_the_same_file_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap");
        std::fs::write(&path, b"1234").unwrap();
        let path = path.to_str().unwrap();
        assert!(shared_file(path, 4).is_some());
        assert!(shared_file(path, 5).is_none());
        assert!(shared_file(folder.path().to_str().unwrap(), 4096).is_none());
        assert!(shared_file("", 0).is_none());
    }
}
