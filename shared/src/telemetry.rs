//! Log lines to stderr and to a daily file, and texts made safe for them.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::Path;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{LogConfig, LogFormat};

/// How many daily files are kept.
const KEPT_FILES: usize = 14;

/// Lines that may wait for the disk; beyond it lines are lost rather than work held up.
const WAITING_LINES: usize = 16_384;

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is no directive.
    #[error("`log.level` `{level}` is not a level or a list of directives")]
    Level {
        /// As configured.
        level: String,
    },
    /// The file cannot be written.
    #[error("cannot write the log file `{path}`: {reason}")]
    File {
        /// As configured.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Logging was set up before.
    #[error("logging is set up already")]
    Twice,
}

/// Keeps the writers of log files alive; dropping it writes what is waiting.
#[derive(Debug)]
#[must_use = "the last lines are lost without the guard"]
pub struct LogGuard {
    _files: Vec<WorkerGuard>,
}

/// A further daily file, which holds only what certain parts of the program say.
#[derive(Debug)]
pub struct PartLog<'a> {
    /// The file; named with the day as the main one.
    pub file: &'a Path,
    /// Beginnings of the targets whose lines it gets.
    pub targets: &'static [&'static str],
}

/// Starts logging for the whole process.
///
/// # Errors
/// The level, the file, or a second start.
pub fn init(config: &LogConfig) -> Result<LogGuard, TelemetryError> {
    init_with(config, None)
}

/// `init` with a file for one part of the program beside the main one.
///
/// # Errors
/// As `init`.
pub fn init_with(config: &LogConfig, part: Option<&PartLog<'_>>) -> Result<LogGuard, TelemetryError> {
    let filter =
        EnvFilter::try_new(&config.level).map_err(|_reason| TelemetryError::Level { level: config.level.clone() })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut layers = vec![layer(config.format, std::io::stderr, colour)];
    let mut files = Vec::new();
    if let Some(path) = &config.file {
        let (writer, file) = open(path)?;
        layers.push(layer(config.format, writer, false));
        files.push(file);
    }
    if let Some(part) = part {
        let (writer, file) = open(part.file)?;
        let targets = part.targets;
        let of_part =
            move |event: &tracing::Metadata<'_>| targets.iter().any(|begins| event.target().starts_with(begins));
        layers.push(layer(config.format, writer, false).with_filter(filter_fn(of_part)).boxed());
        files.push(file);
    }
    tracing_subscriber::registry()
        .with(layers.with_filter(filter))
        .try_init()
        .map_err(|_reason| TelemetryError::Twice)?;
    Ok(LogGuard { _files: files })
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

fn layer<W>(format: LogFormat, writer: W, colour: bool) -> BoxedLayer
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(colour).boxed(),
        LogFormat::Json => {
            let json = fmt::layer().json().flatten_event(true).with_span_list(false);
            json.with_writer(writer).boxed()
        }
    }
}

/// Opens `folder/name.YYYY-MM-DD.ext` for `folder/name.ext`.
fn open(path: &Path) -> Result<(NonBlocking, WorkerGuard), TelemetryError> {
    let fault = |reason: String| TelemetryError::File { path: path.display().to_string(), reason };
    let stem = path.file_stem().and_then(OsStr::to_str).ok_or_else(|| fault("it has no name".to_owned()))?;
    let suffix = path.extension().and_then(OsStr::to_str).unwrap_or("log");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| fault(error.to_string()))?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(stem)
        .filename_suffix(suffix)
        .max_log_files(KEPT_FILES)
        .build(folder)
        .map_err(|error| fault(error.to_string()))?;
    let bounded = NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).lossy(true);
    Ok(bounded.finish(appender))
}

/// The URL without user, password, query and fragment, for log lines.
#[must_use]
pub fn redact_url(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(url) if url.has_host() => {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}{}", url.scheme(), url.path())
        }
        _ => "(no url)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn urls_lose_what_may_be_secret() {
        for (text, shown) in [
            ("https://user:pw@example.com:8443/a/b?token=1#x", "https://example.com:8443/a/b"),
            ("http://[::1]:80/", "http://[::1]/"),
            ("nats://u:p@127.0.0.1:4222", "nats://127.0.0.1:4222"),
            ("secret words", "(no url)"),
            ("mailto:me@example.com?x", "(no url)"),
        ] {
            assert_eq!(redact_url(text), shown);
        }
    }

    #[test]
    fn a_log_file_is_written_when_the_guard_is_dropped_and_a_second_start_is_refused() {
        let folder = std::env::temp_dir().join(format!("trafficlab-log-{}", std::process::id()));
        let config =
            LogConfig { level: "info".to_owned(), format: LogFormat::Json, file: Some(folder.join("test.log")) };
        let part = PartLog { file: &folder.join("part.log"), targets: &["analysis"] };
        let guard = init_with(&config, Some(&part)).unwrap();
        tracing::info!(job_id = 7, "job started");
        tracing::debug!("not written");
        tracing::info!(target: "analysis::x", "found");
        tracing::debug!(target: "analysis", "not written either");
        assert!(matches!(init(&config), Err(TelemetryError::Twice)));
        drop(guard);
        let written = |name: &str| -> Vec<serde_json::Value> {
            let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let mut files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
            let file = files.next().unwrap();
            std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let (all, part) = (written("test"), written("part"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((all.len(), part.len()), (2, 1));
        assert_eq!(all.first().unwrap().get("message").unwrap(), "job started");
        assert_eq!(all.first().unwrap().get("job_id").unwrap(), 7);
        assert_eq!(part.first().unwrap().get("message").unwrap(), "found");
    }

    #[test]
    fn a_bad_level_is_named() {
        let config = LogConfig { level: "trafficlab=loudest".to_owned(), format: LogFormat::Text, file: None };
        assert!(init(&config).unwrap_err().to_string().contains("loudest"));
    }
}
