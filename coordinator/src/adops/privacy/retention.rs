//! For how long personal data is kept that nobody asked to be erased.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use trafficlab_shared::clock;

use super::Privacy;
use crate::adops::actor::Actor;
use crate::adops::audit::{AUDIT, AuditEntry};
use crate::adops::change::{Change, change};
use crate::adops::ids::TenantId;
use crate::adops::input;
use crate::adops::tenant::{TENANTS, Tenant};
use crate::store::Store;
use crate::store::kv::Result as Stored;
use crate::systems::{Fault, Outcome};

const DAY_NS: u64 = 86_400 * 1_000_000_000;
/// Between two looks at all entries.
const ROUND_NS: u64 = 3600 * 1_000_000_000;
/// Entries of one piece.
const PIECE: usize = 500;
/// Days at the most: a hundred years.
const MOST: u64 = 36_500;

/// When old addresses were last looked for.
#[derive(Debug, Default)]
pub(super) struct Rounds(AtomicU64);

/// Days for which the addresses of audit entries are kept; none keeps them.
///
/// # Errors
/// 404 when the tenant is gone.
pub fn of(store: &Store, tenant: TenantId) -> Outcome<Option<u32>> {
    Ok(Tenant::get(store, tenant)?.ok_or_else(gone)?.keep_personal_days)
}

/// Sets it; null keeps addresses.
///
/// # Errors
/// 400.
pub async fn set(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<Option<u32>> {
    let days = input::read(body, |fields| fields.whole("audit_address_days", 1..=MOST))?;
    if !body.contains_key("audit_address_days") {
        return Err(Fault::field("audit_address_days", "is needed, a number of days or null"));
    }
    let days = days.and_then(|days| u32::try_from(days).ok());
    change(store, actor, |change| {
        let tenant = TENANTS.get(change.store, &actor.tenant)?.ok_or_else(gone)?;
        let shown = |days: Option<u32>| json!({"audit_address_days": days});
        let entry = AuditEntry::new(change.actor, "gdpr.retention_updated", "tenant", actor.tenant);
        change.audit(&entry.change(&shown(tenant.keep_personal_days), &shown(days)))?;
        TENANTS.put(change.batch(), &actor.tenant, &Tenant { keep_personal_days: days, ..tenant })?;
        Ok(days)
    })
    .await
}

impl Privacy {
    /// Takes the addresses of old audit entries away, once an hour.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retain(&self, store: &Store) -> Outcome<()> {
        let now_ns = clock::wall_ns();
        if now_ns < self.rounds.0.load(Ordering::Relaxed).saturating_add(ROUND_NS) {
            return Ok(());
        }
        self.rounds.0.store(now_ns, Ordering::Relaxed);
        for (tenant, settings) in TENANTS.scan(store, false).collect::<Stored<Vec<_>>>()? {
            let Some(days) = settings.keep_personal_days else { continue };
            let before_ns = now_ns.saturating_sub(u64::from(days).saturating_mul(DAY_NS));
            forget_addresses(store, tenant, before_ns).await?;
        }
        Ok(())
    }
}

/// Takes the addresses of a tenant's audit entries before a moment away, piece by piece.
async fn forget_addresses(store: &Store, tenant: TenantId, before_ns: u64) -> Outcome<()> {
    let actor = Actor::system(tenant, "retention");
    let mut from = Some(0);
    while let Some(start) = from {
        from = change(store, &actor, |change| Ok(piece(change, start, before_ns)?)).await?;
    }
    Ok(())
}

/// One piece; comes back with where the next one begins.
fn piece(change: &mut Change<'_>, start: u64, before_ns: u64) -> Stored<Option<u64>> {
    let mut last = None;
    for row in AUDIT.range(change.store, change.actor.tenant, start, before_ns, false).take(PIECE) {
        let (at, mut entry) = row?;
        last = Some(at);
        if entry.address.take().is_some() {
            change.put(&AUDIT, at, &entry)?;
        }
    }
    Ok(last.map(|last| last + 1))
}

fn gone() -> Fault {
    Fault::not_found("The tenant is gone")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[tokio::test]
    async fn old_addresses_go_and_entries_stay() {
        let store = Store::in_memory().unwrap();
        let actor = Actor { address: Some([192, 0, 2, 7].into()), ..Actor::system(TenantId(1), "test") };
        for day in [1_u64, 2, 3] {
            let entry = AuditEntry::new(&actor, "campaign.updated", "campaign", day);
            change(&store, &actor, |change| Ok(change.put(&AUDIT, day * DAY_NS, &entry)?)).await.unwrap();
        }
        forget_addresses(&store, TenantId(1), 3 * DAY_NS).await.unwrap();
        let entries = AUDIT.scan(&store, TenantId(1), false);
        let kept: Vec<bool> = entries.map(|row| row.unwrap().1.address.is_some()).collect();
        assert_eq!(kept, [false, false, true]);
    }
}
