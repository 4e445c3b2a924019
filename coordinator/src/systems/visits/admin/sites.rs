//! Sites and their settings.

use std::sync::Arc;

use ipnet::IpNet;
use serde_json::{Map, Value};
use trafficlab_shared::clock;
use trafficlab_shared::config::UniqueMode;

use super::types::{Deleted, SiteView, SitesView};
use super::{body, needed};
use crate::http::App;
use crate::store::Batch;
use crate::store::visit_settings::Site;
use crate::systems::fields::Fields;
use crate::systems::time::rfc3339;
use crate::systems::visits::stats::scope;
use crate::systems::{Fault, Outcome, blocking};
use crate::visits::book::{funnels, goals, shares};
use crate::visits::sites::{MOST_SITES, domain};

/// Entries of each of a site's lists at the most.
const MOST_ENTRIES: usize = 100;
const LONGEST_ENTRY: usize = 256;

/// All sites with their number of visits.
#[must_use]
pub fn list(app: &App) -> SitesView {
    let counts = app.visits.store.sites();
    let visits = |domain: &str| counts.iter().find(|(site, _)| site == domain).map_or(0, |(_, count)| *count);
    let sites = app.visits.sites.all().iter().map(|site| view(app, site, visits(&site.domain))).collect();
    SitesView { success: true, sites }
}

/// One site.
///
/// # Errors
/// 404.
pub fn get(app: &App, name: &str) -> Outcome<SiteView> {
    let site = scope::site(app, Some(name), None)?;
    let counts = app.visits.store.sites();
    let visits = counts.iter().find(|(domain, _)| *domain == site.domain).map_or(0, |(_, count)| *count);
    Ok(view(app, &site, visits))
}

/// Adds a site.
///
/// # Errors
/// 422 naming the fields, 409 when it is there.
pub async fn add(app: &App, map: &Map<String, Value>) -> Outcome<SiteView> {
    let site = body(map, |fields| {
        let name = needed(fields, "domain", 300)?;
        let Some(domain) = domain::normal(name) else {
            fields.fault("domain", "must be a host name such as example.com");
            return None;
        };
        let mut site = Site { added: true, ..Site::new(&domain, clock::wall_ns()) };
        settings(fields, map, &mut site);
        Some(site)
    })?;
    let sites = &app.visits.sites;
    if sites.find(&site.domain).is_some() {
        return Err(Fault::conflict(format!("Site `{}` is there already", site.domain)));
    }
    if sites.all().len() >= MOST_SITES * 2 {
        return Err(Fault::conflict("There are too many sites"));
    }
    sites.put(site.clone()).await?;
    Ok(view(app, &site, 0))
}

/// Changes a site; what is not named stays, null goes back to the configuration.
///
/// # Errors
/// 404, 422 naming the fields.
pub async fn change(app: &App, name: &str, map: &Map<String, Value>) -> Outcome<SiteView> {
    let mut site = Site::clone(&*scope::site(app, Some(name), None)?);
    body(map, |fields| {
        settings(fields, map, &mut site);
        Some(())
    })?;
    app.visits.sites.put(site.clone()).await?;
    get(app, &site.domain)
}

/// Removes a site with everything that belongs to it.
///
/// # Errors
/// 404, and what removing brings.
pub async fn remove(app: &Arc<App>, name: &str) -> Outcome<Deleted> {
    let site = scope::site(app, Some(name), None)?;
    let mut batch = Batch::new();
    goals::forget(app.store(), &site.domain, &mut batch)?;
    funnels::forget(app.store(), &site.domain, &mut batch)?;
    shares::forget(app.store(), &site.domain, &mut batch)?;
    app.store().apply(batch)?;
    // The record goes first: a crash in between leaves visits without settings, which make the site anew at the next start
    // and can be removed again. A visit that comes meanwhile may make the site anew too.
    app.visits.sites.remove(&site.domain).await?;
    let own = Arc::clone(app);
    let domain = site.domain.clone();
    blocking(move || {
        own.visits.store.remove_site(&domain).map_err(|error| Fault::internal("a site cannot be removed", &error))?;
        let imported = own.visits.imported.remove_site(&domain);
        imported.map(|_days| ()).map_err(|error| Fault::internal("imported figures cannot be removed", &error))
    })
    .await?;
    Ok(Deleted { success: true, message: format!("Site `{}` and its visits are removed", site.domain) })
}

