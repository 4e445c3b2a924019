//! Receiving the file of an import, and what callers see of imports.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trafficlab_shared::clock;
use uuid::Uuid;

use super::body::{FileReader, ImportBody};
use super::types::ImportBody as View;
use crate::http::App;
use crate::store::quota;
use crate::store::visit_imports::{ImportFormat, ImportState, ImportTally, VisitImport};
use crate::systems::visits::stats::wrong;
use crate::systems::{Code, Fault, Outcome, blocking};
use crate::visits::sites::{Admission, domain};
use crate::visits::transfer::imports::{MOST_QUEUED, Place, Refusal};

/// Where files are sent to.
pub(crate) const PATH: &str = "/api/visits/import";
/// A sender may be silent for this long.
const SILENCE: Duration = Duration::from_secs(30);
/// Room that imports leave on the disk.
const RESERVE: u64 = 256 << 20;
/// The free space is looked at again after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;
const BLOCK: usize = 256 * 1024;
const LONGEST_NAME: usize = 128;

/// What comes with a file besides its bytes.
pub(super) struct Offer {
    pub(super) site: Option<String>,
    pub(super) format: ImportFormat,
    pub(super) name: Option<String>,
    pub(super) again: bool,
    pub(super) dry_run: bool,
}

/// Receives a file and queues its import. Whatever goes wrong, and when the sender goes away, nothing is left.
///
/// # Errors
/// 404 for a site that is not counted, 409 for a file that was imported before, 413, 422, 503, 507.
pub(super) async fn receive(app: &Arc<App>, offer: Offer, body: ImportBody) -> Outcome<View> {
    let imports = &app.visits.imports;
    let busy = || unavailable("Too many files are received at once");
    let _permit = imports.receive().ok_or_else(busy)?;
    let site = site(app, &offer)?;
    let announced = body.announced.unwrap_or(0);
    if announced > most_bytes(app) {
        return Err(too_large(app));
    }
    has_room(&app.config.data_dir, announced)?;
    let (own, file) = body.file().await?;
    let received = Received::new(imports.place(&Uuid::now_v7().to_string()))?;
    let (bytes, sha256) = store(app, &received.place, file).await?;
    if bytes == 0 {
        return Err(wrong("file", "is empty"));
    }
    let import = VisitImport {
        name: label(offer.name.or(own).as_deref()),
        site,
        format: offer.format,
        dry_run: offer.dry_run,
        bytes,
        sha256,
        state: ImportState::Queued,
        error: None,
        created_ns: clock::wall_ns(),
        ended_ns: None,
        tally: ImportTally::default(),
    };
    queue(app, received, import, offer.again).await
}

/// Puts what was received into the queue. Every error leaves nothing of it.
async fn queue(app: &Arc<App>, received: Received, import: VisitImport, again: bool) -> Outcome<View> {
    let same = |id: &str, other: &VisitImport| {
        let counts = !other.dry_run && other.state != ImportState::Failed;
        let same = other.sha256 == import.sha256 && other.site == import.site;
        (!again && !import.dry_run && counts && same).then(|| id.to_owned())
    };
    let id = received.id();
    match app.visits.imports.put(&id, &import, same).await? {
        Ok(()) => {}
        Err(Refusal::Full) => return Err(unavailable(&format!("{MOST_QUEUED} imports wait already"))),
        Err(Refusal::Other(before)) => {
            let message = "This very file was imported before; `again=true` counts it once more";
            return Err(Fault::conflict(message).with("import_id", before));
        }
    }
    received.keep();
    tracing::info!(import = %id, bytes = import.bytes, format = import.format.as_str(), "an import of visits is queued");
    Ok(View::of(&id, &import))
}

/// The site that is named. It is made here as the first visit would.
fn site(app: &App, offer: &Offer) -> Outcome<Option<String>> {
    let Some(name) = offer.site.as_deref().filter(|name| !name.is_empty()) else {
        if offer.format == ImportFormat::Plausible {
            return Err(wrong("site_id", "is needed: figures of Plausible do not say whose they are"));
        }
        return Ok(None);
    };
    let domain = domain::normal(name).ok_or_else(|| wrong("site_id", "must be a host name"))?;
    let sites = &app.visits.sites;
    if offer.dry_run && sites.find(&domain).is_none() {
        return Ok(Some(domain));
    }
    match sites.admit(&domain) {
        Admission::Known(site) | Admission::Made(site) => Ok(Some(site.domain.clone())),
        Admission::Unknown => Err(Fault::not_found(format!("Site `{domain}` is not counted; add it first"))),
        Admission::TooMany => Err(Fault::conflict("There are as many sites as may come by themselves; add it first")),
    }
}

