//! Capture files that callers send: streamed to a file under an id of ours, looked at, analysed at once.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use super::captures::{self, CaptureView};
use super::{compute, jobs, peek};
use crate::http::App;
use crate::store::captures::{CAPTURES, Source};
use crate::store::{quota, sync_folder};
use crate::systems::{Code, Fault, Outcome, blocking};

/// A sender may be silent for this long.
const SILENCE: Duration = Duration::from_secs(30);
/// Room that uploads leave on the disk, for the store and the results.
const RESERVE: u64 = 256 << 20;
/// The free space is looked at again after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;
const BLOCK: usize = 256 * 1024;
/// Uploads at once.
const MOST: usize = 16;
/// The file in its capture's folder.
const FILE: &str = "upload";

/// Ids of the uploads that are being received.
#[derive(Debug, Default)]
pub struct Incoming(Mutex<HashSet<String>>);

impl Incoming {
    fn with<T>(&self, change: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What comes with an upload besides its bytes.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What the sender calls the file; nothing but a label.
    pub name: Option<String>,
    /// Length of a window.
    pub window_ns: u64,
}

/// Refuses what can be refused before the first byte.
///
/// # Errors
/// 413, 503, 507.
pub async fn admit(app: &App, announced: Option<u64>) -> Outcome<()> {
    jobs::may_begin(app).await?;
    let bytes = announced.unwrap_or(0);
    if bytes > app.config.captures.max_upload_bytes.0 {
        return Err(too_large(app));
    }
    app.dispatch.make_room(bytes).await?;
    has_room(&app.config.data_dir, bytes)
}

fn too_large(app: &App) -> Fault {
    let most = app.config.captures.max_upload_bytes.0;
    Fault::new(Code::PayloadTooLarge, format!("The upload is larger than `captures.max_upload_bytes`, {most} bytes"))
}

fn has_room(folder: &Path, bytes: u64) -> Outcome<()> {
    let space = quota::space(folder).map_err(|error| Fault::internal("free space", &error))?;
    if space.free < bytes.saturating_add(RESERVE) {
        return Err(Fault::new(Code::InsufficientStorage, "Not enough space is free on the disk for this upload"));
    }
    Ok(())
}

/// Receives a file and begins its analysis. Whatever goes wrong, and when the sender goes away, nothing is left.
///
/// # Errors
/// 400 when it is no capture, 408 when the sender is silent, 413 and 507 when it does not fit.
pub async fn receive(app: &Arc<App>, offer: Offer, body: impl AsyncRead + Send + Unpin) -> Outcome<CaptureView> {
    let place = Place::new(app)?;
    let bytes = store(app, &place, body).await?;
    // Its length may not have been announced, or wrongly.
    app.dispatch.make_room(bytes).await?;
    let name = label(offer.name.as_deref());
    let (path, shown) = (place.file.clone(), name.clone());
    blocking(move || peek::check(&path, &shown)).await?;
    let source = Source::Upload { file_name: name.clone(), path: place.file.display().to_string(), bytes };
    let capture = compute::analyse(app, place.id.clone(), name, source, offer.window_ns).await?;
    place.keep();
    tracing::info!(target: "analysis", capture = %capture.id, bytes, "capture file received");
    captures::view(app, capture)
}

/// The sender's name without folders and control characters.
fn label(name: Option<&str>) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !letter.is_control()).take(128).collect();
    if plain.trim().is_empty() { FILE.to_owned() } else { plain }
}

/// Writes the body to a file under a temporary name, makes it durable and names it.
async fn store(app: &App, place: &Place, mut body: impl AsyncRead + Send + Unpin) -> Outcome<u64> {
    let draft = place.folder.join("upload.part");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(disk)?;
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
        if bytes > app.config.captures.max_upload_bytes.0 {
            return Err(too_large(app));
        }
        if bytes - looked >= LOOK_EVERY {
            looked = bytes;
            has_room(&place.folder, 0)?;
        }
        file.write_all(part).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    let (folder, target) = (place.folder.clone(), place.file.clone());
    blocking(move || {
        fs::rename(&draft, &target).map_err(disk)?;
        sync_folder(&folder).map_err(disk)
    })
    .await?;
    Ok(bytes)
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn ended_early(error: io::Error) -> Fault {
    tracing::debug!(%error, "an upload ended early");
    Fault::new(Code::Malformed, "The upload ended early")
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err asks for")]
fn disk(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Fault::new(Code::InsufficientStorage, "The disk is full")
        }
        _ => Fault::internal("upload", &error),
    }
}

/// The folder of an upload, removed with everything in it unless it is kept.
struct Place {
    app: Arc<App>,
    id: String,
    folder: PathBuf,
    file: PathBuf,
    kept: bool,
}

impl Place {
    fn new(app: &Arc<App>) -> Outcome<Self> {
        let id = Uuid::now_v7().to_string();
        let admitted = app.analyzer.incoming.with(|ids| ids.len() < MOST && ids.insert(id.clone()));
        if !admitted {
            let message = format!("{MOST} uploads are being received; try again when one is done");
            return Err(Fault { retry_after: Some(10), ..Fault::new(Code::Unavailable, message) });
        }
        let folder = app.dispatch.capture_folder(&id);
        let place = Self { app: Arc::clone(app), id, file: folder.join(FILE), folder, kept: false };
        // What people capture is nobody else's business: the folder is its owner's alone.
        DirBuilder::new().recursive(true).mode(0o700).create(&place.folder).map_err(disk)?;
        fs::set_permissions(&place.folder, Permissions::from_mode(0o700)).map_err(disk)?;
        Ok(place)
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an upload that failed cannot be removed");
        }
        self.app.analyzer.incoming.with(|ids| ids.remove(&self.id));
    }
}

/// Removes what uploads left that a crash interrupted. Blocks.
///
/// # Errors
/// When the folder cannot be read.
pub fn sweep(app: &App) -> Outcome<()> {
    let entries = match fs::read_dir(app.dispatch.captures_folder()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(disk(error)),
    };
    for entry in entries {
        let entry = entry.map_err(disk)?;
        let Some(id) = entry.file_name().to_str().filter(|name| Uuid::try_parse(name).is_ok()).map(str::to_owned)
        else {
            continue;
        };
        // An upload puts its row while its id is among the incoming, so it is always in one of both.
        let incoming = app.analyzer.incoming.with(|ids| ids.contains(&id));
        if !incoming && !CAPTURES.contains(app.store(), &id)? {
            tracing::info!(folder = %folder_name(&entry.path()), "what an interrupted upload left is removed");
            fs::remove_dir_all(entry.path()).map_err(disk)?;
        }
    }
    Ok(())
}

fn folder_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::label;

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
}
