//! The one loop that takes mails out of the queue.

use std::time::Duration;

use trafficlab_shared::clock;

use super::transport::{Mailer, Sent};
use super::{KEPT_NS, LETTERS, QUEUE, QUEUED, Queued, message};
use crate::adops::actor::Actor;
use crate::adops::change::{Change, change};
use crate::adops::ids::TenantId;
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::Outcome;

/// How often the queue is looked through when nothing is added.
const ROUND: Duration = Duration::from_secs(5);
/// Mails of one round.
const AT_ONCE: usize = 100;
/// Wait after the first failure; doubled each time.
const FIRST_RETRY_NS: u64 = 10_000_000_000;
/// Longest wait.
const LONGEST_RETRY_NS: u64 = 3600 * 1_000_000_000;

/// Delivers until the server stops.
pub async fn run(store: &Store, mailer: &Mailer) {
    loop {
        if let Err(error) = round(store, mailer, clock::wall_ns()).await {
            tracing::warn!(%error, "mails could not be looked through, it is tried again");
        }
        tokio::select! {
            () = QUEUED.notified() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Tries every mail whose time has come, the oldest first. Ends early when the server is away.
pub(super) async fn round(store: &Store, mailer: &Mailer, now_ns: u64) -> Outcome<()> {
    loop {
        let due = due(store, now_ns)?;
        let full = due.len() == AT_ONCE;
        for (tenant, key) in due {
            if !one(store, mailer, tenant, key, now_ns).await? {
                return Ok(());
            }
        }
        if !full {
            return Ok(());
        }
    }
}

/// The mails to look at: those to be tried, and failed ones that were kept long enough.
fn due(store: &Store, now_ns: u64) -> Stored<Vec<(TenantId, u64)>> {
    let ready = |queued: &Queued| match queued.failed_ns {
        Some(failed) => failed.saturating_add(KEPT_NS) <= now_ns,
        None => queued.next_ns <= now_ns,
    };
    let rows = QUEUE.everyone(store).filter_map(|row| match row {
        Ok((key, queued)) => ready(&queued).then_some(Ok(key)),
        Err(error) => Some(Err(error)),
    });
    rows.take(AT_ONCE).collect()
}

/// Tries one mail; false when the server is away.
async fn one(store: &Store, mailer: &Mailer, tenant: TenantId, key: u64, now_ns: u64) -> Outcome<bool> {
    // It may have been dropped meanwhile by an erasure.
    let (Some(queued), letter) = (QUEUE.get(store, tenant, key)?, LETTERS.get(store, tenant, key)?) else {
        return Ok(true);
    };
    let Some(letter) = letter.filter(|_| queued.failed_ns.is_none()) else {
        settle(store, tenant, key, None).await?;
        return Ok(true);
    };
    if queued.until_ns <= now_ns {
        return fail(store, tenant, key, queued, "its time is over").await.map(|()| true);
    }
    let message = match message::build(&mailer.from, tenant, key, &letter) {
        Ok(message) => message,
        Err(fault) => return fail(store, tenant, key, queued, &fault.to_string()).await.map(|()| true),
    };
    // An erasure finds a person's files by this name, whatever their address was.
    let person = queued.about.map(|person| format!("-{person}")).unwrap_or_default();
    match mailer.send(message, &format!("{tenant}-{key}{person}.eml")).await {
        Sent::Delivered => settle(store, tenant, key, None).await.map(|()| true),
        Sent::Refused(code) => {
            let reason = format!("the server refused it with {code}");
            fail(store, tenant, key, queued, &reason).await.map(|()| true)
        }
        Sent::Later(reason) => again(store, tenant, key, queued, reason, now_ns).await.map(|()| true),
        Sent::Away(reason) => again(store, tenant, key, queued, reason, now_ns).await.map(|()| false),
    }
}

async fn again(
    store: &Store,
    tenant: TenantId,
    key: u64,
    mut queued: Queued,
    reason: &str,
    now_ns: u64,
) -> Outcome<()> {
    let wait = FIRST_RETRY_NS.saturating_mul(1 << queued.attempts.min(20)).min(LONGEST_RETRY_NS);
    queued.attempts = queued.attempts.saturating_add(1);
    queued.next_ns = now_ns.saturating_add(wait);
    tracing::warn!(%tenant, mail = key, attempts = queued.attempts, reason, "a mail was not sent, it is tried again");
    settle(store, tenant, key, Some(queued)).await
}

async fn fail(store: &Store, tenant: TenantId, key: u64, mut queued: Queued, reason: &str) -> Outcome<()> {
    queued.failed_ns = Some(clock::wall_ns());
    tracing::error!(%tenant, mail = key, attempts = queued.attempts, reason, "a mail was not sent and is given up");
    settle(store, tenant, key, Some(queued)).await
}

/// Stores what became of a mail, unless it was dropped meanwhile; nothing takes it out of the queue.
async fn settle(store: &Store, tenant: TenantId, key: u64, queued: Option<Queued>) -> Outcome<()> {
    let actor = Actor::system(tenant, "mail");
    let work = |change: &mut Change<'_>| {
        match queued {
            Some(queued) if change.get(&QUEUE, key)?.is_some() => change.put(&QUEUE, key, &queued)?,
            Some(_dropped) => {}
            None => {
                change.delete(&QUEUE, key);
                change.delete(&LETTERS, key);
            }
        }
        Ok(())
    };
    change(store, &actor, work).await
}
