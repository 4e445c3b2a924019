//! Where a file's bytes come from: the shared folder, or the object store in pieces.

use std::fs::File;
use std::io::Read;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

/// Pieces on their way between the broker and the engine: 2 MiB.
pub(super) const PIECES: usize = 8;

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

/// The receiving end of a stream of pieces; for blocking threads.
pub(super) struct Pieces {
    from: mpsc::Receiver<std::io::Result<Bytes>>,
    now: Bytes,
    /// Bytes still to come: an end before them is a break.
    left: u64,
}

impl Pieces {
    pub(super) const fn new(from: mpsc::Receiver<std::io::Result<Bytes>>, length: u64) -> Self {
        Self { from, now: Bytes::new(), left: length }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.now.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.now = piece?,
                None if self.left == 0 => return Ok(0),
                None => return Err(std::io::Error::other(format!("{} bytes are missing at the end", self.left))),
            }
        }
        let length = self.now.len().min(into.len());
        self.left = self.left.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        self.now.split_to(length).copy_to_slice(into.get_mut(..length).unwrap_or_default());
        Ok(length)
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
    fn pieces_are_read_as_one_stream_and_a_break_is_no_end() {
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"hello "))).unwrap();
        to.try_send(Ok(Bytes::new())).unwrap();
        to.try_send(Ok(Bytes::from_static(b"world"))).unwrap();
        drop(to);
        let mut text = String::new();
        Input::Pieces(Pieces::new(from, 11)).read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello world");
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"x"))).unwrap();
        to.try_send(Err(std::io::Error::other("broke off"))).unwrap();
        drop(to);
        let mut all = Vec::new();
        assert_eq!(Pieces::new(from, 1).read_to_end(&mut all).unwrap_err().to_string(), "broke off");
        let (to, from) = mpsc::channel(4);
        to.try_send(Ok(Bytes::from_static(b"x"))).unwrap();
        drop(to);
        let missing = Pieces::new(from, 3).read_to_end(&mut all).unwrap_err();
        assert_eq!(missing.to_string(), "2 bytes are missing at the end");
    }

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
