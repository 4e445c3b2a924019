//! Writing: whole files through a temporary name, live ones by appending behind their last whole line. Blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use trafficlab_engine::packet::export::jsonl;

use super::ledger::{Ledger, Written};
use super::{BASELINES_FOLDER, anomalies_name, metrics_name};
use crate::http::App;
use crate::store::captures::{BASELINES, Capture};
use crate::store::{StoreError, sync_folder};
use crate::systems::analyzer::baselines;
use crate::windows::{self, WindowsError};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("the disk is full")]
    Full,
    #[error(transparent)]
    Io(io::Error),
    #[error(transparent)]
    Windows(#[from] WindowsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}

/// Brings both files of a capture up to what is stored.
pub(super) fn capture(app: &App, ledger: &mut Ledger, capture: &Capture) -> Result<(), WriteError> {
    let written = ledger.of(&capture.id);
    metrics(app, written, capture)?;
    anomalies(app, written, capture)
}

fn metrics(app: &App, written: &mut Written, capture: &Capture) -> Result<(), WriteError> {
    let path = app.config.data_dir.join(metrics_name(capture));
    if written.windows == Some(capture.windows) {
        return Ok(());
    }
    let rows = |from: u64| windows::scan(app.store(), &app.dispatch.segments, &capture.id, from);
    if capture.source.is_live() {
        let (file, lines) = match written.windows.take().filter(|_| path.exists()) {
            Some(lines) => (OpenOptions::new().append(true).open(&path)?, lines),
            // Nobody knows what is there, or an earlier attempt may have left a part of a line.
            None => open_to_append(&path)?,
        };
        let wanted = usize::try_from(capture.windows.saturating_sub(lines)).unwrap_or(usize::MAX);
        let mut out = BufWriter::new(file);
        for row in rows(lines).take(wanted) {
            jsonl::windows(&mut out, [row?])?;
        }
        out.flush()?;
    } else if written.windows.is_some() || !path.exists() {
        whole(&path, |out| rows(0).try_for_each(|row| Ok(jsonl::windows(&mut *out, [row?])?)))?;
    }
    written.windows = Some(capture.windows);
    Ok(())
}

fn anomalies(app: &App, written: &mut Written, capture: &Capture) -> Result<(), WriteError> {
    let Some(job) = &capture.anomaly_job else {
        return Ok(());
    };
    let now = Some((job.clone(), capture.anomalies));
    if written.anomalies == now {
        return Ok(());
    }
    let path = app.config.data_dir.join(anomalies_name(&capture.id));
    let most = usize::try_from(capture.anomalies).unwrap_or(usize::MAX);
    let known = written.anomalies.as_ref().filter(|(known, _)| known == job).map(|(_, lines)| *lines);
    if let Some(lines) = known.filter(|lines| *lines < capture.anomalies && path.exists()) {
        let mut out = BufWriter::new(OpenOptions::new().append(true).open(&path)?);
        let rows = windows::anomalies(app.store(), capture, lines, most)?;
        jsonl::anomalies(&mut out, rows.into_iter().map(|(_, anomaly)| anomaly))?;
        out.flush()?;
    } else {
        let rows = windows::anomalies(app.store(), capture, 0, most)?;
        whole(&path, |out| Ok(jsonl::anomalies(out, rows.into_iter().map(|(_, anomaly)| anomaly))?))?;
    }
    written.anomalies = now;
    Ok(())
}

/// Writes the file of each baseline that changed.
pub(super) fn baselines(app: &App, ledger: &mut Ledger) -> Result<(), WriteError> {
    for row in BASELINES.scan(app.store(), false) {
        let (kind, stored) = row?;
        if ledger.baselines.get(&kind) == Some(&stored.created_ns) {
            continue;
        }
        let path = app.config.data_dir.join(BASELINES_FOLDER).join(format!("{kind}.json"));
        let text = serde_json::to_vec_pretty(&baselines::shown(&stored)).map_err(io::Error::from)?;
        whole(&path, |out| Ok(out.write_all(&text)?))?;
        ledger.baselines.insert(kind, stored.created_ns);
    }
    Ok(())
}

/// Writes a file under another name first: whoever reads it sees the old one or the new one, never a part.
fn whole(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), WriteError>) -> Result<(), WriteError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&draft)?);
    let filled = fill(&mut out).and_then(|()| Ok(out.flush()?)).and_then(|()| Ok(out.get_ref().sync_all()?));
    if let Err(error) = filled {
        fs::remove_file(&draft)?;
        return Err(error);
    }
    fs::rename(&draft, path)?;
    Ok(sync_folder(folder)?)
}

/// Opens a file of lines to append to, cut back to its last whole line; comes back with how many lines it has.
fn open_to_append(path: &Path) -> Result<(File, u64), WriteError> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let (mut lines, mut whole, mut line) = (0, 0, Vec::new());
    let mut reader = BufReader::new(&file);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        lines += 1;
        whole += u64::try_from(read).unwrap_or(u64::MAX);
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok((file, lines))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn appending_goes_on_behind_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.jsonl");
        let (mut file, lines) = open_to_append(&path).unwrap();
        assert_eq!(lines, 0);
        file.write_all(b"1\n2\n3 is cut").unwrap();
        let (mut file, lines) = open_to_append(&path).unwrap();
        assert_eq!(lines, 2);
        file.write_all(b"3\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1\n2\n3\n");
    }

    #[test]
    fn a_file_that_cannot_be_filled_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        whole(&path, |out| Ok(out.write_all(b"old")?)).unwrap();
        let broken = whole(&path, |out| {
            out.write_all(b"new")?;
            Err(WriteError::Full)
        });
        assert!(broken.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
