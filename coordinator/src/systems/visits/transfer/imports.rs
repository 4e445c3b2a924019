//! Receiving the file of an import, and what callers see of imports.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use trafficlab_shared::clock;
use uuid::Uuid;

use super::types::ImportBody as View;
use crate::http::App;
use crate::store::visit_imports::{ImportFormat, ImportState, ImportTally, VisitImport};
use crate::systems::upload::body::{Accepts, FileReader, UploadBody};
use crate::systems::upload::{self, disk, label};
use crate::systems::visits::stats::wrong;
use crate::systems::{Code, Fault, Outcome, blocking};
use crate::visits::sites::{Admission, domain};
use crate::visits::transfer::imports::{MOST_QUEUED, Place, Refusal};

/// Where files are sent to.
pub(crate) const PATH: &str = "/api/visits/import";
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
pub(super) async fn receive(app: &Arc<App>, offer: Offer, body: UploadBody<ImportTypes>) -> Outcome<View> {
    let imports = &app.visits.imports;
    let busy = || unavailable("Too many files are received at once");
    let _permit = imports.receive().ok_or_else(busy)?;
    let site = site(app, &offer)?;
    upload::fits(body.announced.unwrap_or(0), most_bytes(app), &app.config.data_dir)?;
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

/// Writes the body to the import's file and makes it durable; its length and hash.
async fn store(app: &App, place: &Place, body: FileReader) -> Outcome<(u64, String)> {
    let mut hash = Sha256::new();
    let bytes = upload::write(&place.upload, most_bytes(app), body, |part| hash.update(part)).await?;
    let folder = place.folder.clone();
    blocking(move || crate::store::sync_folder(&folder).map_err(disk)).await?;
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Logs and tables have no types of their own: senders name what they like.
pub(super) struct ImportTypes;

impl Accepts for ImportTypes {
    const TYPES: Option<&'static [&'static str]> = None;
    const REFUSAL: &'static str = "";
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
