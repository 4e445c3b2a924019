//! The file of an open log. Frames are written one at a time and synced before anybody is told; the file is extended by
//! zeros ahead of them, so that a sync need not write the file's length as well, and the reader stops at the zeros.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::error::{Result, VisitsError};
use crate::store::sync_folder;

/// Zeros are written in steps of this many bytes…
pub(crate) const STEP: usize = 1024 * 1024;
/// …when fewer than these are left.
const AHEAD: u64 = 128 * 1024;
const SUFFIX: &str = ".log";

/// A log that is written.
pub(crate) struct LogFile {
    file: File,
    path: PathBuf,
    /// Where the frames end.
    length: u64,
    /// Where the zeros end.
    extended: u64,
    /// Bytes behind `length` may be no zeros: a write or a sync failed and they could not be cut off.
    dirty: bool,
}

impl LogFile {
    /// Makes the log of this number. What an earlier attempt left there goes.
    ///
    /// # Errors
    /// `Io`, `Full`.
    pub(crate) fn create(folder: &Path, number: u64) -> Result<Self> {
        let path = path(folder, number);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path);
        let file = opened.map_err(|error| VisitsError::io("make", &path, &error))?;
        sync_folder(folder).map_err(|error| VisitsError::io("sync", folder, &error))?;
        Ok(Self { file, path, length: 0, extended: 0, dirty: false })
    }

    /// Bytes of frames.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// Writes a frame and makes it durable. After an error nothing of it is there and the call may be repeated.
    ///
    /// # Errors
    /// `Io`, `Full`.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<()> {
        if self.dirty {
            self.cut_back()?;
        }
        let length = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        self.extend(length);
        self.dirty = true;
        let written = self.file.write_all_at(frame, self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let failed = VisitsError::io("write", &self.path, &error);
            if let Err(error) = self.cut_back() {
                tracing::error!(%error, "a log of visits cannot be cut back; it takes no more until it can");
            }
            return Err(failed);
        }
        self.dirty = false;
        self.length += length;
        self.extended = self.extended.max(self.length);
        Ok(())
    }

    /// Zeros ahead of the frames are a matter of speed: without room for them the frame may still fit.
    fn extend(&mut self, coming: u64) {
        let needed = self.length + coming;
        if needed + AHEAD < self.extended {
            return;
        }
        let zeros = vec![0; STEP.saturating_add(usize::try_from(needed.saturating_sub(self.extended)).unwrap_or(0))];
        match self.file.write_all_at(&zeros, self.extended) {
            Ok(()) => self.extended += u64::try_from(zeros.len()).unwrap_or(0),
            Err(error) => tracing::debug!(%error, "no room for a log of visits to grow into"),
        }
    }

    /// Takes everything behind the good frames away.
    fn cut_back(&mut self) -> Result<()> {
        self.file
            .set_len(self.length)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| VisitsError::io("cut back", &self.path, &error))?;
        self.extended = self.length;
        self.dirty = false;
        Ok(())
    }
}

/// Where the log of this number lies.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}{SUFFIX}"))
}

/// The numbers of all logs, ascending.
///
/// # Errors
/// `Io`.
pub(crate) fn numbers(folder: &Path) -> Result<Vec<u64>> {
    let failed = |error: std::io::Error| VisitsError::io("list", folder, &error);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        numbers
            .extend(name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|text| text.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes the log of this number; one that is gone is no error.
///
/// # Errors
/// `Io`.
pub(crate) fn remove(folder: &Path, number: u64) -> Result<()> {
    let path = path(folder, number);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(VisitsError::io("remove", &path, &error)),
        _ => Ok(()),
    }
}

/// Cuts a log off where its whole frames end, as a crash may have left more.
///
/// # Errors
/// `Io`.
pub(crate) fn cut(folder: &Path, number: u64, length: u64) -> Result<()> {
    let path = path(folder, number);
    let cut = OpenOptions::new().write(true).open(&path).and_then(|file| {
        file.set_len(length)?;
        file.sync_data()
    });
    cut.map_err(|error| VisitsError::io("cut back", &path, &error))
}
