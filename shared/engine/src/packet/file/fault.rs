//! What is wrong with a capture file, and where.

/// Why reading a capture ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {offset})")]
pub struct FileFault {
    /// The first byte that makes no sense, counted in the unpacked file.
    pub offset: u64,
    /// The kind of fault.
    pub kind: FileFaultKind,
    /// A sentence for people, lower case.
    pub message: String,
}

/// Kinds of faults of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFaultKind {
    /// Its beginning is that of no capture format we read.
    NotACapture,
    /// It has no bytes at all.
    Empty,
    /// A part of it contradicts the format, or is missing.
    Damaged,
    /// It holds packets of a kind nobody can read.
    UnsupportedLink,
    /// More unpacked bytes than the caller allows.
    TooLarge,
    /// The input cannot be read.
    Io,
}

impl FileFault {
    pub(crate) fn new(kind: FileFaultKind, offset: u64, message: impl Into<String>) -> Self {
        Self { offset, kind, message: message.into() }
    }
}
