//! Files that callers send: their bodies, and how their bytes come to the disk.

pub(crate) mod body;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{Code, Fault, Outcome};
use crate::store::quota;

/// A sender may be silent for this long.
const SILENCE: Duration = Duration::from_secs(30);
/// Room that uploads leave on the disk, for the store and the results.
const RESERVE: u64 = 256 << 20;
/// The free space is looked at again after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;
const BLOCK: usize = 256 * 1024;
const LONGEST_NAME: usize = 128;

/// Refuses a length that does not fit.
///
/// # Errors
/// 413 when `bytes` are more than `most`, 507 when they leave too little room in the folder.
pub(crate) fn fits(bytes: u64, most: u64, folder: &Path) -> Outcome<()> {
    if bytes > most {
        return Err(too_large(most));
    }
    has_room(folder, bytes)
}

fn too_large(most: u64) -> Fault {
    Fault::new(Code::PayloadTooLarge, format!("The file is larger than `captures.max_upload_bytes`, {most} bytes"))
}

fn has_room(folder: &Path, bytes: u64) -> Outcome<()> {
    let space = quota::space(folder).map_err(|error| Fault::internal("free space", &error))?;
    if space.free < bytes.saturating_add(RESERVE) {
        return Err(Fault::new(Code::InsufficientStorage, "Not enough space is free on the disk for this file"));
    }
    Ok(())
}

/// Writes the body to a new file at `path` and makes its bytes durable, not yet its name; `seen` is shown every block.
/// Comes back with the length.
///
/// # Errors
/// 400 when the body ends early, 408 when the sender is silent, 413 and 507 when it does not fit.
pub(crate) async fn write(
    path: &Path,
    most: u64,
    mut body: impl AsyncRead + Send + Unpin,
    mut seen: impl FnMut(&[u8]) + Send,
) -> Outcome<u64> {
    let folder = path.parent().unwrap_or(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(disk)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut bytes, mut looked, mut block) = (0_u64, 0_u64, vec![0; BLOCK]);
    loop {
        let read = tokio::time::timeout(SILENCE, body.read(&mut block)).await;
        let silent = || Fault::new(Code::RequestTimeout, "The upload stood still for too long");
        let read = read.map_err(|_elapsed| silent())?.map_err(ended_early)?;
        let Some(part) = block.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
        if bytes > most {
            return Err(too_large(most));
        }
        if bytes - looked >= LOOK_EVERY {
            looked = bytes;
            has_room(folder, 0)?;
        }
        seen(part);
        file.write_all(part).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    Ok(bytes)
}

/// The sender's name without folders and control characters.
pub(crate) fn label(name: Option<&str>) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if plain.trim().is_empty() { "upload".to_owned() } else { plain }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn ended_early(error: io::Error) -> Fault {
    tracing::debug!(%error, "an upload ended early");
    Fault::new(Code::Malformed, "The upload ended early")
}

/// What a failing disk means for the sender.
#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
pub(crate) fn disk(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Fault::new(Code::InsufficientStorage, "The disk is full")
        }
        _ => Fault::internal("upload", &error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_senders_name_is_a_label() {
        for (name, shown) in [
            (Some("../../etc/passwd"), "passwd"),
            (Some("C:\\x\\a.pcap"), "a.pcap"),
            (Some("a\nb"), "ab"),
            (Some("  "), "upload"),
            (Some("x/"), "upload"),
            (None, "upload"),
        ] {
            assert_eq!(label(name), shown);
        }
    }

    #[tokio::test]
    async fn a_file_is_written_as_far_as_it_may_be_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Vec::new();
        let path = folder.path().join("a");
        let written = write(&path, 5, &b"hello"[..], |part| seen.extend_from_slice(part)).await;
        assert_eq!((written.unwrap(), seen.as_slice()), (5, &b"hello"[..]));
        assert_eq!(std::fs::read(&path).unwrap(), b"hello");
        let fault = write(&folder.path().join("b"), 4, &b"hello"[..], |_| ()).await.unwrap_err();
        assert_eq!(fault.code, Code::PayloadTooLarge);
        assert_eq!(write(&path, 5, &b"again"[..], |_| ()).await.unwrap_err().code, Code::Internal);
    }
}
