//! The files of exports: the rows a job is given, and the file that comes back. Only this program may read them.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use trafficlab_shared::clock;
use uuid::Uuid;

use crate::store::sync_folder;

/// The folder of exports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ExportFiles(PathBuf);

const ROWS: &str = "rows";
const TABLE: &str = "table";

impl ExportFiles {
    /// Files of exports lie in `folder`, which is made when it is needed.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The rows that a job is given.
    #[must_use]
    pub fn rows(&self, job: &str) -> PathBuf {
        self.0.join(format!("{job}.{ROWS}"))
    }

    /// The file that a job wrote.
    #[must_use]
    pub fn table(&self, job: &str) -> PathBuf {
        self.0.join(format!("{job}.{TABLE}"))
    }

    /// Makes the file of a job's rows; it must not be there.
    ///
    /// # Errors
    /// What the system says.
    pub fn create_rows(&self, job: &str) -> Result<File> {
        std::fs::create_dir_all(&self.0)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.rows(job))
    }

    /// Makes the rows that were written to `file` durable, with their name.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep(&self, file: &File) -> Result<()> {
        file.sync_all()?;
        sync_folder(&self.0)
    }

    /// Writes pieces of a job's file at their places, durably. `whole` is its length once it is complete.
    ///
    /// # Errors
    /// What the system says.
    pub(in crate::dispatch) fn write(&self, job: &str, pieces: &[(u64, &[u8])], whole: Option<u64>) -> Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let path = self.table(job);
        let made = !path.exists();
        // What an owner before wrote is overwritten, and cut off when the file is complete.
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        for (from, bytes) in pieces {
            file.write_all_at(bytes, *from)?;
        }
        if let Some(length) = whole {
            file.set_len(length)?;
        }
        file.sync_data()?;
        if made { sync_folder(&self.0) } else { Ok(()) }
    }

    /// Removes a job's rows; a worker has made a file of them.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_rows(&self, job: &str) -> Result<()> {
        gone(&self.rows(job))
    }

    /// Removes all files of a job.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, job: &str) -> Result<()> {
        self.remove_rows(job)?;
        gone(&self.table(job))
    }

    /// Bytes of all files of exports.
    ///
    /// # Errors
    /// What the system says.
    pub fn bytes(&self) -> Result<u64> {
        Ok(self.all()?.into_iter().map(|file| file.bytes).sum())
    }

    /// Removes the files of jobs that are not known, which a crash left behind, when they have not changed for `age`.
    ///
    /// # Errors
    /// What the system says.
    pub fn sweep(&self, age: Duration, known: impl Fn(&str) -> Result<bool>) -> Result<()> {
        for file in self.all()? {
            if file.age >= age && !known(&file.job)? {
                tracing::info!(job = %file.job, "a file of no export is removed");
                gone(&file.path)?;
            }
        }
        Ok(())
    }

    /// The files that are ours; others may lie in the folder.
    fn all(&self) -> Result<Vec<Found>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(job) = job_of(&entry.path()) else { continue };
            let Ok(found) = entry.metadata() else { continue };
            files.push(Found { path: entry.path(), job, bytes: found.len(), age: age(&found) });
        }
        Ok(files)
    }
}

struct Found {
    path: PathBuf,
    job: String,
    bytes: u64,
    age: Duration,
}

/// Time since a file was changed; none when it lies in the future.
fn age(file: &std::fs::Metadata) -> Duration {
    let changed = file.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    Duration::from_nanos(clock::wall_ns()).saturating_sub(changed.unwrap_or_default())
}

/// The job of a file of ours.
fn job_of(path: &Path) -> Option<String> {
    let kind = path.extension()?.to_str()?;
    let job = path.file_stem()?.to_str().filter(|stem| Uuid::parse_str(stem).is_ok())?;
    matches!(kind, ROWS | TABLE).then(|| job.to_owned())
}

fn gone(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c22";

    #[test]
    fn a_file_is_that_of_its_last_owner_and_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = ExportFiles::new(folder.path().join("exports"));
        files.write(JOB, &[(0, b"first owner, ".as_slice()), (13, b"and longer")], None).unwrap();
        files.write(JOB, &[(0, b"second")], None).unwrap();
        files.write(JOB, &[(6, b" owner")], Some(12)).unwrap();
        assert_eq!(std::fs::read(files.table(JOB)).unwrap(), b"second owner");
        let mode = std::fs::metadata(files.table(JOB)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files.create_rows(JOB).unwrap().write_all(b"rows").unwrap();
        assert_eq!(std::fs::metadata(files.rows(JOB)).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(files.create_rows(JOB).is_err(), "rows are never written over");
        assert_eq!(files.bytes().unwrap(), 16);
        files.remove(JOB).unwrap();
        files.remove(JOB).unwrap();
        assert_eq!(files.bytes().unwrap(), 0);
    }

    #[test]
    fn only_old_files_of_no_export_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let files = ExportFiles::new(folder.path().to_path_buf());
        files.write(JOB, &[(0, b"x")], None).unwrap();
        std::fs::write(folder.path().join("archive.json"), "other").unwrap();
        files.sweep(Duration::ZERO, |_| Ok(true)).unwrap();
        files.sweep(Duration::from_secs(3600), |_| Ok(false)).unwrap();
        assert!(files.table(JOB).exists());
        files.sweep(Duration::ZERO, |_| Ok(false)).unwrap();
        assert!(!files.table(JOB).exists());
        assert!(folder.path().join("archive.json").exists());
    }
}
