//! Where the files of an import lie: what was sent, and later the visitors it brought.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The folder of an import.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// What was sent; gone when the import is over.
    pub(crate) upload: PathBuf,
    /// The visitors it brought; there as long as the import is known.
    pub(super) visitors: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &Path, id: &str) -> Self {
        let folder = folder.join(id);
        Self { upload: folder.join("upload"), visitors: folder.join("visitors"), folder }
    }

    /// Makes the folder, which is its owner's alone: logs hold addresses of people.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// Removes everything.
    ///
    /// # Errors
    /// What the system says; a folder that is not there is removed.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Removes what was sent: it has done its work, and people's addresses are in it.
pub(super) fn remove_upload(place: &Place) {
    if let Err(error) = fs::remove_file(&place.upload)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::error!(%error, "the file of an import that is over cannot be removed");
    }
}

/// Makes the folder of all imports, and removes those in it that nobody knows: their upload was broken off.
pub(super) fn sweep(folder: &Path, known: impl Fn(&str) -> Result<bool, StoreError>) -> anyhow::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_import = name.to_str().is_some_and(|name| uuid::Uuid::try_parse(name).is_ok());
        if is_import && !known(&name.to_string_lossy())? {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
