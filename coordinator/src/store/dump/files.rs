//! The files of visits in a dump: read piece by piece, and made again.
//!
//! The salts of the day are left out. They must be gone after two days, and a dump may be kept for years; visitors without
//! a name are new ones on the day of a restore.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::lines::LineError;
use super::{DumpError, FileLine};
use crate::store::sync_folder;

/// Bytes of a piece; one is held in memory.
const PIECE: u64 = 1 << 20;
/// The files that are left out.
const LEFT_OUT: [&str; 1] = ["salts"];
/// Folders in folders at the most.
const DEEPEST: usize = 8;

/// A piece of a file.
pub(super) struct Piece<'a> {
    pub(super) path: &'a str,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// Empty for zeros.
    pub(super) bytes: &'a [u8],
}

/// Hands out every file below `folder` piece by piece, in the order of their paths; an empty file is one empty piece.
pub(super) fn each_piece(
    folder: &Path,
    mut take: impl FnMut(Piece<'_>) -> Result<(), DumpError>,
) -> Result<(), DumpError> {
    let failed = || DumpError::io("read the files of visits");
    for path in paths(folder).map_err(failed())? {
        let mut file = File::open(folder.join(&path)).map_err(failed())?;
        let mut offset = 0;
        loop {
            let mut bytes = Vec::new();
            (&mut file).take(PIECE).read_to_end(&mut bytes).map_err(failed())?;
            let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if len == 0 && offset > 0 {
                break;
            }
            let zeros = bytes.iter().all(|byte| *byte == 0);
            take(Piece { path: &path, offset, len, bytes: if zeros { &[] } else { &bytes } })?;
            offset += len;
            if len < PIECE {
                break;
            }
        }
    }
    Ok(())
}

/// All files below a folder, which may be missing, as paths from it.
fn paths(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(inner) = folders.pop() {
        let entries = match fs::read_dir(folder.join(&inner)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound && inner.is_empty() => return Ok(found),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().into_string().or(Err(io::Error::other("a name is not UTF-8")))?;
            let path = if inner.is_empty() { name } else { format!("{inner}/{name}") };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if !LEFT_OUT.contains(&path.as_str()) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The files as they are made again, one after the other.
pub(super) struct RestoredFiles {
    folder: PathBuf,
    current: Option<(String, File, u64)>,
}

impl RestoredFiles {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).create(folder)?;
        Ok(Self { folder: folder.to_owned(), current: None })
    }

    pub(super) fn take(&mut self, line: &FileLine<'_>, bytes: &[u8]) -> Result<(), LineError> {
        let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !is_plain(line.path) || line.len > PIECE || (written != 0 && written != line.len) {
            return Err(LineError::Damaged("a piece of a file has another form".into()));
        }
        let failed = || DumpError::io("write the restored visits");
        if self.current.as_ref().is_none_or(|(path, ..)| path != line.path) {
            self.close().map_err(failed())?;
            let file = self.create(line.path).map_err(failed())?;
            self.current = Some((line.path.to_owned(), file, 0));
        }
        let Some((_, file, end)) = &mut self.current else {
            return Ok(());
        };
        if *end != line.offset {
            return Err(LineError::Damaged("a piece is not where the last one ended".into()));
        }
        file.write_all_at(bytes, line.offset).map_err(failed())?;
        *end += line.len;
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<File> {
        let path = self.folder.join(path);
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    /// Sets the length too: zeros at the end are a hole, which no write reached.
    fn close(&mut self) -> io::Result<()> {
        let Some((_, file, len)) = self.current.take() else {
            return Ok(());
        };
        file.set_len(len)?;
        file.sync_all()
    }

    /// Makes the files and all their names durable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.close()?;
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
            sync_folder(&folder)?;
        }
        Ok(())
    }
}

/// Whether a path stays below its folder.
fn is_plain(path: &str) -> bool {
    let mut components = Path::new(path).components();
    let count = path.split('/').count();
    !path.is_empty() && count <= DEEPEST && components.all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn paths_stay_below_their_folder() {
        for path in ["keys", "parts/a.b/1.part"] {
            assert!(is_plain(path), "{path}");
        }
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a/./b/../..", &"a/".repeat(20)] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
