//! Scheduled reports: a tenant's key figures by mail, to people of the tenant.
//!
//! Invariants: recipients are kept as people and not as addresses, so an erasure leaves nothing here; the moment a report
//! was due lies in the batch that queues its mails, so each is sent once, whatever happens in between; of those that came
//! due while the server was away only the latest is sent.

mod change;
mod content;
mod read;
mod schedule;
mod send;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use trafficlab_engine::ads::compare::Earlier;

use super::accounts::user::USERS;
use super::actor::Actor;
use super::campaign::Platform;
use super::change::Change;
use super::ids::{TenantId, UserId};
use super::table::TenantTable;
use super::tenant::Tenant;
use crate::store::kv::Result as Stored;
use crate::store::{FirstVersion, Store};
use crate::systems::{Fault, Outcome};

pub use change::{create, remove, update};
pub use schedule::{Period, Schedule, WEEKDAYS};
pub use send::{send_due, send_now};

/// Reports by their number.
pub(super) const REPORTS: TenantTable<u64, Report> = TenantTable::new("ads_report");

/// A scheduled report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who made it; nobody after their erasure.
    pub owner: Option<UserId>,
    /// Its name.
    pub name: String,
    /// On which days.
    pub schedule: Schedule,
    /// At which hour of the tenant's zone.
    pub hour: u8,
    /// Who gets it.
    pub recipients: Vec<UserId>,
    /// The days it tells of.
    pub period: Period,
    /// Of one platform only.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// What it is compared with: the word of the API.
    #[serde(default)]
    pub compare: Option<String>,
    /// Whether it is sent.
    pub active: bool,
    /// When it is due next, nanoseconds since 1970.
    pub next_ns: u64,
    /// The last due moment that was sent.
    #[serde(default)]
    pub last_due_ns: Option<u64>,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    pub updated_ns: u64,
}

impl FirstVersion for Report {}

impl Report {
    fn earlier(&self) -> Option<Earlier> {
        self.compare.as_deref().and_then(Earlier::parse)
    }
}

/// All reports of the tenant, by number.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, tenant: TenantId) -> Stored<Vec<(u64, Report)>> {
    REPORTS.scan(store, tenant, false).collect()
}

/// One report.
///
/// # Errors
/// 404.
pub fn get(store: &Store, tenant: TenantId, id: u64) -> Outcome<Report> {
    REPORTS.get(store, tenant, id)?.ok_or_else(missing)
}

/// The addresses a report goes to now: those of its recipients who may sign in.
///
/// # Errors
/// When the store cannot be read.
pub fn addresses(store: &Store, tenant: TenantId, report: &Report) -> Stored<Vec<(UserId, String)>> {
    let mut found = Vec::new();
    for id in &report.recipients {
        let user = USERS.get(store, tenant, *id)?;
        if let Some(user) = user.filter(|user| user.active && user.anonymised_ns.is_none()) {
            found.push((*id, user.email));
        }
    }
    Ok(found)
}

/// Takes a person of the actor's tenant out of all reports; one that nobody gets any more stands still.
///
/// # Errors
/// When the store cannot be read.
pub fn forget(change: &mut Change<'_>, person: UserId) -> Stored<()> {
    for (id, mut report) in list(change.store, change.actor.tenant)? {
        let before = report.clone();
        report.recipients.retain(|recipient| *recipient != person);
        report.owner = report.owner.filter(|owner| *owner != person);
        report.active &= !report.recipients.is_empty();
        if report != before {
            change.put(&REPORTS, id, &report)?;
        }
    }
    Ok(())
}

/// Plans all reports of the actor's tenant anew, after its time zone changed.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn replan(change: &mut Change<'_>, tenant: &Tenant) -> Stored<()> {
    for (id, mut report) in list(change.store, change.actor.tenant)? {
        report.next_ns = schedule::next(report.schedule, report.hour, tenant, change.at_ns);
        change.put(&REPORTS, id, &report)?;
    }
    Ok(())
}

/// The tenant, for plans.
fn tenant_of(store: &Store, actor: &Actor) -> Outcome<Tenant> {
    super::tenant::get(store, actor)
}

fn missing() -> Fault {
    Fault::not_found("Report not found")
}
