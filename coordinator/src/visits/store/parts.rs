//! Files of sealed parts: opened when asked for, few at a time, and removed when the last reader is gone.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quick_cache::sync::Cache;
use trafficlab_engine::visit::data::DataFault;
use trafficlab_engine::visit::part::{Part, PartSummary, ReadAt, Recent};

use super::error::{Result, VisitsError};
use super::manifest::StoredPart;

/// Open files that are kept at the most, whatever number of parts a question reads; the usual limit of a process is 1024.
const MOST_FILES: usize = 256;
/// Opened parts that are kept at the most; each takes some kilobytes.
const MOST_PARTS: usize = 1024;
/// Memory for dictionaries of parts.
const DICTIONARY_BYTES: usize = 24 * 1024 * 1024;
const SUFFIX: &str = ".part";

/// The file of a part. Once doomed it is removed with its last holder.
#[derive(Debug)]
struct PartFile {
    number: u64,
    path: PathBuf,
    files: Arc<Cache<u64, Arc<File>>>,
    doomed: AtomicBool,
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.doomed.load(Ordering::Acquire) {
            return;
        }
        // Somebody may have read it after it was doomed; an open file would keep its bytes on the disk.
        self.files.remove(&self.number);
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            // It is in no manifest any more, so the next start removes it.
            tracing::warn!(%error, path = %self.path.display(), "a part of visits that is not needed cannot be removed");
        }
    }
}

/// Reads a part's file, which is opened anew when it was not read for long.
#[derive(Debug)]
pub(crate) struct PartReader(Arc<PartFile>);

impl PartReader {
    fn open(&self) -> io::Result<Arc<File>> {
        self.0.files.get_or_insert_with(&self.0.number, || File::open(&self.0.path).map(Arc::new))
    }
}

impl ReadAt for PartReader {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.open()?.read_at(offset, into)
    }

    fn size(&self) -> io::Result<u64> {
        self.open()?.size()
    }
}

/// A part of the manifest.
pub(crate) struct PartHandle {
    pub(crate) number: u64,
    pub(crate) stored: StoredPart,
    file: Arc<PartFile>,
}

impl PartHandle {
    pub(crate) const fn summary(&self) -> &PartSummary {
        &self.stored.summary
    }

    /// Whether visits of [from, until) may lie in it.
    pub(crate) fn overlaps(&self, from_ms: i64, until_ms: i64) -> bool {
        let summary = self.summary();
        summary.first_ms < until_ms && summary.last_ms >= from_ms
    }
}

/// The folder of parts.
pub(crate) struct Parts {
    folder: PathBuf,
    files: Arc<Cache<u64, Arc<File>>>,
    opened: Cache<u64, Arc<Part<PartReader>>>,
    dictionaries: Arc<Recent>,
}

impl Parts {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            files: Arc::new(Cache::new(MOST_FILES)),
            opened: Cache::new(MOST_PARTS),
            dictionaries: Arc::new(Recent::new(DICTIONARY_BYTES)),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The handle of a part of the manifest, or of one that was just written.
    pub(crate) fn handle(&self, number: u64, stored: StoredPart) -> Arc<PartHandle> {
        let (path, files) = (self.path(number), Arc::clone(&self.files));
        let file = PartFile { number, path, files, doomed: AtomicBool::new(false) };
        Arc::new(PartHandle { number, stored, file: Arc::new(file) })
    }

    /// Opens a part.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub(crate) fn open(&self, part: &PartHandle) -> std::result::Result<Arc<Part<PartReader>>, DataFault> {
        let opened = self.opened.get_or_insert_with(&part.number, || {
            Part::open_with(PartReader(Arc::clone(&part.file)), Arc::clone(&self.dictionaries)).map(Arc::new)
        });
        if part.file.doomed.load(Ordering::Acquire) {
            // Doomed while it was looked up: it must not stay here.
            self.opened.remove(&part.number);
        }
        opened
    }

    /// Writes the file of a part and makes its bytes durable; its name is when the folder was synced. What there is after
    /// an error is removed.
    ///
    /// # Errors
    /// `Io`, `Full`, `Damaged`.
    pub(crate) fn write(
        &self,
        number: u64,
        content: impl FnOnce(&mut BufWriter<File>) -> std::result::Result<PartSummary, DataFault>,
    ) -> Result<PartSummary> {
        let path = self.path(number);
        let written = File::create(&path).map_err(DataFault::Io).and_then(|file| {
            let mut out = BufWriter::with_capacity(256 * 1024, file);
            let summary = content(&mut out)?;
            out.flush()?;
            out.get_ref().sync_all()?;
            Ok(summary)
        });
        written.map_err(|fault| {
            self.discard(number);
            match fault {
                DataFault::Io(error) => VisitsError::io("write", &path, &error),
                other => other.into(),
            }
        })
    }

    /// Removes a file that no manifest names.
    pub(crate) fn discard(&self, number: u64) {
        let path = self.path(number);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %path.display(), "a file of visits cannot be removed");
        }
    }

    /// Lets a part go that no manifest names any more: nobody finds it, and its file goes with its last reader.
    pub(crate) fn doom(&self, part: &PartHandle) {
        part.file.doomed.store(true, Ordering::Release);
        self.opened.remove(&part.number);
    }

    /// The numbers of all files.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn numbers(&self) -> Result<BTreeSet<u64>> {
        let failed = |error: io::Error| VisitsError::io("list", &self.folder, &error);
        let mut numbers = BTreeSet::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            numbers.extend(
                name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|text| text.parse::<u64>().ok()),
            );
        }
        Ok(numbers)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:010}{SUFFIX}"))
    }
}
