//! Reads what was restated.

use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;

use super::records::RESTATEMENTS;
use crate::adops::actor::Who;
use crate::adops::ids::{CampaignId, TenantId};
use crate::store::{Store, StoreError};

/// Days of a campaign that were given other figures by one request, or a part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// By whom.
    pub who: Who,
    /// By which request.
    pub request_id: String,
    /// Day, old and new figures.
    pub days: Vec<(Day, Figures, Figures)>,
}

/// What was restated of a campaign, the newest first. Blocks.
///
/// # Errors
/// When the store cannot be read.
pub fn restatements(
    store: &Store,
    tenant: TenantId,
    id: CampaignId,
) -> impl Iterator<Item = Result<Restated, StoreError>> + '_ {
    RESTATEMENTS.scan_prefix(store, tenant, id, true).map(|row| {
        let ((_, at_ns, _), record) = row?;
        let damaged = || StoreError::Decode { table: "ads_restatement", message: "its days are damaged".to_owned() };
        let (old, new) = (record.old.days().ok_or_else(damaged)?, record.new.days().ok_or_else(damaged)?);
        let days = old.into_iter().zip(new).map(|((day, old), (_, new))| (day, old, new)).collect();
        Ok(Restated { at_ns, who: record.who, request_id: record.request_id, days })
    })
}
