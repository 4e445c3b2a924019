//! The installation's keys: for user ids and for event ids. Made once; without them the same person would be another
//! visitor, so a file that cannot be read is an error and not a reason for new ones.

use std::path::Path;

use anyhow::Context;
use trafficlab_engine::visit::enrich::visitor::Salt;

use super::secret_file::{SecretFile, random};

/// Both keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// Of user ids.
    pub(crate) users: Salt,
    /// Of event ids.
    pub(crate) events: Salt,
}

impl Keys {
    /// Reads the keys, or makes them. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is damaged.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let known = path.exists();
        let named = || format!("the keys of visitors in `{}` cannot be used", path.display());
        let (file, found) = SecretFile::<32>::open(path).with_context(named)?;
        let bytes = match found {
            Some(bytes) => bytes,
            // A crash between making the file and writing it leaves it empty, and no visit was hashed before.
            None if !known || std::fs::metadata(path).with_context(named)?.len() == 0 => {
                let bytes = random().with_context(named)?;
                file.write(&bytes).with_context(named)?;
                bytes
            }
            None => anyhow::bail!("the keys of visitors in `{}` are damaged: restore the file", path.display()),
        };
        let (users, events) = bytes.split_first_chunk::<16>().context("two keys of 16 bytes each")?;
        Ok(Self { users: Salt(*users), events: Salt(events.try_into().context("two keys of 16 bytes each")?) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn keys_are_made_once_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, b"").unwrap();
        let first = Keys::open(&path).unwrap();
        assert_ne!(first.users, first.events);
        let again = Keys::open(&path).unwrap();
        assert_eq!((first.users, first.events), (again.users, again.events));
        std::fs::write(&path, b"damaged").unwrap();
        assert!(Keys::open(&path).unwrap_err().to_string().contains("damaged"));
    }
}
