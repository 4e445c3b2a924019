//! The file on its way to the log: what the engine writes, in pieces.

use std::io::{Error, Result, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::job::thread::Flags;

/// Bytes of a piece: a record stays well below the broker's bound of a message.
const PIECE: usize = 256 * 1024;

/// The next bytes of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Rows written so far.
    pub(super) rows: u64,
}

/// The writing end; for blocking threads. It waits while the log is slow, so no more than some pieces are held.
pub(super) struct Output {
    to: mpsc::Sender<Piece>,
    flags: Flags,
    held: Vec<u8>,
    rows: Arc<AtomicU64>,
}

impl Output {
    pub(super) fn new(to: mpsc::Sender<Piece>, flags: Flags) -> Self {
        Self { to, flags, held: Vec::with_capacity(PIECE), rows: Arc::default() }
    }

    /// Where to say how many rows were written.
    pub(super) fn rows(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.rows)
    }

    fn send(&mut self) -> Result<()> {
        self.flags.bump();
        let bytes = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE)).into();
        let piece = Piece { bytes, rows: self.rows.load(Ordering::Relaxed) };
        self.to.blocking_send(piece).map_err(|_gone| Error::other("nobody takes the file any more"))
    }

    /// Sends what is held back.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.held.is_empty() { Ok(()) } else { self.send() }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.flags.stopped() {
            return Err(Error::other("stopped"));
        }
        let taken = bytes.len().min(PIECE - self.held.len());
        self.held.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.held.len() >= PIECE {
            self.send()?;
        }
        Ok(taken)
    }

    /// Pieces are sent when they are full; what a format flushes in between is not worth one.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_file_is_cut_into_pieces_and_all_of_it_arrives() {
        // checklist 49
        let (to, mut from) = mpsc::channel(64);
        let mut output = Output::new(to, Flags::new(&Arc::default()));
        let file: Vec<u8> = (0..3 * PIECE + 17).map(|place| u8::try_from(place % 251).unwrap()).collect();
        for part in file.chunks(10_007) {
            output.write_all(part).unwrap();
        }
        output.finish().unwrap();
        let mut pieces = Vec::new();
        while let Some(piece) = from.blocking_recv() {
            pieces.push(piece.bytes);
        }
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [PIECE, PIECE, PIECE, 17]);
        assert_eq!(pieces.concat(), file);
    }

    #[test]
    fn a_stopped_writer_writes_nothing_more() {
        let (to, from) = mpsc::channel(1);
        let flags = Flags::new(&Arc::default());
        let mut output = Output::new(to, flags.clone());
        flags.stop();
        assert!(output.write(b"x").is_err());
        let mut other = Output::new(output.to.clone(), Flags::new(&Arc::default()));
        drop((output, from));
        other.write_all(b"x").unwrap();
        assert!(other.finish().is_err());
    }
}
