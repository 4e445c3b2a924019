//! Small files of secrets: readable by the owner alone, written in place, with a checksum.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const MODE: u32 = 0o600;

/// A file of `N` secret bytes. Changing it overwrites the old bytes where they lie, which a store that appends would
/// keep.
#[derive(Debug)]
pub(super) struct SecretFile<const N: usize> {
    file: File,
}

impl<const N: usize> SecretFile<N> {
    /// Opens or makes the file, and reads it: nothing when it is new or its checksum does not fit. Its mode is set
    /// to 0600 whatever it was.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<[u8; N]>)> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)?;
        file.set_permissions(std::fs::Permissions::from_mode(MODE))?;
        let mut bytes = Vec::new();
        file.by_ref().take(1024).read_to_end(&mut bytes)?;
        let found = bytes.split_at_checked(N).and_then(|(held, sum)| {
            let held: [u8; N] = held.try_into().ok()?;
            (sum == crc32fast::hash(&held).to_le_bytes()).then_some(held)
        });
        Ok((Self { file }, found))
    }

    /// Overwrites the bytes and waits until they are on disk.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, bytes: &[u8; N]) -> io::Result<()> {
        let mut whole = bytes.to_vec();
        whole.extend(crc32fast::hash(bytes).to_le_bytes());
        self.file.write_all_at(&whole, 0)?;
        self.file.sync_all()
    }
}

/// Random bytes of the system.
///
/// # Errors
/// When the system has none, which Linux does not know after its start.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn what_was_written_is_read_and_the_old_bytes_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let (file, none) = SecretFile::<8>::open(&path).unwrap();
        assert_eq!(none, None);
        file.write(b"old-byte").unwrap();
        file.write(b"newbytes").unwrap();
        assert_eq!(SecretFile::<8>::open(&path).unwrap().1, Some(*b"newbytes"));
        let held = std::fs::read(&path).unwrap();
        assert!(!held.windows(3).any(|window| window == b"old"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        std::fs::write(&path, b"newbytes0000").unwrap();
        assert_eq!(SecretFile::<8>::open(&path).unwrap().1, None, "a wrong checksum");
    }
}
