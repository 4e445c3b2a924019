//! Reading and managing segment files. Cheap to clone and usable from any thread, beside the one writer.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::frame::{self, FrameOwned, HEADER_BYTES, Header, MAX_FRAME_BYTES};
use super::scan::FrameScan;
use super::{Committed, Location, Result, SegmentError, file_numbers, file_path};
use crate::store::quota;

/// Files kept open for reading. With 256 MB each they cover 16 GB before a file is opened twice.
const MAX_OPEN_FILES: usize = 64;

/// The folder of segment files.
#[derive(Clone)]
pub struct SegmentDir {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    /// Open files, the most recently used last. A short list behind a plain lock: the search costs less than the read.
    open: Mutex<Vec<(u32, Arc<File>)>>,
}

impl SegmentDir {
    /// The files in `folder`, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { shared: Arc::new(Shared { folder: folder.to_path_buf(), open: Mutex::new(Vec::new()) }) }
    }

    /// The frame at `location`, checked.
    ///
    /// # Errors
    /// `Erased`, `Damaged` when the bytes are not that frame, `Io` for instance when the file was removed.
    pub fn read(&self, location: Location) -> Result<FrameOwned> {
        let file = self.file(location.file)?;
        let header = read_header(&file, location.file, location.offset)?;
        if header.frame_len() != location.len {
            return Err(damaged(location.file, location.offset, "the frame has another length"));
        }
        read_body(&file, location.file, location.offset, &header)?
            .ok_or(SegmentError::Erased { file: location.file, offset: location.offset })
    }

    /// The bytes of the frame at `location` as they lie in the file; of an erased frame the header alone.
    ///
    /// # Errors
    /// As `read`, without `Erased`.
    pub(crate) fn read_raw(&self, location: Location) -> Result<Vec<u8>> {
        let Location { file, offset, len } = location;
        let handle = self.file(file)?;
        let erased = read_header(&handle, file, offset)?.erased;
        let len = if erased { HEADER_BYTES } else { usize::try_from(len).unwrap_or(usize::MAX) };
        let mut bytes = vec![0; len.min(MAX_FRAME_BYTES)];
        handle.read_exact_at(&mut bytes, offset).map_err(|error| damaged(file, offset, error.to_string()))?;
        match frame::check_raw(&bytes) {
            Ok(found) if found == location.len => Ok(bytes),
            Ok(_) => Err(damaged(file, offset, "the frame has another length")),
            Err(reason) => Err(damaged(file, offset, reason)),
        }
    }

    /// The frames of `file` one after the other, to its end or to `limit` bytes.
    pub fn scan(&self, file: u32, limit: Option<u64>) -> Result<FrameScan> {
        let handle = self.file(file)?;
        let path = self.path(file);
        let len = handle.metadata().map_err(|error| SegmentError::io("measure", &path, &error))?.len();
        Ok(FrameScan::new(handle, file, limit.map_or(len, |limit| limit.min(len))))
    }

    /// The numbers of all files, ascending.
    pub fn files(&self) -> Result<Vec<u32>> {
        if self.shared.folder.exists() { file_numbers(&self.shared.folder) } else { Ok(Vec::new()) }
    }

    /// The end of the last file: the position of a log that needs no cutting, used when only the files are left.
    pub fn end(&self) -> Result<Committed> {
        let Some(file) = self.files()?.last().copied() else {
            return Ok(Committed::default());
        };
        let path = self.path(file);
        let len = fs::metadata(&path).map_err(|error| SegmentError::io("measure", &path, &error))?.len();
        Ok(Committed { file, len })
    }

    /// Bytes the files take on the disk; erased frames count as nothing where the file system knows holes.
    pub fn bytes(&self) -> Result<u64> {
        let folder = &self.shared.folder;
        quota::directory_usage(folder).map_err(|error| SegmentError::io("measure", folder, &error))
    }

    /// Deletes a file in which nothing is alive. The file the log writes to must not be given: see `LiveBytes::dead_files`.
    /// A missing file is no error, so that an interrupted clean-up can be repeated.
    pub fn remove_file(&self, file: u32) -> Result<()> {
        self.open_files().retain(|(number, _)| *number != file);
        let path = self.path(file);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(SegmentError::io("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }

    /// The path of a file.
    pub(super) fn path(&self, file: u32) -> PathBuf {
        file_path(&self.shared.folder, file)
    }

    fn open_files(&self) -> std::sync::MutexGuard<'_, Vec<(u32, Arc<File>)>> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, file: u32) -> Result<Arc<File>> {
        let mut open = self.open_files();
        if let Some(index) = open.iter().position(|(number, _)| *number == file) {
            let entry = open.remove(index);
            let handle = Arc::clone(&entry.1);
            open.push(entry);
            return Ok(handle);
        }
        let path = self.path(file);
        let handle = Arc::new(File::open(&path).map_err(|error| SegmentError::io("open", &path, &error))?);
        if open.len() >= MAX_OPEN_FILES {
            open.remove(0);
        }
        open.push((file, Arc::clone(&handle)));
        Ok(handle)
    }
}

pub(super) fn damaged(file: u32, offset: u64, reason: impl Into<String>) -> SegmentError {
    SegmentError::Damaged { file, offset, reason: reason.into() }
}

pub(super) fn read_header(handle: &File, file: u32, offset: u64) -> Result<Header> {
    let mut bytes = [0; HEADER_BYTES];
    handle.read_exact_at(&mut bytes, offset).map_err(|error| damaged(file, offset, error.to_string()))?;
    Header::parse(&bytes).map_err(|reason| damaged(file, offset, reason))
}

/// The content of a frame whose header was read; `None` when it was erased.
pub(super) fn read_body(handle: &File, file: u32, offset: u64, header: &Header) -> Result<Option<FrameOwned>> {
    if header.erased {
        return Ok(None);
    }
    let mut body = vec![0; header.body_len()];
    let begin = offset.saturating_add(u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX));
    handle.read_exact_at(&mut body, begin).map_err(|error| damaged(file, offset, error.to_string()))?;
    header.open_body(body).map(Some).map_err(|reason| damaged(file, offset, reason))
}
