//! The last lines of files that grow, without reading them whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const BLOCK: u64 = 64 * 1024;
/// The end of a file that is looked at; longer lines than this allows are cut off at their beginning.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Lines of the beginning of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    /// Bytes that were counted.
    pub(super) bytes: u64,
    /// Line ends in them.
    pub(super) lines: u64,
}

/// The daily files `stem.YYYY-MM-DD.ext` of `stem.ext`, oldest first; none when the folder is missing.
pub(super) fn daily_files(file: &Path) -> io::Result<Vec<PathBuf>> {
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
    let (stem, suffix) = (text(file.file_stem()), text(file.extension()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let is_day = |name: &str| {
        let day = name.strip_prefix(&stem).and_then(|rest| rest.strip_prefix('.'));
        let day = day.and_then(|rest| rest.strip_suffix(&suffix)).and_then(|rest| rest.strip_suffix('.'));
        day.is_some_and(|day| day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name().to_str().is_some_and(is_day) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The last `limit` lines of `files` together, oldest first.
pub(super) fn last_lines(files: &[PathBuf], limit: usize) -> io::Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for path in files.iter().rev() {
        if found.len() >= limit {
            break;
        }
        let mut lines = end_of(path, limit - found.len())?;
        lines.append(&mut found);
        found = lines;
    }
    Ok(found)
}

fn end_of(path: &Path, limit: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let mut at = file.seek(SeekFrom::End(0))?;
    let first = at.saturating_sub(MOST_BYTES);
    let mut bytes = Vec::new();
    let mut ends = 0;
    while at > first && ends <= limit {
        let size = BLOCK.min(at - first);
        at -= size;
        file.seek(SeekFrom::Start(at))?;
        let mut block = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        file.read_exact(&mut block)?;
        ends += line_ends(&block);
        block.append(&mut bytes);
        bytes = block;
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(limit);
    Ok(lines.into_iter().skip(skipped).map(str::to_owned).collect())
}

/// Goes on counting where `before` ended; a file that became shorter is counted anew.
pub(super) fn count(path: &Path, before: Count) -> io::Result<Count> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut now = if length < before.bytes { Count::default() } else { before };
    file.seek(SeekFrom::Start(now.bytes))?;
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(usize::MAX)];
    loop {
        let read = file.read(&mut block)?;
        let Some(block) = block.get(..read).filter(|block| !block.is_empty()) else {
            return Ok(now);
        };
        now.bytes += u64::try_from(block.len()).unwrap_or(u64::MAX);
        now.lines += u64::try_from(line_ends(block)).unwrap_or(u64::MAX);
    }
}

fn line_ends(block: &[u8]) -> usize {
    block.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn lines_that_cross_blocks_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let lines: Vec<String> = (0..3000).map(|number| format!("{number} {}", "y".repeat(number % 100))).collect();
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        for limit in [0, 1, 7, 2999, 3000, 5000] {
            let found = last_lines(std::slice::from_ref(&path), limit).unwrap();
            assert_eq!(found, lines.get(3000_usize.saturating_sub(limit)..).unwrap());
        }
        assert_eq!(count(&path, Count::default()).unwrap().lines, 3000);
    }
}
