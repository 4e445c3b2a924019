//! Mails as files, for installations without a mail server: `DATA_DIR/outbox/*.eml`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::sync_folder;

/// Writes a file whole or not at all; the same name again replaces it.
pub(super) async fn write(folder: PathBuf, name: String, bytes: Vec<u8>) -> io::Result<()> {
    let work = move || write_now(&folder, &name, &bytes);
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn write_now(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (making, made) = (folder.join(format!(".{name}.part")), folder.join(name));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&making)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&making, &made)?;
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_file_is_the_owners_and_replaces_itself() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("outbox");
        for text in ["a longer first text", "second"] {
            write(outbox.clone(), "1-2.eml".into(), text.into()).await.unwrap();
        }
        let names: Vec<_> = fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["1-2.eml"]);
        assert_eq!(fs::read_to_string(outbox.join("1-2.eml")).unwrap(), "second");
        assert_eq!(fs::metadata(outbox.join("1-2.eml")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
