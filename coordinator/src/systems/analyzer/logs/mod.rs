//! The log files that the API shows: where they lie, and their last lines.

mod redact;
mod tail;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use trafficlab_shared::config::Config;

use crate::systems::{Fault, Outcome};

/// Beginnings of the log targets that make the analysis log.
pub const ANALYSIS: [&str; 3] =
    ["analysis", "trafficlab_coordinator::systems::analyzer", "trafficlab_coordinator::dispatch::captures"];
/// Lines in one answer at the most.
const MOST_LINES: usize = 10_000;
const DEFAULT_LINES: usize = 100;

/// The log file of a server whose configuration names none.
#[must_use]
pub fn app_file(data_dir: &Path) -> PathBuf {
    data_dir.join("logs").join("app.log")
}

/// The analysis log beside the main one.
#[must_use]
pub fn analysis_file(app: &Path) -> PathBuf {
    app.with_file_name("analysis.log")
}

/// Lines of files that were counted before, so that a request reads only what is new.
#[derive(Debug, Default)]
pub struct Counted(Mutex<HashMap<PathBuf, tail::Count>>);

/// The end of a log.
#[derive(Debug, Serialize)]
pub struct LogTail {
    /// The newest file, relative to the data folder.
    pub log_file: String,
    /// Lines asked for.
    pub limit: usize,
    /// Lines of all kept files of this log.
    pub total_lines: u64,
    /// Lines in this answer.
    pub returned_lines: usize,
    /// Oldest first.
    pub logs: Vec<String>,
}

/// The last lines of the log called `kind` (`app` or `analysis`), without what may be secret. Blocks.
///
/// # Errors
/// The kind is not known, or the files cannot be read.
pub fn read(config: &Config, counted: &Counted, kind: Option<&str>, limit: Option<usize>) -> Outcome<LogTail> {
    let app = config.log.file.clone().unwrap_or_else(|| app_file(&config.data_dir));
    let file = match kind.unwrap_or("app") {
        "app" => app,
        "analysis" => analysis_file(&app),
        _ => return Err(Fault::field("type", "must be `app` or `analysis`")),
    };
    let limit = limit.unwrap_or(DEFAULT_LINES).min(MOST_LINES);
    let failed = |error: std::io::Error| Fault::internal("log files cannot be read", &error);
    let files = tail::daily_files(&file).map_err(failed)?;
    let mut total_lines = 0;
    for path in &files {
        total_lines += counted.lines(path).map_err(failed)?;
    }
    let logs: Vec<String> = tail::last_lines(&files, limit).map_err(failed)?;
    let logs: Vec<String> = logs.iter().map(|line| redact::redact(line)).collect();
    let newest = files.last().cloned().unwrap_or(file);
    Ok(LogTail { log_file: shown(config, &newest), limit, total_lines, returned_lines: logs.len(), logs })
}

/// Relative to the data folder; the name alone of what lies elsewhere.
fn shown(config: &Config, path: &Path) -> String {
    let inside = path.strip_prefix(&config.data_dir).ok();
    let name = inside.unwrap_or_else(|| path.file_name().map_or(path, Path::new));
    name.display().to_string()
}

impl Counted {
    fn lines(&self, path: &Path) -> std::io::Result<u64> {
        let known = |counts: &HashMap<PathBuf, tail::Count>| counts.get(path).copied().unwrap_or_default();
        let before = known(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let now = tail::count(path, before)?;
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Files that were rotated away must not stay here for ever.
        counts.retain(|path, _| path.exists());
        counts.insert(path.to_owned(), now);
        Ok(now.lines)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{Purpose, Sources, set_flag};

    #[test]
    fn the_last_lines_come_from_several_days_and_all_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut sources = Sources::default();
        set_flag(&mut sources.flags, "data_dir", Some(folder.path().display().to_string()));
        let config = Config::load(&sources, Purpose::Print).unwrap();
        let counted = Counted::default();
        let empty = read(&config, &counted, None, None).unwrap();
        assert_eq!((empty.total_lines, empty.log_file.as_str()), (0, "logs/app.log"));
        let logs = folder.path().join("logs");
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::write(logs.join("app.2026-01-01.log"), "1\n2\n3\n").unwrap();
        std::fs::write(logs.join("app.2026-01-02.log"), "4\n5 token=abc\n").unwrap();
        std::fs::write(logs.join("app.txt"), "no\n").unwrap();
        let found = read(&config, &counted, Some("app"), Some(3)).unwrap();
        assert_eq!(found.logs, ["3", "4", "5 token=***"]);
        assert_eq!((found.total_lines, found.returned_lines), (5, 3));
        assert_eq!(found.log_file, "logs/app.2026-01-02.log");
        std::fs::write(logs.join("app.2026-01-02.log"), "4\n5 token=abc\n6\n").unwrap();
        assert_eq!(read(&config, &counted, None, Some(0)).unwrap().total_lines, 6);
        assert_eq!(read(&config, &counted, Some("analysis"), None).unwrap().total_lines, 0);
        assert!(read(&config, &counted, Some("../app"), None).is_err());
    }
}
