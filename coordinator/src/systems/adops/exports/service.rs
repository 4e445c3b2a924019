//! Exports: asked for, waited for, shown, fetched.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use trafficlab_shared::clock;

use super::file::Download;
use super::types::{ExportView, view};
use crate::adops::Actor;
use crate::adops::exports::{self, Found, Status};
use crate::http::App;
use crate::systems::{Code, Fault, Outcome};

/// A request waits so long for its export.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins an export and waits for it; whether it is done is in the answer.
///
/// # Errors
/// As `exports::make`, and 500 with the reason when it failed meanwhile.
pub async fn make(app: &Arc<App>, actor: &Actor, body: &Map<String, Value>) -> Outcome<(bool, ExportView)> {
    let made = exports::make(&app.dispatch, &app.adops, &app.config.exports, actor, body).await?;
    app.dispatch.wait_export(&made.id, PATIENCE).await?;
    let found = exports::get(&app.dispatch, actor, &made.id)?;
    if found.status == Status::Failed {
        let reason = found.reason.as_deref().unwrap_or("no reason is known");
        return Err(Fault::new(Code::Internal, format!("The export failed: {reason}")).with("export_id", found.id));
    }
    Ok((found.status == Status::Done, shown(app, actor, &found).await?))
}

/// One export, with a link when it is done.
///
/// # Errors
/// 404.
pub async fn get(app: &Arc<App>, actor: &Actor, id: &str) -> Outcome<ExportView> {
    let found = exports::get(&app.dispatch, actor, id)?;
    shown(app, actor, &found).await
}

async fn shown(app: &Arc<App>, actor: &Actor, found: &Found) -> Outcome<ExportView> {
    let link = match found.status {
        Status::Done => Some(exports::link(&app.dispatch, actor, &found.id).await?),
        _ => None,
    };
    Ok(view(found, &app.config.exports, link.as_deref()))
}

/// All exports of the tenant, without links.
///
/// # Errors
/// When the store cannot be read.
pub fn list(app: &App, actor: &Actor) -> Outcome<Vec<ExportView>> {
    let all = exports::list(&app.dispatch, actor)?;
    Ok(all.iter().map(|found| view(found, &app.config.exports, None)).collect())
}

/// The file of a link.
///
/// # Errors
/// 404 when it is none of the tenant's, or too old.
pub async fn download(app: &Arc<App>, actor: &Actor, token: &str) -> Outcome<Download> {
    let config = &app.config.exports;
    let (found, path) = exports::download(&app.dispatch, config, actor, token, clock::wall_ns()).await?;
    Download::open(&found, &path).await
}
