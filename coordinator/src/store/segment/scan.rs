//! Walking through a segment file frame by frame, for rebuilding, dumping and checking. One frame is in memory at a time.

use std::fs::File;
use std::sync::Arc;

use super::dir::{damaged, read_body, read_header};
use super::frame::FrameOwned;
use super::{Location, Result};

/// A frame as a scan meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// Where it lies.
    pub location: Location,
    /// Its content; `None` when it was erased.
    pub frame: Option<FrameOwned>,
}

/// Iterator over the frames of a file. The first damaged frame is an error with its place, and the last item.
pub struct FrameScan {
    handle: Arc<File>,
    file: u32,
    offset: u64,
    end: u64,
    failed: bool,
}

impl FrameScan {
    pub(super) fn new(handle: Arc<File>, file: u32, end: u64) -> Self {
        Self { handle, file, offset: 0, end, failed: false }
    }

    /// Where the next frame begins; after an error, where the damaged one does.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn read_next(&self) -> Result<Scanned> {
        let header = read_header(&self.handle, self.file, self.offset)?;
        let location = Location { file: self.file, offset: self.offset, len: header.frame_len() };
        if self.offset.saturating_add(location.len.into()) > self.end {
            return Err(damaged(self.file, self.offset, "the frame is cut off"));
        }
        let frame = read_body(&self.handle, self.file, self.offset, &header)?;
        Ok(Scanned { location, frame })
    }
}

impl Iterator for FrameScan {
    type Item = Result<Scanned>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset >= self.end {
            return None;
        }
        let result = self.read_next();
        match &result {
            Ok(scanned) => self.offset += u64::from(scanned.location.len),
            Err(_) => self.failed = true,
        }
        Some(result)
    }
}
