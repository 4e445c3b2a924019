//! What can go wrong in the visit store.

use std::io;
use std::path::Path;

use trafficlab_engine::visit::data::DataFault;

use crate::store::StoreError;

/// Why visits are not stored, or stored ones not read. Cloned to everybody whose visit was in a failed write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VisitsError {
    /// There is no room on the disk (or within a quota); the same may work later.
    #[error("no room on the disk for visits: {0}")]
    Full(String),
    /// Too much waits already; the same will work in a moment.
    #[error("too many visits wait to be written")]
    Busy,
    /// The system refused.
    #[error("cannot {what} `{path}`: {message}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file's or folder's name inside the folder of the visits.
        path: String,
        /// What the system said.
        message: String,
    },
    /// Stored bytes are not what was written.
    #[error("stored visits are damaged: {0}")]
    Damaged(String),
    /// The key-value store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store of visits is closed.
    #[error("the store of visits is closed")]
    Closed,
}

impl VisitsError {
    /// An error of the system; a full disk is told apart.
    pub(crate) fn io(what: &'static str, path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
            return Self::Full(error.to_string());
        }
        let path = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::Io { what, path, message: error.to_string() }
    }
}

impl From<DataFault> for VisitsError {
    fn from(fault: DataFault) -> Self {
        match fault {
            DataFault::Io(error) => Self::io("read", Path::new("a part"), &error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Result of the visit store.
pub(crate) type Result<T> = std::result::Result<T, VisitsError>;
