//! Why an import ends early, and why one cannot be taken back.

use std::io;

use crate::store::StoreError;
use crate::visits::imported::ImportedError;
use crate::visits::imported::plausible::ExportFault;
use crate::visits::store::VisitsError;

/// Why an import ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportFault {
    /// The file.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Nobody can say what it is.
    #[error("{0}")]
    Unknown(String),
    /// A site is needed that nobody named.
    #[error("a site is needed for a file of this kind: `site_id`")]
    NoSite,
    /// A file of Plausible.
    #[error(transparent)]
    Export(ExportFault),
    /// The figures cannot be written.
    #[error(transparent)]
    Figures(#[from] ImportedError),
    /// The visits cannot be written.
    #[error(transparent)]
    Visits(#[from] VisitsError),
    /// Random bytes for the salt.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// Somebody said so.
    #[error("cancelled")]
    Cancelled,
    /// A panic.
    #[error("a defect of the server; its log has the details")]
    Defect,
}

impl From<ExportFault> for ImportFault {
    fn from(fault: ExportFault) -> Self {
        match fault {
            ExportFault::Stopped => Self::Cancelled,
            ExportFault::Figures(error) => Self::Figures(error),
            other => Self::Export(other),
        }
    }
}

/// Why what an import brought is not taken back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoveFault {
    /// Its files.
    #[error("the files of an import cannot be removed: {0}")]
    Io(#[from] io::Error),
    /// Its figures.
    #[error(transparent)]
    Figures(#[from] ImportedError),
    /// Its visits.
    #[error(transparent)]
    Visits(#[from] VisitsError),
    /// Its record.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A panic.
    #[error("removing an import panicked")]
    Panicked,
}

impl RemoveFault {
    #[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
    pub(super) fn panicked(error: tokio::task::JoinError) -> Self {
        tracing::error!(%error, "removing an import");
        Self::Panicked
    }
}
