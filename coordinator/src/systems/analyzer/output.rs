//! Where the windows of a live capture are written on request: a relative name below the data folder.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use crate::systems::{Code, Fault, Outcome};

/// Folders and files of the data folder that are the program's own.
const RESERVED: [&str; 8] = ["store", "nats", "captures", "baselines", "kept", "outbox", "exports", "secrets.toml"];

/// Checks the form of `name`.
///
/// # Errors
/// 400 for anything but a plain relative name in a place that is not ours.
pub fn check(name: &str) -> Outcome<()> {
    let path = Path::new(name);
    let parts: Vec<Component<'_>> = path.components().collect();
    let plain = parts.iter().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || name.len() > 255 || !plain || name.ends_with('/') || name.chars().any(char::is_control) {
        return Err(wrong("must be a relative name of at most 255 bytes without `..`"));
    }
    let first = parts.first().and_then(|part| part.as_os_str().to_str()).unwrap_or_default();
    if RESERVED.contains(&first) {
        return Err(wrong(format!("`{first}` is the server's own")));
    }
    // The log's daily files and this one must never have the same name.
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("log")) {
        return Err(wrong("must not end with `.log`"));
    }
    Ok(())
}

fn wrong(message: impl Into<String>) -> Fault {
    Fault::field("output_file", message)
}

/// Makes the file and its folders, following no link. Blocks.
///
/// # Errors
/// 400 when a part of the way is a link or no folder, 409 when the file is there.
pub fn make(data_dir: &Path, name: &str) -> Outcome<File> {
    check(name)?;
    let failed = |error: Errno| match error {
        Errno::EXIST => Fault::conflict(format!("Output file exists: {name}")).detail("output_file", "exists"),
        Errno::LOOP | Errno::NOTDIR => wrong("leads over a link or a file"),
        Errno::NOSPC | Errno::DQUOT => Fault::new(Code::InsufficientStorage, "No space is left for the output file"),
        other => Fault::internal("output file", &io::Error::from(other)),
    };
    create(data_dir, Path::new(name)).map_err(failed)
}

fn create(data_dir: &Path, name: &Path) -> Result<File, Errno> {
    let folder_flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    // The data folder itself may be reached over links: it is the operator's.
    let mut folder: OwnedFd =
        openat(CWD, data_dir, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?;
    for part in name.parent().into_iter().flat_map(Path::components) {
        let part = part.as_os_str();
        match mkdirat(&folder, part, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        folder = openat(&folder, part, folder_flags, Mode::empty())?;
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(&folder, name.file_name().unwrap_or_default(), flags, Mode::from_raw_mode(0o644))?;
    rustix::fs::fsync(&folder)?;
    Ok(File::from(file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_plain_new_names_below_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        symlink("/tmp", root.join("away")).unwrap();
        symlink("missing", root.join("dangling.jsonl")).unwrap();
        std::fs::write(root.join("there.jsonl"), "x").unwrap();
        for (name, code) in [
            ("logs/live_capture.jsonl", None),
            ("deep/er/x.jsonl", None),
            ("x", None),
            ("/tmp/x", Some(Code::Validation)),
            ("../x", Some(Code::Validation)),
            ("a/../../x", Some(Code::Validation)),
            ("./x", Some(Code::Validation)),
            ("a/", Some(Code::Validation)),
            ("", Some(Code::Validation)),
            ("store/kv/db", Some(Code::Validation)),
            ("secrets.toml", Some(Code::Validation)),
            ("logs/app.2030-01-01.log", Some(Code::Validation)),
            ("away/x", Some(Code::Validation)),
            ("there.jsonl/x", Some(Code::Validation)),
            ("there.jsonl", Some(Code::Conflict)),
            ("logs/live_capture.jsonl", Some(Code::Conflict)),
            ("dangling.jsonl", Some(Code::Conflict)),
            ("a\nb", Some(Code::Validation)),
        ] {
            let made = make(root, name);
            assert_eq!(made.as_ref().err().map(|fault| fault.code), code, "{name}: {made:?}");
        }
        assert_eq!(std::fs::read(root.join("there.jsonl")).unwrap(), b"x");
        assert!(!root.join("missing").exists());
    }
}
