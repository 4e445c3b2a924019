//! Making, changing and removing reports.

use serde_json::{Map, Value, json};

use super::read::{Wanted, read};
use super::schedule::{Period, next};
use super::{REPORTS, Report, list, missing, tenant_of};
use crate::adops::accounts::user::{EMAILS, USERS};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::ids::UserId;
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

/// Reports of a tenant at the most.
const MOST: usize = 100;

/// Makes a report.
///
/// # Errors
/// 400 naming fields, 422 for recipients who are nobody of the tenant, 409 when there are too many.
pub async fn create(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<(u64, Report)> {
    let wanted = read(body, true)?;
    let work = |change: &mut Change<'_>| {
        if list(change.store, actor.tenant)?.len() >= MOST {
            return Err(Fault::conflict(format!("A tenant has at most {MOST} reports")));
        }
        let tenant = tenant_of(change.store, actor)?;
        let (schedule, hour) = (wanted.schedule(None)?, wanted.hour.unwrap_or(8));
        let report = Report {
            owner: actor.who.user(),
            recipients: people(change, wanted.recipients.as_deref().unwrap_or_default())?,
            name: wanted.name.unwrap_or_default(),
            schedule,
            hour,
            period: wanted.period.unwrap_or(Period::Last7Days),
            platform: wanted.platform.flatten(),
            compare: wanted.compare.flatten(),
            active: wanted.active.unwrap_or(true),
            next_ns: next(schedule, hour, &tenant, change.at_ns),
            last_due_ns: None,
            created_ns: change.at_ns,
            updated_ns: change.at_ns,
        };
        let id = change.next_id("report")?;
        change.put(&REPORTS, id, &report)?;
        change.audit(&AuditEntry::new(actor, "report.created", "report", id).change(&json!({}), &told(&report)))?;
        Ok((id, report))
    };
    change(store, actor, work).await
}

/// Changes a report; what is left out stays, null takes `platform` and `compare_period` away.
///
/// # Errors
/// 400, 404, 422.
pub async fn update(store: &Store, actor: &Actor, id: u64, body: &Map<String, Value>) -> Outcome<Report> {
    let wanted = read(body, false)?;
    let work = |change: &mut Change<'_>| {
        let before = change.get(&REPORTS, id)?.ok_or_else(missing)?;
        let after = merged(change, &before, wanted)?;
        if after == before {
            return Ok(before);
        }
        let tenant = tenant_of(change.store, actor)?;
        let next_ns = next(after.schedule, after.hour, &tenant, change.at_ns);
        let after = Report { next_ns, updated_ns: change.at_ns, ..after };
        change.put(&REPORTS, id, &after)?;
        let entry = AuditEntry::new(actor, "report.updated", "report", id).change(&told(&before), &told(&after));
        change.audit(&entry)?;
        Ok(after)
    };
    change(store, actor, work).await
}

/// Removes a report.
///
/// # Errors
/// 404.
pub async fn remove(store: &Store, actor: &Actor, id: u64) -> Outcome<()> {
    let work = |change: &mut Change<'_>| {
        change.get(&REPORTS, id)?.ok_or_else(missing)?;
        change.delete(&REPORTS, id);
        Ok(change.audit(&AuditEntry::new(actor, "report.deleted", "report", id))?)
    };
    change(store, actor, work).await
}

fn merged(change: &Change<'_>, before: &Report, wanted: Wanted) -> Outcome<Report> {
    Ok(Report {
        schedule: wanted.schedule(Some(before.schedule))?,
        recipients: match &wanted.recipients {
            Some(addresses) => people(change, addresses)?,
            None => before.recipients.clone(),
        },
        name: wanted.name.unwrap_or_else(|| before.name.clone()),
        hour: wanted.hour.unwrap_or(before.hour),
        period: wanted.period.unwrap_or(before.period),
        platform: wanted.platform.unwrap_or(before.platform),
        compare: wanted.compare.unwrap_or_else(|| before.compare.clone()),
        active: wanted.active.unwrap_or(before.active),
        ..before.clone()
    })
}

/// The people of addresses, each once. Only people of the tenant get its figures, so nobody mails strangers.
fn people(change: &Change<'_>, addresses: &[String]) -> Outcome<Vec<UserId>> {
    let mut found = Vec::new();
    let mut strangers = Fault::new(Code::Unprocessable, "Reports go to active users of the tenant only");
    for (place, address) in addresses.iter().enumerate() {
        let owner = EMAILS.get(change.store, address)?.filter(|(tenant, _)| *tenant == change.actor.tenant);
        let user = owner.map(|(_, id)| change.get(&USERS, id)).transpose()?.flatten();
        match owner.filter(|_| user.is_some_and(|user| user.active)) {
            Some((_, id)) if !found.contains(&id) => found.push(id),
            Some(_again) => {}
            None => strangers = strangers.detail(&format!("recipients[{place}]"), "is no active user of the tenant"),
        }
    }
    if strangers.details.is_empty() { Ok(found) } else { Err(strangers) }
}

/// What the audit log tells: never the name, which may be a person's, nor addresses.
fn told(report: &Report) -> Value {
    json!({
        "schedule": report.schedule.as_str(),
        "hour": report.hour,
        "period": report.period.as_str(),
        "recipients": report.recipients,
        "active": report.active,
    })
}
