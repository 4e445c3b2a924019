//! Capture files that callers send: streamed to a file under an id of ours, looked at, analysed at once.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncRead;
use uuid::Uuid;

use super::captures::{self, CaptureView};
use super::{compute, jobs, peek};
use crate::http::App;
use crate::store::captures::{CAPTURES, Source};
use crate::store::sync_folder;
use crate::systems::upload::body::Accepts;
use crate::systems::upload::{self, disk, label};
use crate::systems::{Code, Fault, Outcome, blocking};

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
    let most = app.config.captures.max_upload_bytes.0;
    if bytes <= most {
        app.dispatch.make_room(bytes).await?;
    }
    upload::fits(bytes, most, &app.config.data_dir)
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

/// Writes the body to a file under a temporary name, makes it durable and names it.
async fn store(app: &App, place: &Place, body: impl AsyncRead + Send + Unpin) -> Outcome<u64> {
    let draft = place.folder.join("upload.part");
    let bytes = upload::write(&draft, app.config.captures.max_upload_bytes.0, body, |_| ()).await?;
    let (folder, target) = (place.folder.clone(), place.file.clone());
    blocking(move || {
        fs::rename(&draft, &target).map_err(disk)?;
        sync_folder(&folder).map_err(disk)
    })
    .await?;
    Ok(bytes)
}

/// Bytes that a capture may come as when they come alone.
pub struct CaptureTypes;

impl Accepts for CaptureTypes {
    const TYPES: Option<&'static [&'static str]> = Some(&[
        "application/octet-stream",
        "application/vnd.tcpdump.pcap",
        "application/x-pcapng",
        "application/gzip",
        "application/cap",
    ]);
    const REFUSAL: &'static str = "A capture is sent as multipart/form-data with a field `file`, or as \
         application/octet-stream with its bytes alone";
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
