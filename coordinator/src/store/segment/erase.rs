//! Erasing frames inside files that live on: their bytes are gone from the disk, their neighbours keep their places.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::dir::{SegmentDir, damaged, read_header};
use super::frame::{HEADER_BYTES, STATE_ERASED, STATE_OFFSET};
use super::{Location, Result, SegmentError};

static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

impl SegmentDir {
    /// Erases the frames at `locations` and returns when that is on the disk. Where the file system can, their blocks are
    /// given back; everywhere they are overwritten with zeros.
    ///
    /// Erasing twice is harmless. After an error or a crash the caller repeats the call, so it should forget its extents
    /// only afterwards. A file that is gone already is no error.
    ///
    /// # Errors
    /// `Damaged` when a location is not a frame, in which case nothing of it is touched; `Io`.
    pub fn erase(&self, locations: &[Location]) -> Result<()> {
        let mut sorted = locations.to_vec();
        sorted.sort_unstable();
        for group in sorted.chunk_by(|left, right| left.file == right.file) {
            let Some(number) = group.first().map(|location| location.file) else {
                continue;
            };
            let path = self.path(number);
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(|error| SegmentError::io("open", &path, &error))?,
            };
            erase_in_file(&file, &path, group)?;
        }
        Ok(())
    }
}

fn erase_in_file(file: &File, path: &Path, locations: &[Location]) -> Result<()> {
    let failed = |error: io::Error| SegmentError::io("erase in", path, &error);
    for location in locations {
        let header = read_header(file, location.file, location.offset)?;
        if header.frame_len() != location.len {
            return Err(damaged(location.file, location.offset, "the frame has another length"));
        }
        // The mark comes first: were it last, a crash between would leave a frame that looks damaged.
        file.write_all_at(&[STATE_ERASED], location.offset + STATE_OFFSET).map_err(failed)?;
        let begin = location.offset + u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
        let len = u64::try_from(header.body_len()).unwrap_or(u64::MAX);
        blank(file, begin, len).map_err(failed)?;
    }
    file.sync_data().map_err(failed)
}

/// Makes `len` bytes from `begin` zero, and free where possible.
fn blank(file: &File, begin: u64, len: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, begin, len) {
        // Not every file system knows holes, and some kernels' containers filter the call.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => overwrite(file, begin, len),
        result => Ok(result?),
    }
}

fn overwrite(file: &File, mut begin: u64, mut len: u64) -> io::Result<()> {
    while len > 0 {
        let part = usize::try_from(len).unwrap_or(usize::MAX).min(ZEROS.len());
        let zeros = ZEROS.get(..part).unwrap_or(&ZEROS);
        file.write_all_at(zeros, begin)?;
        let written = u64::try_from(zeros.len()).unwrap_or(u64::MAX);
        begin = begin.saturating_add(written);
        len = len.saturating_sub(written);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn overwriting_blanks_exactly_the_range() {
        for blanking in [overwrite, blank] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, &vec![7; 200_000]).unwrap();
            blanking(&file, 1000, 150_000).unwrap();
            let mut bytes = vec![1; 200_000];
            file.read_exact_at(&mut bytes, 0).unwrap();
            let expected: Vec<u8> = (0..200_000).map(|at| if (1000..151_000).contains(&at) { 0 } else { 7 }).collect();
            assert!(bytes == expected);
        }
    }
}
