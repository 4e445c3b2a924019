//! Takes campaigns away for good: deleted ones after the time in which they can be restored, and those of a tenant that
//! leaves.

use std::sync::Arc;

use super::records::{DAYS, RESTATEMENTS};
use super::{Book, Entry};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::campaign::CAMPAIGNS;
use crate::adops::campaigns::RESTORABLE_NS;
use crate::adops::change::{Change, change};
use crate::adops::ids::{CampaignId, TenantId};
use crate::store::{Store, StoreError};
use crate::systems::Outcome;

/// Campaigns that one change removes.
const AT_ONCE: usize = 100;

impl Book {
    /// Removes a campaign with its days and restatements.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remove(&self, change: &mut Change<'_>, id: CampaignId) -> Result<(), StoreError> {
        let tenant = change.actor.tenant;
        for row in DAYS.scan_prefix(change.store, tenant, id, false) {
            change.delete(&DAYS, row?.0);
        }
        for row in RESTATEMENTS.scan_prefix(change.store, tenant, id, false) {
            change.delete(&RESTATEMENTS, row?.0);
        }
        change.delete(&CAMPAIGNS, id);
        let book = self.clone();
        change.then(move || {
            if let Some(shelf) = book.write().get_mut(&tenant) {
                shelf.remove(id);
            }
        });
        Ok(())
    }

    /// Removes all campaigns of the actor's tenant with everything of theirs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn remove_tenant(&self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let tenant = change.actor.tenant;
        for row in CAMPAIGNS.scan(change.store, tenant, false) {
            change.delete(&CAMPAIGNS, row?.0);
        }
        for row in DAYS.scan(change.store, tenant, false) {
            change.delete(&DAYS, row?.0);
        }
        for row in RESTATEMENTS.scan(change.store, tenant, false) {
            change.delete(&RESTATEMENTS, row?.0);
        }
        let book = self.clone();
        change.then(move || drop(book.write().remove(&tenant)));
        Ok(())
    }

    /// Removes the campaigns of all tenants that were deleted so long before `now_ns` that they cannot be restored;
    /// at most a hundred of a tenant, the next round takes more. Returns how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_deleted(&self, store: &Store, now_ns: u64) -> Outcome<usize> {
        let due =
            |entry: &Arc<Entry>| entry.campaign.deleted_ns.is_some_and(|at| at.saturating_add(RESTORABLE_NS) <= now_ns);
        let mut forgotten = 0;
        for tenant in self.tenants() {
            let ids: Vec<CampaignId> = self.deleted(tenant, due);
            if ids.is_empty() {
                continue;
            }
            forgotten += ids.len();
            let actor = Actor::system(tenant, "retention");
            change(store, &actor, |change| {
                for id in &ids {
                    // It may have been restored meanwhile.
                    if !self.get_any(tenant, *id).as_ref().is_some_and(due) {
                        continue;
                    }
                    self.remove(change, *id)?;
                    change.audit(&AuditEntry::new(change.actor, "campaign.removed", "campaign", *id))?;
                }
                Ok(())
            })
            .await?;
        }
        Ok(forgotten)
    }

    fn tenants(&self) -> Vec<TenantId> {
        self.read().keys().copied().collect()
    }

    fn deleted(&self, tenant: TenantId, due: impl Fn(&Arc<Entry>) -> bool) -> Vec<CampaignId> {
        self.all_any(tenant).iter().filter(|entry| due(entry)).map(|entry| entry.campaign.id).take(AT_ONCE).collect()
    }
}