/// One import.
///
/// # Errors
/// 404.
pub(super) fn get(app: &App, id: &str) -> Outcome<View> {
    let import = app.visits.imports.get(id)?.ok_or_else(unknown)?;
    Ok(View::of(id, &import))
}

/// The newest imports.
///
/// # Errors
/// When the store fails.
pub(super) fn list(app: &App, limit: usize) -> Outcome<(usize, Vec<View>)> {
    let all = app.visits.imports.all()?;
    Ok((all.len(), all.iter().take(limit).map(|(id, import)| View::of(id, import)).collect()))
}

/// Cancels an import, or takes back what it brought, and forgets it.
///
/// # Errors
/// 404, and when files cannot be written.
pub(super) async fn remove(app: &Arc<App>, id: &str) -> Outcome<()> {
    let removed = app.visits.imports.remove(&app.visits, id).await;
    removed.map_err(|error| Fault::internal("an import cannot be removed", &error))?.ok_or_else(unknown)?;
    tracing::info!(import = %id, "an import of visits is removed");
    Ok(())
}

fn unknown() -> Fault {
    Fault::not_found("Import not found")
}

fn unavailable(message: &str) -> Fault {
    Fault { retry_after: Some(10), ..Fault::new(Code::Unavailable, message) }
}

fn most_bytes(app: &App) -> u64 {
    app.config.captures.max_upload_bytes.0
}

fn too_large(app: &App) -> Fault {
    let most = most_bytes(app);
    Fault::new(Code::PayloadTooLarge, format!("The file is larger than `captures.max_upload_bytes`, {most} bytes"))
}

fn has_room(folder: &Path, bytes: u64) -> Outcome<()> {
    let space = quota::space(folder).map_err(|error| Fault::internal("free space", &error))?;
    if space.free < bytes.saturating_add(RESERVE) {
        return Err(Fault::new(Code::InsufficientStorage, "Not enough space is free on the disk for this file"));
    }
    Ok(())
}

/// The sender's name without folders and control characters.
fn label(name: Option<&str>) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if plain.trim().is_empty() { "upload".to_owned() } else { plain }
}

/// Writes the body to the import's file and makes it durable; its length and hash.
async fn store(app: &App, place: &Place, mut body: FileReader) -> Outcome<(u64, String)> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&place.upload).map_err(disk)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut bytes, mut looked, mut block, mut hash) = (0_u64, 0_u64, vec![0; BLOCK], Sha256::new());
    loop {
        let read = tokio::time::timeout(SILENCE, body.read(&mut block)).await;
        let silent = || Fault::new(Code::RequestTimeout, "The upload stood still for too long");
        let read = read.map_err(|_elapsed| silent())?.map_err(ended_early)?;
        let Some(part) = block.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
        if bytes > most_bytes(app) {
            return Err(too_large(app));
        }
        if bytes - looked >= LOOK_EVERY {
            looked = bytes;
            has_room(&place.folder, 0)?;
        }
        hash.update(part);
        file.write_all(part).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    let folder = place.folder.clone();
    blocking(move || crate::store::sync_folder(&folder).map_err(disk)).await?;
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
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

/// What is received, removed unless it is kept.
struct Received {
    place: Place,
    kept: bool,
}

impl Received {
    fn new(place: Place) -> Outcome<Self> {
        place.make().map_err(disk)?;
        Ok(Self { place, kept: false })
    }

    fn id(&self) -> String {
        self.place.folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = self.place.remove()
        {
            tracing::warn!(%error, "an upload that failed cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_senders_name_is_a_label() {
        for (name, shown) in
            [(Some("../../x.log"), "x.log"), (Some("C:\\a\nb"), "ab"), (Some(" "), "upload"), (None, "upload")]
        {
            assert_eq!(label(name), shown);
        }
    }
}
