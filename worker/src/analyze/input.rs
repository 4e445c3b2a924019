//! The capture: a file that is there and can be read, or standard input.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal as _, Read, stdin};
use std::path::Path;

/// An opened capture.
pub(super) struct Input {
    /// Its bytes.
    pub(super) bytes: Box<dyn Read + Send>,
    /// As it is shown; `standard input` for `-`.
    pub(super) name: String,
    /// Its length, of ordinary files only.
    pub(super) length: Option<u64>,
}

impl Input {
    /// Opens the file, or standard input for `-`.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        if path.as_os_str() == "-" {
            return Self::standard();
        }
        let name = shown(path);
        let file = File::open(path).map_err(|error| refusal(&name, error.kind(), &error.to_string()))?;
        let about = file.metadata().map_err(|error| refusal(&name, error.kind(), &error.to_string()))?;
        if about.is_dir() {
            return Err(format!("`{name}` is a directory, not a capture"));
        }
        let length = about.is_file().then_some(about.len());
        Ok(Self { bytes: Box::new(file), name, length })
    }

    fn standard() -> Result<Self, String> {
        if stdin().is_terminal() {
            return Err("standard input is a terminal: name a file, or pipe a capture in".to_owned());
        }
        Ok(Self { bytes: Box::new(stdin()), name: "standard input".to_owned(), length: None })
    }
}

fn refusal(name: &str, kind: ErrorKind, other: &str) -> String {
    match kind {
        ErrorKind::NotFound => format!("`{name}` does not exist"),
        ErrorKind::PermissionDenied => format!("`{name}` cannot be read: permission denied"),
        _ => format!("`{name}` cannot be read: {other}"),
    }
}

/// A file's name without anything a terminal would act on.
pub(super) fn shown(path: &Path) -> String {
    let printed = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    path.to_string_lossy().chars().map(printed).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn what_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.pcap");
        let refused = |path: &Path| Input::open(path).map(|_| ()).unwrap_err();
        assert!(refused(&missing).ends_with("missing.pcap` does not exist"), "{}", refused(&missing));
        assert!(refused(folder.path()).ends_with("is a directory, not a capture"));
        assert_eq!(shown(Path::new("a\x1b[31m\nb")), "a\u{fffd}[31m\u{fffd}b");
    }

    #[test]
    fn a_file_is_read_and_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        let mut input = Input::open(&path).unwrap();
        let mut read = Vec::new();
        input.bytes.read_to_end(&mut read).unwrap();
        assert_eq!((read.as_slice(), input.length), (&b"12345"[..], Some(5)));
    }
}