/// Reads the settings that are there into `site`.
fn settings<'a>(fields: &mut Fields<'a, '_>, map: &'a Map<String, Value>, site: &mut Site) {
    let named = |key: &str| map.contains_key(key);
    if let Some(name) = fields.text("timezone", 64) {
        match scope::zone("timezone", name) {
            Ok((_, name)) => site.timezone = name,
            Err(_) => fields.fault("timezone", "must be an IANA time zone such as Europe/Berlin"),
        }
    }
    let keep_days = fields.whole("keep_days", 1..=36_500).and_then(|days| u32::try_from(days).ok());
    if named("keep_days") {
        site.keep_days = keep_days;
    }
    let respect = fields.flag("respect_dnt");
    if named("respect_dnt") {
        site.respect_dnt = respect;
    }
    let mode = fields.text("unique_mode", 20);
    if named("unique_mode") {
        site.unique_mode = mode.and_then(unique_mode);
        if mode.is_some() && site.unique_mode.is_none() {
            fields.fault("unique_mode", "must be `accurate`, `masked` or `random`");
        }
    }
    let rate = fields.whole("visits_per_second", 1..=10_000_000).and_then(|rate| u32::try_from(rate).ok());
    if named("visits_per_second") {
        site.visits_per_second = rate;
    }
    if let Some(hash_routing) = fields.flag("hash_routing") {
        site.hash_routing = hash_routing;
    }
    lists(fields, site);
}

fn lists(fields: &mut Fields<'_, '_>, site: &mut Site) {
    let path = |text: &str| text.starts_with(['/', '*']).then(|| text.to_owned());
    if let Some(paths) = entries(fields, "excluded_paths", "must be a path that begins with `/`", path) {
        site.excluded_paths = paths;
    }
    let network = |text: &str| {
        let address = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
        text.parse().ok().or_else(address)
    };
    if let Some(networks) = entries(fields, "excluded_addresses", "must be an address or a network", network) {
        site.excluded_addresses = networks;
    }
    let origin = |text: &str| {
        let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let host = bare.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(bare, |(host, _)| host);
        domain::normal(host).map(|_| text.to_ascii_lowercase())
    };
    if let Some(origins) = entries(fields, "origins", "must be an origin such as https://shop.example", origin) {
        site.origins = origins;
    }
}

fn entries<T>(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    rule: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let list = fields.list(key, MOST_ENTRIES)?;
    let text =
        |value: &Value| value.as_str().map(|text| text.trim().to_owned()).filter(|text| text.len() <= LONGEST_ENTRY);
    let mut found = Vec::new();
    for (place, value) in list.iter().enumerate() {
        match text(value).and_then(|text| read(&text)) {
            Some(entry) => found.push(entry),
            None => fields.fault(&format!("{key}[{place}]"), rule),
        }
    }
    Some(found)
}

fn unique_mode(text: &str) -> Option<UniqueMode> {
    Some(match text {
        "accurate" => UniqueMode::Accurate,
        "masked" => UniqueMode::Masked,
        "random" => UniqueMode::Random,
        _ => return None,
    })
}

fn view(app: &App, site: &Site, visits: u64) -> SiteView {
    let mode = site.unique_mode.map(|mode| match mode {
        UniqueMode::Accurate => "accurate",
        UniqueMode::Masked => "masked",
        UniqueMode::Random => "random",
    });
    SiteView {
        domain: site.domain.clone(),
        timezone: site.timezone.clone(),
        keep_days: site.keep_days,
        respect_dnt: site.respect_dnt,
        unique_mode: mode.map(str::to_owned),
        excluded_paths: site.excluded_paths.clone(),
        excluded_addresses: site.excluded_addresses.iter().map(ToString::to_string).collect(),
        origins: site.origins.clone(),
        visits_per_second: site.visits_per_second,
        hash_routing: site.hash_routing,
        counted: app.visits.sites.is_counted(site),
        visits,
        created_at: rfc3339(site.created_ns),
    }
}
