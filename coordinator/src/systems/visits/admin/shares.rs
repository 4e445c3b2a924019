//! Links that show a site's figures to whoever has them.

use jiff::Timestamp;
use serde_json::{Map, Value};
use trafficlab_shared::clock;

use super::types::{Deleted, ShareMade, ShareView, SharesView};
use super::{LONGEST_NAME, body, gone, needed};
use crate::http::App;
use crate::store::visit_settings::ShareRecord;
use crate::systems::Outcome;
use crate::systems::time::{maybe_rfc3339, rfc3339};
use crate::systems::visits::stats::scope;
use crate::systems::visits::stats::wrong;
use crate::visits::book::shares;

/// The links of a site, or of all.
///
/// # Errors
/// 404.
pub fn list(app: &App, site_id: Option<&str>) -> Outcome<SharesView> {
    let site = site_id.map(|name| scope::site(app, Some(name), None)).transpose()?;
    let shares = shares::list(app.store(), site.as_ref().map(|site| site.domain.as_str()))?;
    Ok(SharesView { success: true, shares: shares.iter().map(view).collect() })
}

/// Makes a link.
///
/// # Errors
/// 422 naming the field, 404, 409.
pub async fn add(app: &App, map: &Map<String, Value>) -> Outcome<ShareMade> {
    let (site_id, name, expires_at) = body(map, |fields| {
        let site_id = fields.text("site_id", 300);
        let name = needed(fields, "name", LONGEST_NAME);
        Some((site_id, name?, fields.text("expires_at", 64)))
    })?;
    let site = scope::site(app, site_id, None)?;
    let expires_ns = expires_at.map(|text| {
        let at = text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_nanosecond()).ok());
        let at = at.filter(|at| *at > clock::wall_ns());
        at.ok_or_else(|| wrong("expires_at", "must be a moment to come, such as 2030-01-31T00:00:00Z"))
    });
    let (share, token) = shares::add(app.store(), &site.domain, name.to_owned(), expires_ns.transpose()?).await?;
    let path = format!("/share/{token}");
    let base = app.config.public_url.as_deref().map(|url| url.trim_end_matches('/')).unwrap_or_default();
    Ok(ShareMade { success: true, share: view(&share), url: format!("{base}{path}"), token })
}

/// Revokes a link.
///
/// # Errors
/// 404.
pub async fn remove(app: &App, id: &str) -> Outcome<Deleted> {
    gone("Link", shares::remove(app.store(), id).await?)?;
    Ok(Deleted { success: true, message: "The link opens nothing any more".to_owned() })
}

fn view(share: &ShareRecord) -> ShareView {
    ShareView {
        id: share.id.clone(),
        site_id: share.site.clone(),
        name: share.name.clone(),
        created_at: rfc3339(share.created_ns),
        expires_at: maybe_rfc3339(share.expires_ns),
    }
}
