//! Bulk changes as they are kept: what was done to each campaign, so that it can be put back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trafficlab_engine::ads::money::Currency;

use crate::adops::actor::Who;
use crate::adops::campaign::{Campaign, Status};
use crate::adops::ids::{CampaignId, TenantId};
use crate::adops::table::TenantTable;
use crate::store::{Batch, FirstVersion, Store, StoreError};
use crate::systems::time::SECOND_NS;

/// Bulk changes by their number.
pub(super) const BULKS: TenantTable<u64, Bulk> = TenantTable::new("ads_bulk");
/// What each did to each campaign.
pub(super) const ITEMS: TenantTable<(u64, CampaignId), Done> = TenantTable::new("ads_bulk_item");

/// How long a bulk change can be undone, and is kept.
pub const UNDOABLE_NS: u64 = 30 * 24 * 3600 * SECOND_NS;

/// A bulk change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bulk {
    /// Its action: JSON text of an object.
    pub action: String,
    /// Who made it.
    pub who: Who,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Campaigns that were changed.
    pub done: u32,
    /// Campaigns with nothing to do.
    pub skipped: u32,
    /// Campaigns that could not be changed so.
    pub failed: u32,
    /// When it was undone, nanoseconds since 1970.
    #[serde(default)]
    pub undone_ns: Option<u64>,
}

impl FirstVersion for Bulk {}

/// What a bulk change did to a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It has another status.
    Status {
        /// Before.
        old: Status,
        /// After.
        new: Status,
    },
    /// It has another daily budget.
    DailyBudget {
        /// Before, minor units.
        old: Option<u64>,
        /// After, minor units.
        new: u64,
        /// Of both.
        currency: Currency,
    },
    /// It has other labels.
    Labels {
        /// Those it did not have before.
        added: Vec<String>,
        /// Those it had before.
        removed: Vec<String>,
    },
}

impl FirstVersion for Done {}

impl Done {
    /// Does it to a campaign.
    pub(super) fn apply(&self, campaign: &mut Campaign) {
        match self {
            Self::Status { new, .. } => campaign.status = *new,
            Self::DailyBudget { new, .. } => campaign.daily_budget = Some(*new),
            Self::Labels { added, removed } => {
                campaign.labels = super::super::labels::with(&campaign.labels, added, removed)
            }
        }
    }

    /// Takes it back; false when the campaign is not any more as this left it.
    pub(super) fn take_back(&self, campaign: &mut Campaign) -> bool {
        match self {
            Self::Status { old, new } if campaign.status == *new => campaign.status = *old,
            Self::DailyBudget { old, new, currency }
                if campaign.daily_budget == Some(*new) && campaign.currency == *currency =>
            {
                campaign.daily_budget = *old;
            }
            Self::Labels { added, removed } => {
                let has = |label: &String| campaign.labels.contains(label);
                if !added.iter().all(has) || removed.iter().any(has) {
                    return false;
                }
                campaign.labels = super::super::labels::with(&campaign.labels, removed, added);
            }
            _ => return false,
        }
        true
    }

    /// The part of a campaign that this is about, as the API shows it.
    pub(super) fn shown(&self, campaign: &Campaign) -> Value {
        match self {
            Self::Status { .. } => campaign.status.as_str().into(),
            Self::DailyBudget { .. } => json!(campaign.daily_budget.map(|minor| campaign.currency.major(minor))),
            Self::Labels { .. } => json!(campaign.labels),
        }
    }
}

/// Removes bulk changes that cannot be undone any more.
///
/// # Errors
/// When the store fails.
pub async fn forget_old(store: &Store, now_ns: u64) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for row in BULKS.everyone(store) {
        let ((tenant, id), bulk) = row?;
        if now_ns.saturating_sub(bulk.created_ns) < UNDOABLE_NS {
            continue;
        }
        for item in items(store, tenant, id) {
            ITEMS.delete(&mut batch, tenant, (id, item?.0));
        }
        BULKS.delete(&mut batch, tenant, id);
    }
    store.commit(batch).await
}

/// A tenant's bulk changes that can be undone, the newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, tenant: TenantId) -> Result<Vec<(u64, Bulk)>, StoreError> {
    BULKS.scan(store, tenant, true).collect()
}

/// What a bulk change did, campaign by campaign.
pub(super) fn items(
    store: &Store,
    tenant: TenantId,
    id: u64,
) -> impl Iterator<Item = Result<(CampaignId, Done), StoreError>> + '_ {
    let rows = ITEMS.range(store, tenant, (id, CampaignId(0)), (id.saturating_add(1), CampaignId(0)), false);
    rows.map(|row| row.map(|((_, campaign), done)| (campaign, done)))
}
