//! Which file a request means, and whether it may be read: only what lies in a capture folder, links followed, and the
//! file that the operator named.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use trafficlab_shared::config::Config;

use crate::systems::{Code, Fault, Outcome};

/// A file that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureFile {
    /// Its real path.
    pub path: PathBuf,
    /// How callers know it.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Last change, nanoseconds since 1970.
    pub modified_ns: u64,
}

/// The file that `given` names, else the operator's. Blocks.
///
/// # Errors
/// 400 with the document's sentence: it is missing, elsewhere, no file, or not to be read.
pub fn find(config: &Config, given: Option<&str>) -> Outcome<CaptureFile> {
    let own = config.captures.pcap_file.as_deref();
    let Some(given) = given else {
        let none = "No PCAP file given: name `pcap_file`, or start the API with --pcap FILE";
        let own = own.ok_or_else(|| refused(none))?;
        return open(own, &shown(config, own));
    };
    let mut elsewhere = false;
    for candidate in candidates(config, Path::new(given)) {
        let Some(candidate) = candidate else {
            elsewhere = true;
            continue;
        };
        match candidate.canonicalize() {
            Ok(real) if is_inside(config, &real) => return open(&real, &printable(given)),
            Ok(_) => elsewhere = true,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(forbidden(&printable(given))),
            // Missing here, or a name that no file can have.
            Err(_) => {}
        }
    }
    let what = if elsewhere { "is outside the capture directories" } else { "not found" };
    Err(refused(format!("PCAP file {what}: {}", printable(given))))
}

/// Where the file may lie: in each capture folder, then in the working directory. None stands for a place that is out
/// of bounds by its name alone, so that nobody learns whether there is a file.
fn candidates(config: &Config, given: &Path) -> Vec<Option<PathBuf>> {
    let plain = given.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain {
        let folders = config.captures.dirs.iter().map(PathBuf::as_path).chain([Path::new(".")]);
        return folders.map(|folder| Some(folder.join(given))).collect();
    }
    let here = |path: &Path| std::path::absolute(path).map(|path| normal(&path)).ok();
    let bounds: Vec<PathBuf> =
        config.captures.dirs.iter().flat_map(|dir| [here(dir), dir.canonicalize().ok()]).flatten().collect();
    let own = config.captures.pcap_file.as_deref();
    let own: Vec<PathBuf> = own.into_iter().flat_map(|file| [here(file), file.canonicalize().ok()]).flatten().collect();
    let allowed = |path: &PathBuf| bounds.iter().any(|bound| path.starts_with(bound)) || own.contains(path);
    let folders = config.captures.dirs.iter().map(PathBuf::as_path).chain([Path::new(".")]);
    folders.map(|folder| here(&folder.join(given)).filter(allowed)).collect()
}

/// The path without `.` and `..`, by its letters alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Whether a real path lies in a capture folder or is the operator's file.
fn is_inside(config: &Config, real: &Path) -> bool {
    let within = |dir: &PathBuf| dir.canonicalize().is_ok_and(|dir| real.starts_with(dir));
    let own = config.captures.pcap_file.as_deref().and_then(|file| file.canonicalize().ok());
    config.captures.dirs.iter().any(within) || own.is_some_and(|own| own == real)
}

fn open(path: &Path, name: &str) -> Outcome<CaptureFile> {
    let fault = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => refused(format!("PCAP file not found: {name}")),
        ErrorKind::PermissionDenied => forbidden(name),
        _ => refused(format!("PCAP file cannot be read: {name}")),
    };
    let path = path.canonicalize().map_err(fault)?;
    let metadata = path.metadata().map_err(fault)?;
    if metadata.is_dir() {
        return Err(refused(format!("PCAP file is a directory: {name}")));
    }
    // A pipe or a device would make whoever opens it wait for ever.
    if !metadata.is_file() {
        return Err(refused(format!("PCAP file is not a regular file: {name}")));
    }
    std::fs::File::open(&path).map_err(fault)?;
    Ok(CaptureFile { bytes: metadata.len(), modified_ns: modified_ns(&metadata), name: name.to_owned(), path })
}

