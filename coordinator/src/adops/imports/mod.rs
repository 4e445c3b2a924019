//! Figures from files: platforms' exports and plain tables, read wholly and checked, then written as one change.
//!
//! The way of a file: what it is (`file`), whose rows it has (`find`, `gather`), what would become of them (`plan`), and
//! the one change that does it (`write`). Nothing of a file is held but its figures, 48 bytes a row.

pub mod faults;
pub mod file;
mod find;
mod gather;
mod plan;
pub mod record;
#[cfg(test)]
pub(crate) mod samples;
mod write;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::table::{DateOrder, Decimal};
use uuid::Uuid;

use super::campaign::Platform;

pub use gather::{Group, Row, Target};
pub use plan::{Plan, plan};
pub use record::{AdsImport, list};
pub use write::write;

/// Files that are received at once; one more is refused. Many, so that slow senders do not keep others out: a file that is
/// on its way costs disk, which has a reserve, and no memory.
const RECEIVED: usize = 32;
/// Files that are read at once: each may hold two million rows in memory. The others wait for their turn.
const READ: usize = 2;
/// How long a file waits for its turn.
const TURN: Duration = Duration::from_secs(30);
/// Rows with figures of one file.
pub const MOST_ROWS: u64 = 2_000_000;

/// What the sender says about a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// Where its campaigns run.
    pub platform: Option<Platform>,
    /// Make the campaigns that are not there.
    pub create_missing: bool,
    /// Leave out what is wrong and write the rest.
    pub skip: bool,
    /// Add up rows of the same campaign and day.
    pub sum: bool,
    /// How its dates are written.
    pub dates: Option<DateOrder>,
    /// How its fractions are written.
    pub decimal: Option<Decimal>,
    /// The currency of its money.
    pub currency: Option<Currency>,
}

/// Where files lie while they are read, and how many may.
#[derive(Debug)]
pub struct Imports {
    folder: PathBuf,
    received: Arc<Semaphore>,
    read: Arc<Semaphore>,
}

impl Imports {
    /// The place of files under `data_dir`. What an earlier process left there is removed. Blocks.
    #[must_use]
    pub fn open(data_dir: &Path) -> Self {
        let folder = data_dir.join("ads_imports");
        if let Err(error) = std::fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "files of unfinished imports cannot be removed");
        }
        Self { folder, received: Arc::new(Semaphore::new(RECEIVED)), read: Arc::new(Semaphore::new(READ)) }
    }

    /// A place for one file; none when as many as may be are there already.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn place(&self) -> io::Result<Option<Place>> {
        let Ok(permit) = Arc::clone(&self.received).try_acquire_owned() else { return Ok(None) };
        std::fs::create_dir_all(&self.folder)?;
        Ok(Some(Place { file: self.folder.join(Uuid::now_v7().to_string()), _permit: permit }))
    }

    /// Waits for the turn to read a file that is there; none when it does not come soon.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(TURN, Arc::clone(&self.read).acquire_owned()).await.ok()?.ok()
    }
}

/// A file while it is received and read; it is gone when this is.
#[derive(Debug)]
pub struct Place {
    /// Its path.
    pub file: PathBuf,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the file of an import cannot be removed");
        }
    }
}
