//! How much room there is and how much of it is used: the numbers behind disk quotas.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Unit of the block count in file metadata, in bytes, whatever the file system's own block is.
const METADATA_BLOCK: u64 = 512;
/// Folders of the store are two deep; a limit keeps a mistaken path from walking a whole disk's tree for ever.
const MAX_DEPTH: u32 = 16;

/// Space of a file system in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What an ordinary user may still write.
    pub free: u64,
    /// The size of the file system.
    pub total: u64,
}

/// The space of the file system that holds `path`.
///
/// # Errors
/// The system's error, for instance when `path` does not exist.
pub fn space(path: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(Space { free: stat.f_bavail.saturating_mul(stat.f_frsize), total: stat.f_blocks.saturating_mul(stat.f_frsize) })
}

/// Bytes on the disk of all files below `path`: blocks in use, so that punched holes count as free. A file that vanishes
/// meanwhile counts as nothing, and so does a missing `path`.
///
/// # Errors
/// The system's error when a folder cannot be read.
pub fn directory_usage(path: &Path) -> io::Result<u64> {
    usage(path, 0)
}

fn usage(path: &Path, depth: u32) -> io::Result<u64> {
    if depth > MAX_DEPTH {
        return Ok(0);
    }
    let Some(entries) = unless_missing(fs::read_dir(path))? else {
        return Ok(0);
    };
    let mut bytes: u64 = 0;
    for entry in entries {
        let Some(entry) = unless_missing(entry)? else {
            continue;
        };
        let Some(metadata) = unless_missing(entry.metadata())? else {
            continue;
        };
        if metadata.is_dir() {
            bytes = bytes.saturating_add(usage(&entry.path(), depth + 1)?);
        } else {
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(METADATA_BLOCK));
        }
    }
    Ok(bytes)
}

fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn usage_counts_nested_files_and_not_holes() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(directory_usage(&folder.path().join("missing")).unwrap(), 0);
        let nested = folder.path().join("a/b");
        fs::create_dir_all(&nested).unwrap();
        fs::write(nested.join("data"), vec![7; 100_000]).unwrap();
        fs::File::create(folder.path().join("hole")).unwrap().set_len(1 << 30).unwrap();
        let bytes = directory_usage(folder.path()).unwrap();
        assert!((100_000..10_000_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_file_system_has_space() {
        let folder = tempfile::tempdir().unwrap();
        let found = space(folder.path()).unwrap();
        assert!(found.total > 0 && found.free <= found.total, "{found:?}");
        assert!(space(&folder.path().join("missing")).is_err());
    }
}
