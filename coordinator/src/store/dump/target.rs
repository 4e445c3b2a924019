//! The files of a restore while they are made.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::files::RestoredFiles;
use super::lines::LineError;
use super::{DumpCounts, DumpError, FileLine, SegmentLine};
use crate::store::generations::Generations;
use crate::store::kv::{Batch, Kv as _};
use crate::store::segment::{file_path, frame};
use crate::store::{SEGMENT_FOLDER, sync_folder};

/// Keys and values are applied in batches of about this many bytes.
const BATCH_BYTES: usize = 1024 * 1024;

/// A store in the making.
pub(super) struct Target {
    folder: PathBuf,
    kv: Generations,
    batch: Batch,
    batch_bytes: usize,
    files: SegmentFiles,
    visits: RestoredFiles,
    counts: DumpCounts,
}

impl Target {
    /// Begins an empty store in `folder`, and the files of visits in `visits`.
    pub(super) fn new(folder: &Path, visits: &Path) -> Result<Self, DumpError> {
        let segments = folder.join(SEGMENT_FOLDER);
        fs::create_dir_all(&segments).map_err(DumpError::io("create the restored folder"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            kv: Generations::open(folder)?,
            batch: Batch::new(),
            batch_bytes: 0,
            files: SegmentFiles { folder: segments, current: None },
            visits: RestoredFiles::new(visits).map_err(DumpError::io("create the folder of the restored visits"))?,
            counts: DumpCounts::default(),
        })
    }

    /// What was taken so far.
    pub(super) fn counts(&self) -> DumpCounts {
        self.counts
    }

    /// Takes a key and its value, in Base64.
    pub(super) fn pair(&mut self, key: &str, value: &str) -> Result<(), LineError> {
        let (key, value) = (decode(key)?, decode(value)?);
        self.batch_bytes += key.len() + value.len();
        self.batch.put(key, value);
        self.counts.keys += 1;
        if self.batch_bytes >= BATCH_BYTES {
            self.apply()?;
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), DumpError> {
        self.batch_bytes = 0;
        self.kv.apply(std::mem::take(&mut self.batch))?;
        Ok(self.kv.flush()?)
    }

    /// Takes a frame.
    pub(super) fn segment(&mut self, line: &SegmentLine<'_>) -> Result<(), LineError> {
        let bytes = decode(line.frame)?;
        match frame::check_raw(&bytes) {
            Ok(len) if len == line.len => {}
            Ok(_) => return Err(LineError::Damaged("the frame has another length".into())),
            Err(reason) => return Err(LineError::Damaged(reason.into())),
        }
        self.counts.frames += 1;
        self.files.write(line, &bytes)
    }

    /// Takes a piece of a file of visits.
    pub(super) fn piece(&mut self, line: &FileLine<'_>) -> Result<(), LineError> {
        self.counts.pieces += 1;
        self.visits.take(line, &decode(line.bytes)?)
    }

    /// Makes everything durable.
    pub(super) fn finish(mut self) -> Result<DumpCounts, DumpError> {
        self.apply()?;
        self.files.close().map_err(DumpError::io("write the restored segments"))?;
        self.visits.finish().map_err(DumpError::io("write the restored visits"))?;
        for folder in [&self.files.folder, &self.folder] {
            sync_folder(folder).map_err(DumpError::io("sync the restored folder"))?;
        }
        Ok(self.counts)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, LineError> {
    BASE64.decode(text).map_err(|error| LineError::Damaged(error.to_string()))
}

/// The segment files as they are made again, one after the other.
struct SegmentFiles {
    folder: PathBuf,
    current: Option<Current>,
}

struct Current {
    number: u32,
    file: File,
    len: u64,
}

impl SegmentFiles {
    fn write(&mut self, line: &SegmentLine<'_>, bytes: &[u8]) -> Result<(), LineError> {
        let failed = DumpError::io("write the restored segments");
        match self.write_at_end(line, bytes) {
            Ok(true) => Ok(()),
            Ok(false) => Err(LineError::Damaged("the frame is not where the last one ended".into())),
            Err(error) => Err(failed(error).into()),
        }
    }

    /// Answers false when the frame does not continue its file.
    fn write_at_end(&mut self, line: &SegmentLine<'_>, bytes: &[u8]) -> std::io::Result<bool> {
        let newest = self.current.as_ref().map(|current| current.number);
        if newest.is_none_or(|newest| line.file > newest) {
            self.close()?;
            let path = file_path(&self.folder, line.file);
            let file = OpenOptions::new().write(true).create_new(true).open(path)?;
            self.current = Some(Current { number: line.file, file, len: 0 });
        }
        let Some(current) = &mut self.current else {
            return Ok(false);
        };
        if current.number != line.file || current.len != line.offset {
            return Ok(false);
        }
        current.file.write_all_at(bytes, line.offset)?;
        current.len += u64::from(line.len);
        Ok(true)
    }

    /// Sets the length too: an erased frame at the end is a hole, which no write reached.
    fn close(&mut self) -> std::io::Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        current.file.set_len(current.len)?;
        current.file.sync_all()
    }
}
