//! Restoring a dump. The files are made in a folder beside the target, which takes the target's name only when the last
//! line proved everything before it, so a target is either complete or untouched.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::lines::{LineError, Lines};
use super::target::Target;
use super::{DumpCounts, DumpError, EndLine, Line, hex};
use crate::store::sync_folder;

/// Makes the store in `folder` and the files of visits in `visits` from a dump; both must be missing or empty.
///
/// # Errors
/// `NotEmpty`, `UnknownFormat`, `Truncated`, `Damaged`, `Store`, `Io`; nothing is left of the attempt then.
pub fn restore(input: &mut dyn BufRead, folder: &Path, visits: &Path) -> Result<DumpCounts, DumpError> {
    refuse_content(folder)?;
    refuse_content(visits)?;
    let (staging, staged_visits) = (staging_folder(folder)?, staging_folder(visits)?);
    // Left by a restore that was killed; its content is worthless without its last line.
    remove_if_there(&staging)?;
    remove_if_there(&staged_visits)?;
    let result = restore_into(input, &staging, &staged_visits).and_then(|counts| {
        // The store comes last: without it the rest is refused as content that somebody has to look at.
        fs::rename(&staged_visits, visits).map_err(DumpError::io("move the restored visits into their place"))?;
        fs::rename(&staging, folder).map_err(DumpError::io("move the restored folder into its place"))?;
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(parent).map_err(DumpError::io("sync the parent folder"))?;
        Ok(counts)
    });
    if result.is_err() {
        remove_if_there(&staging)?;
        remove_if_there(&staged_visits)?;
    }
    result
}

fn refuse_content(folder: &Path) -> Result<(), DumpError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(DumpError::NotEmpty { path: folder.display().to_string() }),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DumpError::io("look into the target folder")(error)),
    }
}

fn staging_folder(folder: &Path) -> Result<PathBuf, DumpError> {
    let Some(name) = folder.file_name() else {
        return Err(DumpError::io("name the target folder")(std::io::ErrorKind::InvalidInput.into()));
    };
    let mut name = name.to_owned();
    name.push(".restoring");
    Ok(folder.with_file_name(name))
}

fn remove_if_there(folder: &Path) -> Result<(), DumpError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(DumpError::io("remove an unfinished restore")(error))
        }
        _ => Ok(()),
    }
}

fn restore_into(input: &mut dyn BufRead, folder: &Path, visits: &Path) -> Result<DumpCounts, DumpError> {
    let mut lines = Lines::new(input);
    lines.header()?;
    let mut target = Target::new(folder, visits)?;
    loop {
        // The hash of everything before this line, in case it is the last.
        let before = lines.hash();
        lines.next()?;
        match lines.parse()? {
            Line::Pair { k, v } => target.pair(k, v).map_err(|error| error.at(lines.number()))?,
            Line::Segment { segment } => target.segment(&segment).map_err(|error| error.at(lines.number()))?,
            Line::File { file } => target.piece(&file).map_err(|error| error.at(lines.number()))?,
            Line::End { end } => {
                check_end(&end, before, target.counts()).map_err(|error| error.at(lines.number()))?;
                lines.nothing_more()?;
                return target.finish();
            }
        }
    }
}

fn check_end(end: &EndLine<'_>, hash: Sha256, counts: DumpCounts) -> Result<(), LineError> {
    if hex(&hash.finalize()) != end.sha256 {
        return Err(LineError::Damaged("the checksum of the dump does not match".into()));
    }
    if (DumpCounts { keys: end.keys, frames: end.frames, pieces: end.pieces }) != counts {
        return Err(LineError::Damaged("the counts do not match".into()));
    }
    Ok(())
}
