//! Live capture over libpcap, and the packets it keeps on disk: the only place that knows libpcap.

mod batch;
mod headers;
mod interfaces;
mod kept;
mod taking;
mod tap;

pub(crate) use batch::Batch;
pub(crate) use interfaces::Interfaces;
pub(crate) use kept::KeptFiles;
pub(crate) use taking::{Hand, Taken};
pub(crate) use tap::Tap;

/// Why packets cannot be taken; a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CaptureFault(pub(crate) String);