fn modified_ns(metadata: &Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

/// A path as callers may see it: relative as the operator wrote it, relative to the data folder or a capture folder,
/// else the name alone.
#[must_use]
pub fn shown(config: &Config, path: &Path) -> String {
    if path.is_relative() {
        return path.display().to_string();
    }
    let folders = [&config.data_dir].into_iter().chain(&config.captures.dirs);
    let real = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let inside = folders.filter_map(|folder| path.strip_prefix(real(folder)).ok().map(Path::to_owned)).next();
    let name = || path.file_name().map_or_else(PathBuf::new, PathBuf::from);
    inside.unwrap_or_else(name).display().to_string()
}

/// What a caller wrote, fit to be shown.
fn printable(given: &str) -> String {
    given.chars().take(200).map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

fn forbidden(name: &str) -> Fault {
    refused(format!("PCAP file cannot be read, permission denied: {name}"))
}

/// A file that cannot be analysed, in the document's form.
pub fn refused(message: impl Into<String>) -> Fault {
    let message = message.into();
    Fault::new(Code::Validation, message.clone()).detail("pcap_file", message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use std::os::unix::fs::symlink;
    use trafficlab_shared::config::{Purpose, Sources, Value, set_flag};

    struct Place {
        folder: tempfile::TempDir,
        config: Config,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for dir in ["in/deep", "out"] {
            std::fs::create_dir_all(root.join(dir)).unwrap();
        }
        for file in ["in/a.pcap", "in/deep/b.pcap", "out/secret.pcap", "out/own.pcap"] {
            std::fs::write(root.join(file), "x").unwrap();
        }
        symlink(root.join("out/secret.pcap"), root.join("in/link.pcap")).unwrap();
        symlink(root.join("in/a.pcap"), root.join("in/good.pcap")).unwrap();
        let mut sources = Sources::default();
        let dirs = vec![Value::String(root.join("in").display().to_string())];
        set_flag(&mut sources.flags, "captures.dirs", Some(dirs));
        set_flag(&mut sources.flags, "captures.pcap_file", Some(root.join("out/own.pcap").display().to_string()));
        Place { config: Config::load(&sources, Purpose::Print).unwrap(), folder }
    }

    fn outcome(place: &Place, given: &str) -> String {
        let given = given.replace("ROOT", &place.folder.path().display().to_string());
        match find(&place.config, Some(&given)) {
            Ok(file) => file.path.file_name().unwrap().to_str().unwrap().to_owned(),
            Err(fault) => fault.message.split(':').next().unwrap().to_owned(),
        }
    }

    #[test]
    fn only_files_in_capture_folders_and_the_operators_own_are_found() {
        let place = place();
        let outside = "PCAP file is outside the capture directories";
        for (given, expected) in [
            ("a.pcap", "a.pcap"),
            ("deep/b.pcap", "b.pcap"),
            ("./deep/../a.pcap", "a.pcap"),
            ("ROOT/in/a.pcap", "a.pcap"),
            ("good.pcap", "a.pcap"),
            ("ROOT/out/own.pcap", "own.pcap"),
            ("link.pcap", outside),
            ("../out/secret.pcap", outside),
            ("../out/missing.pcap", outside),
            ("ROOT/out/secret.pcap", outside),
            ("ROOT/out/missing.pcap", outside),
            ("ROOT/in/../out/secret.pcap", outside),
            ("/etc/passwd", outside),
            ("missing.pcap", "PCAP file not found"),
            ("invalid/path.pcapng", "PCAP file not found"),
            ("deep", "PCAP file is a directory"),
            ("a\0b", "PCAP file not found"),
        ] {
            assert_eq!(outcome(&place, given), expected, "{given}");
        }
        assert_eq!(find(&place.config, None).unwrap().name, "own.pcap");
    }

    #[test]
    fn without_any_file_the_sentence_says_what_to_do() {
        let config = Config::load(&Sources::default(), Purpose::Print).unwrap();
        assert!(find(&config, None).unwrap_err().message.contains("--pcap"));
    }
}
