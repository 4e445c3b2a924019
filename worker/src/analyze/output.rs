//! Where the result goes: standard output, or a file that appears once it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use super::input::shown;

/// The place of the result, checked before the analysis begins.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard output.
    Standard,
    /// A file.
    File(PathBuf),
}

impl Output {
    /// # Errors
    /// A sentence when the file could not be made.
    pub(super) fn new(path: Option<&Path>) -> Result<Self, String> {
        match path {
            None => Ok(Self::Standard),
            Some(path) if path.as_os_str() == "-" => Ok(Self::Standard),
            Some(path) => check(path).map(|()| Self::File(path.to_owned())),
        }
    }

    /// Lets `write` produce the result. A reader that has seen enough is no fault.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn write(&self, write: impl FnOnce(&mut dyn Sink) -> io::Result<()>) -> Result<(), String> {
        match self {
            Self::Standard => {
                let mut out = BufWriter::with_capacity(1 << 16, stdout());
                match write(&mut out).and_then(|()| out.flush()) {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        // What is still buffered would only fail again.
                        let (_stdout, _unwritten) = out.into_parts();
                        Ok(())
                    }
                    done => done.map_err(|error| format!("standard output: {error}")),
                }
            }
            Self::File(path) => save(path, write).map_err(|error| format!("`{}`: {error}", shown(path))),
        }
    }
}

/// Something exports can be written to.
pub(super) trait Sink: Write + Send {}

impl<T: Write + Send> Sink for T {}

fn check(path: &Path) -> Result<(), String> {
    let name = shown(path);
    if path.is_dir() {
        return Err(format!("`{name}` is a directory, not a file to write to"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("`{name}`: the folder `{}` does not exist", shown(folder)));
    }
    Ok(())
}

/// Writes beside the file and puts it in its place at the end, so that nobody reads half a result. What is no ordinary
/// file, such as `/dev/null` or a pipe, is written to as it is.
fn save(path: &Path, write: impl FnOnce(&mut dyn Sink) -> io::Result<()>) -> io::Result<()> {
    if path.exists() && !path.is_file() {
        let mut out = BufWriter::new(File::create(path)?);
        return write(&mut out).and_then(|()| out.flush());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut out = BufWriter::with_capacity(1 << 16, File::create(&part)?);
    let written = write(&mut out).and_then(|()| out.flush()).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // The fault that is told is the first one.
        drop(fs::remove_file(&part));
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let output = Output::new(Some(&path)).unwrap();
        output.write(|out| out.write_all(b"first")).unwrap();
        let failed = output.write(|out| out.write_all(b"second").and(Err(io::Error::other("no more"))));
        assert!(failed.unwrap_err().contains("no more"));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        Output::new(Some(Path::new("/dev/null"))).unwrap().write(|out| out.write_all(b"x")).unwrap();
    }

    #[test]
    fn places_that_cannot_hold_a_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Output::new(Some(folder.path())).unwrap_err().contains("directory"));
        assert!(Output::new(Some(&folder.path().join("no/out"))).unwrap_err().contains("does not exist"));
    }
}
