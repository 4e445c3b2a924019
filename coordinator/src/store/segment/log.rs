//! The one writer of the segment files.
//!
//! An append writes all frames of a group at once and makes nothing durable; `sync` does that for everything appended
//! before. The caller then stores `position` together with its counters. What lies behind the stored position is cut off
//! at the next open.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use super::{Committed, Location, Result, SegmentError, file_numbers, file_path};
use crate::store::sync_folder;

/// Settings of a log.
#[derive(Debug, Clone, Copy)]
pub struct SegmentOptions {
    /// A file that would grow beyond this many bytes is closed and the next one begun. A longer frame has a file alone.
    pub max_file_bytes: u64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { max_file_bytes: 256 * 1024 * 1024 }
    }
}

/// The writer. There must be only one per folder, which the lock of the key-value store beside it ensures.
pub struct SegmentLog {
    folder: PathBuf,
    options: SegmentOptions,
    current: File,
    position: Committed,
    /// Full files that still await their sync.
    finished: Vec<(PathBuf, File)>,
    new_files: bool,
    broken: Option<String>,
    buffer: Vec<u8>,
}

impl SegmentLog {
    /// Opens the log in `folder`, which is made when it is missing, and cuts it back to `committed`: the position the
    /// caller stored last, or the default for a new store. Newer files are deleted.
    ///
    /// # Errors
    /// `Missing` when committed bytes are not there, `Io`.
    pub fn open(folder: &Path, committed: Committed, options: SegmentOptions) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| SegmentError::io("create", folder, &error))?;
        for file in file_numbers(folder)? {
            if file > committed.file {
                let path = file_path(folder, file);
                fs::remove_file(&path).map_err(|error| SegmentError::io("remove", &path, &error))?;
            }
        }
        let current = open_for_append(folder, committed.file)?;
        let path = file_path(folder, committed.file);
        let found = current.metadata().map_err(|error| SegmentError::io("measure", &path, &error))?.len();
        if found < committed.len {
            return Err(SegmentError::Missing { file: committed.file, found, committed: committed.len });
        }
        if found > committed.len {
            tracing::info!(file = committed.file, found, committed = committed.len, "cutting back the segment log");
            cut(&current, &path, committed.len)?;
        }
        sync_folder(folder).map_err(|error| SegmentError::io("sync", folder, &error))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            options,
            current,
            position: committed,
            finished: Vec::new(),
            new_files: false,
            broken: None,
            buffer: Vec::new(),
        })
    }

    /// The end of everything appended, to be stored as committed after `sync`.
    pub fn position(&self) -> Committed {
        self.position
    }

    /// Writes the frames in their order and answers where each one lies. They are durable after the next `sync`.
    ///
    /// # Errors
    /// `TooLarge` and `Io` (`is_full` tells a full disk): none of the frames is in the log then and the call may be
    /// repeated. `Broken` when the log could not be cut back after an earlier error.
    pub fn append(&mut self, frames: &[Frame<'_>]) -> Result<Vec<Location>> {
        self.usable()?;
        let before = self.position;
        let result = self.write_frames(frames);
        if let Err(error) = &result {
            tracing::warn!(%error, "cutting back the segment log after a failed append");
            if let Err(error) = self.cut_back(before) {
                self.broken = Some(error.to_string());
            }
        }
        result
    }

    /// Makes everything appended durable, with one `fdatasync` per file written since the last call (nearly always one).
    ///
    /// # Errors
    /// `Io`; the log is broken then, because the system forgets what it could not write.
    pub fn sync(&mut self) -> Result<()> {
        self.usable()?;
        let result = self.sync_files();
        if let Err(error) = &result {
            self.broken = Some(error.to_string());
        }
        result
    }

    fn usable(&self) -> Result<()> {
        self.broken.as_ref().map_or(Ok(()), |reason| Err(SegmentError::Broken { reason: reason.clone() }))
    }

    fn write_frames(&mut self, frames: &[Frame<'_>]) -> Result<Vec<Location>> {
        let mut locations = Vec::with_capacity(frames.len());
        self.buffer.clear();
        for frame in frames {
            let begin = self.buffer.len();
            let len = frame::encode(frame, &mut self.buffer)?;
            let end = self.position.len + u64::try_from(begin).unwrap_or(u64::MAX);
            if end > 0 && end.saturating_add(len.into()) > self.options.max_file_bytes {
                let next_file = self.buffer.split_off(begin);
                self.write_buffer()?;
                self.rotate()?;
                self.buffer = next_file;
            }
            let pending = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
            let offset = self.position.len + pending - u64::from(len);
            locations.push(Location { file: self.position.file, offset, len });
        }
        self.write_buffer()?;
        Ok(locations)
    }

    fn write_buffer(&mut self) -> Result<()> {
        self.current
            .write_all_at(&self.buffer, self.position.len)
            .map_err(|error| SegmentError::io("append to", &file_path(&self.folder, self.position.file), &error))?;
        self.position.len += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.buffer.clear();
        Ok(())
    }

    fn rotate(&mut self) -> Result<()> {
        let next = self
            .position
            .file
            .checked_add(1)
            .ok_or_else(|| SegmentError::Broken { reason: "all file numbers are used".into() })?;
        let file = open_for_append(&self.folder, next)?;
        let full = std::mem::replace(&mut self.current, file);
        self.finished.push((file_path(&self.folder, self.position.file), full));
        self.position = Committed { file: next, len: 0 };
        self.new_files = true;
        Ok(())
    }

    fn sync_files(&mut self) -> Result<()> {
        for (path, file) in &self.finished {
            file.sync_data().map_err(|error| SegmentError::io("sync", path, &error))?;
        }
        self.current
            .sync_data()
            .map_err(|error| SegmentError::io("sync", &file_path(&self.folder, self.position.file), &error))?;
        if self.new_files {
            sync_folder(&self.folder).map_err(|error| SegmentError::io("sync", &self.folder, &error))?;
        }
        self.finished.clear();
        self.new_files = false;
        Ok(())
    }

    /// Undoes what was written behind `good`: files begun since are removed, the file of `good` is current again.
    fn cut_back(&mut self, good: Committed) -> Result<()> {
        self.buffer = Vec::new();
        for file in (good.file..self.position.file).map(|before| before + 1) {
            let path = file_path(&self.folder, file);
            fs::remove_file(&path).map_err(|error| SegmentError::io("remove", &path, &error))?;
            self.finished.pop();
        }
        if self.position.file != good.file {
            self.current = open_for_append(&self.folder, good.file)?;
        }
        self.position = good;
        cut(&self.current, &file_path(&self.folder, good.file), good.len)
    }
}

fn open_for_append(folder: &Path, file: u32) -> Result<File> {
    let path = file_path(folder, file);
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| SegmentError::io("open", &path, &error))
}

fn cut(file: &File, path: &Path, len: u64) -> Result<()> {
    file.set_len(len).and_then(|()| file.sync_data()).map_err(|error| SegmentError::io("cut back", path, &error))
}
