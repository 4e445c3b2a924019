//! Queueing the mails of reports, when they are due and when somebody asks.

use serde_json::json;
use trafficlab_shared::clock;

use super::content::{Content, content};
use super::schedule::{last, next};
use super::{REPORTS, Report, addresses, get};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::change::{Change, change};
use crate::adops::ids::TenantId;
use crate::adops::mail::{self, Mail};
use crate::adops::tenant::Tenant;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Code, Fault, Outcome, blocking};

/// Sends what is due at `now_ns`. One that fails is told in the log and tried again at the next round.
///
/// # Errors
/// When the reports cannot be read.
pub async fn send_due(store: &Store, book: &Book, now_ns: u64) -> Outcome<()> {
    let due = |report: &Report| report.active && report.next_ns <= now_ns;
    let all = REPORTS.everyone(store).filter(|row| row.as_ref().map_or(true, |(_, report)| due(report)));
    for ((tenant, id), report) in all.collect::<Stored<Vec<_>>>()? {
        if let Err(error) = send_one(store, book, tenant, id, report, now_ns).await {
            tracing::warn!(%tenant, report = id, %error, "a report was not sent, it is tried again");
        }
    }
    Ok(())
}

async fn send_one(store: &Store, book: &Book, id: TenantId, number: u64, report: Report, now_ns: u64) -> Outcome<()> {
    let Some(tenant) = Tenant::get(store, id)? else { return Ok(()) };
    // What came due while the server was away is sent once, as of the latest moment.
    let due_ns = last(report.schedule, report.hour, &tenant, now_ns).unwrap_or(report.next_ns);
    let made = make(book, id, &report, &tenant, due_ns).await?;
    let actor = Actor::system(id, "scheduled report");
    let work = |change: &mut Change<'_>| {
        // Somebody may have changed or removed it while its figures were summed.
        let Some(present) = change.get(&REPORTS, number)?.filter(|present| *present == report) else { return Ok(()) };
        let next_ns = next(present.schedule, present.hour, &tenant, now_ns);
        let sent = Report { next_ns, last_due_ns: Some(due_ns), ..present };
        let mails = queue(change, &sent, &made)?;
        change.put(&REPORTS, number, &sent)?;
        let entry = AuditEntry::new(change.actor, "report.sent", "report", number);
        Ok(change.audit(&entry.change(&json!({}), &json!({ "mails": mails })))?)
    };
    change(store, &actor, work).await
}

/// Sends a report at once, as if it were due now; its schedule stays. Answers how many mails were queued.
///
/// # Errors
/// 404, 422 when nobody gets it, 503 when too many mails wait.
pub async fn send_now(store: &Store, book: &Book, actor: &Actor, id: u64) -> Outcome<usize> {
    let report = get(store, actor.tenant, id)?;
    let tenant = super::tenant_of(store, actor)?;
    let made = make(book, actor.tenant, &report, &tenant, clock::wall_ns()).await?;
    let work = |change: &mut Change<'_>| {
        let mails = queue(change, &report, &made)?;
        if mails == 0 {
            return Err(Fault::new(Code::Unprocessable, "None of the recipients may sign in any more"));
        }
        let entry = AuditEntry::new(actor, "report.sent", "report", id);
        change.audit(&entry.change(&json!({}), &json!({ "mails": mails })))?;
        Ok(mails)
    };
    change(store, actor, work).await
}

/// Sums the figures beside the async threads.
async fn make(book: &Book, id: TenantId, report: &Report, tenant: &Tenant, due_ns: u64) -> Outcome<Content> {
    let (book, report, tenant) = (book.clone(), report.clone(), tenant.clone());
    blocking(move || Ok(content(&report, &tenant, book.all(id), due_ns))).await
}

fn queue(change: &mut Change<'_>, report: &Report, made: &Content) -> Outcome<usize> {
    let recipients = addresses(change.store, change.actor.tenant, report)?;
    for (person, address) in &recipients {
        let mail = Mail {
            to: address.clone(),
            subject: made.subject.clone(),
            text: made.text.clone(),
            attachment: Some(made.file.clone()),
            about: Some(*person),
            useful_until_ns: None,
        };
        mail::queue(change, &mail)?;
    }
    Ok(recipients.len())
}
