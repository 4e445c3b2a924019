//! Funnels of sites.

use trafficlab_shared::clock;

use super::{BookFault, id};
use crate::store::visit_settings::{FunnelRecord, StepRecord, VISIT_FUNNELS};
use crate::store::{Batch, Store, StoreError};

/// Funnels of one site at the most.
const MOST: usize = 100;

/// The funnels of a site, the oldest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &Store, site: &str) -> Result<Vec<FunnelRecord>, StoreError> {
    VISIT_FUNNELS.scan_prefix(store, &site.to_owned(), false).map(|row| row.map(|(_, funnel)| funnel)).collect()
}

/// The funnel with this id, and its site.
///
/// # Errors
/// When the store fails.
pub fn find(store: &Store, id: &str) -> Result<Option<(String, FunnelRecord)>, StoreError> {
    for row in VISIT_FUNNELS.scan(store, false) {
        let ((site, own), funnel) = row?;
        if own == id {
            return Ok(Some((site, funnel)));
        }
    }
    Ok(None)
}

/// Makes a funnel, durably. The steps are checked by the caller.
///
/// # Errors
/// `Taken` when the site has one of this name, `TooMany`, `Store`.
pub async fn add(store: &Store, site: &str, name: String, steps: Vec<StepRecord>) -> Result<FunnelRecord, BookFault> {
    let funnel = {
        let _changing = store.lock();
        let funnels = list(store, site)?;
        if funnels.len() >= MOST {
            return Err(BookFault::TooMany(MOST));
        }
        if funnels.iter().any(|funnel| funnel.name == name) {
            return Err(BookFault::Taken(name));
        }
        let funnel = FunnelRecord { id: id(), name, steps, created_ns: clock::wall_ns() };
        let mut batch = Batch::new();
        VISIT_FUNNELS.put(&mut batch, &(site.to_owned(), funnel.id.clone()), &funnel)?;
        store.apply(batch)?;
        funnel
    };
    store.durable().await?;
    Ok(funnel)
}

/// Removes the funnel with this id, whatever its site. Comes back with whether there was one.
///
/// # Errors
/// When the store fails.
pub async fn remove(store: &Store, id: &str) -> Result<bool, StoreError> {
    {
        let _changing = store.lock();
        let Some((site, funnel)) = find(store, id)? else { return Ok(false) };
        let mut batch = Batch::new();
        VISIT_FUNNELS.delete(&mut batch, &(site, funnel.id));
        store.apply(batch)?;
    }
    store.durable().await?;
    Ok(true)
}

/// Adds the removal of all funnels of a site to `batch`.
///
/// # Errors
/// When the store fails.
pub fn forget(store: &Store, site: &str, batch: &mut Batch) -> Result<(), StoreError> {
    for row in VISIT_FUNNELS.scan_prefix(store, &site.to_owned(), false) {
        VISIT_FUNNELS.delete(batch, &row?.0);
    }
    Ok(())
}
