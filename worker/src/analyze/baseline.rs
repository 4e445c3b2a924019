//! What is usual, from and to a file of JSON.

use std::fs;
use std::path::Path;

use trafficlab_engine::packet::export::anonymise::Anonymiser;
use trafficlab_shared::model::capture::baseline::{Baseline, Baselines};

use super::input::shown;

/// Most bytes of a file of baselines or of a key: they are small, and a mistaken name may be anything.
const LARGEST: u64 = 16 << 20;

/// Reads what `--save-baseline` wrote, or a single baseline.
///
/// # Errors
/// A sentence that names the file.
pub(super) fn read(path: &Path) -> Result<Baselines, String> {
    let text = small(path).map_err(|fault| format!("`--baseline`: {fault}"))?;
    let fault = |error: &dyn std::fmt::Display| format!("`--baseline`: `{}` holds no baselines: {error}", shown(path));
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| fault(&error))?;
    if value.get("kind").is_some() {
        let one: Baseline = serde_json::from_value(value).map_err(|error| fault(&error))?;
        return Ok(Baselines { all: vec![one] });
    }
    if !value.get("all").is_some_and(serde_json::Value::is_array) {
        return Err(fault(&"no member `all`"));
    }
    serde_json::from_value(value).map_err(|error| fault(&error))
}

/// The anonymiser under a key in a file, or in an environment variable for `env:NAME`.
///
/// # Errors
/// A sentence; it never shows the key.
pub(super) fn anonymiser(source: &Path) -> Result<Anonymiser, String> {
    let key = match source.to_str().and_then(|source| source.strip_prefix("env:")) {
        Some(name) => std::env::var_os(name)
            .map(std::os::unix::ffi::OsStringExt::into_vec)
            .ok_or_else(|| format!("`--anonymise`: the environment has no `{name}`"))?,
        None => small(source).map_err(|fault| format!("`--anonymise`: {fault}"))?,
    };
    Anonymiser::of_key(&key).map_err(|fault| format!("`--anonymise`: {fault}"))
}

fn small(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| format!("`{}`: {error}", shown(path)))?;
    if about.is_dir() {
        return Err(format!("`{}` is a directory", shown(path)));
    }
    if about.len() > LARGEST {
        return Err(format!("`{}` has {} bytes, far too many", shown(path), about.len()));
    }
    fs::read(path).map_err(|error| format!("`{}`: {error}", shown(path)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn files_hold_baselines_or_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.json");
        let read_text = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path)
        };
        let one = r#"{"kind":"latency","main":{"windows":3,"mean":45.2}}"#;
        assert_eq!(read_text(one).unwrap().all.len(), 1);
        assert_eq!(read_text(&format!(r#"{{"all":[{one}]}}"#)).unwrap().all.len(), 1);
        for bad in ["", "[]", "{}", r#"{"all":3}"#, r#"{"all":[{"kind":"colour"}]}"#] {
            assert!(read_text(bad).unwrap_err().contains("holds no baselines"), "{bad}");
        }
        assert!(read(&folder.path().join("none")).unwrap_err().contains("none`"));
        assert!(read(folder.path()).unwrap_err().contains("directory"));
    }

    #[test]
    fn keys_are_read_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "0123456789abcdef".repeat(4)).unwrap();
        assert!(anonymiser(&path).is_ok());
        fs::write(&path, "hunter2").unwrap();
        let fault = anonymiser(&path).unwrap_err();
        assert!(fault.contains("32 bytes") && !fault.contains("hunter2"), "{fault}");
        assert!(anonymiser(Path::new("env:TL_NO_SUCH_VARIABLE")).unwrap_err().contains("TL_NO_SUCH_VARIABLE"));
    }
}
