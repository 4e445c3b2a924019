//! Writing the file of an import: under another name until it is whole and durable.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::chunk::{self, Chunk, HEAD};
use super::table::{Numbers, TableKind};
use super::{ENDING, ImportedError};
use crate::store::sync_folder;

/// How the names of files end that are being written.
pub(super) const DRAFT: &str = "draft";

/// The file of an import while it is written; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Writer {
    id: String,
    draft: PathBuf,
    file: File,
    open: BTreeMap<TableKind, Chunk>,
    rows: u64,
}

impl Writer {
    pub(super) fn new(folder: &Path, id: &str, site: &str) -> Result<Self, ImportedError> {
        let draft = folder.join(id).with_extension(DRAFT);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let head = chunk::frame(HEAD, (0, 0), 0, site.as_bytes())?;
        let id = id.to_owned();
        file.write_all(&head)?;
        Ok(Self { id, draft, file, open: BTreeMap::new(), rows: 0 })
    }

    /// Adds a row; texts in the order of the table's columns.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn row<'a>(
        &mut self,
        kind: TableKind,
        day: i32,
        texts: impl IntoIterator<Item = &'a str>,
        numbers: Numbers,
    ) -> Result<(), ImportedError> {
        let chunk = self.open.entry(kind).or_insert_with(|| Chunk::new(kind));
        chunk.push(day, texts, numbers);
        self.rows += 1;
        if chunk.is_full() {
            self.file.write_all(&chunk.encode()?)?;
            self.open.remove(&kind);
        }
        Ok(())
    }

    /// Rows so far.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what is left, and makes the file and its name durable.
    pub(super) fn finish(mut self, folder: &Path) -> Result<PathBuf, ImportedError> {
        for chunk in std::mem::take(&mut self.open).into_values() {
            self.file.write_all(&chunk.encode()?)?;
        }
        self.file.sync_all()?;
        let path = folder.join(&self.id).with_extension(ENDING);
        fs::rename(&self.draft, &path)?;
        sync_folder(folder)?;
        Ok(path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After `finish` the draft has another name, and then there is nothing to remove.
        if let Err(error) = fs::remove_file(&self.draft)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the file of an import that failed cannot be removed");
        }
    }
}
