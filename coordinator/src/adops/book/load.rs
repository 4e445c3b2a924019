//! Reads campaigns and their days when the server starts.

use std::sync::Arc;

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::series::Series;

use super::records::DAYS;
use super::{Entry, Shelves, Source};
use crate::adops::campaign::CAMPAIGNS;
use crate::adops::ids::{CampaignId, TenantId};
use crate::store::{Store, StoreError};

/// Every day there is.
pub(super) const EVER: Days = Days { first: Day(i32::MIN), last: Day(i32::MAX) };

/// The days of one campaign and source while their years come one after another.
struct Open {
    tenant: TenantId,
    id: CampaignId,
    source: Source,
    days: Vec<(Day, Figures)>,
}

pub(super) fn shelves(store: &Store) -> Result<Shelves, StoreError> {
    let mut shelves = Shelves::new();
    for row in CAMPAIGNS.everyone(store) {
        let ((tenant, _), campaign) = row?;
        shelves.entry(tenant).or_default().put(Entry::new(campaign));
    }
    let mut open: Option<Open> = None;
    for row in DAYS.everyone(store) {
        let ((tenant, (id, source, year)), block) = row?;
        let Some(days) = block.days.days() else {
            let message = format!("the days of campaign {id} in {year} are damaged");
            return Err(StoreError::Decode { table: "ads_days", message });
        };
        match &mut open {
            Some(open) if (open.tenant, open.id, open.source) == (tenant, id, source) => open.days.extend(days),
            _ => close(&mut shelves, open.replace(Open { tenant, id, source, days })),
        }
    }
    close(&mut shelves, open);
    Ok(shelves)
}

fn close(shelves: &mut Shelves, open: Option<Open>) {
    let Some(Open { tenant, id, source, days }) = open else { return };
    let entry = shelves.get_mut(&tenant).and_then(|shelf| shelf.entries.get_mut(&id));
    let Some(entry) = entry else {
        tracing::warn!(%tenant, campaign = %id, "days of a campaign that is not there are left alone");
        return;
    };
    let entry = Arc::make_mut(entry);
    let series: Arc<Series> = Arc::new(days.into_iter().collect());
    match source {
        Source::Real => {
            entry.totals = series.sum(EVER);
            entry.real = series;
        }
        Source::Synthetic => entry.synthetic = series,
    }
}
