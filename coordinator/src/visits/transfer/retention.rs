//! Removing visits that are older than they may be: by each site's `keep_days`, else by `tracker.keep_days`.

use std::collections::BTreeSet;

use trafficlab_shared::config::Config;

use super::super::Visits;
use super::super::imported::ImportedError;
use super::super::intake::now_ms;
use super::super::store::{Pruned, VisitsError};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Why old visits stay.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetentionFault {
    /// The store of visits.
    #[error(transparent)]
    Visits(#[from] VisitsError),
    /// Imported figures.
    #[error(transparent)]
    Figures(#[from] ImportedError),
}

/// What goes of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) site: String,
    /// The first day that stays, counted from 1970-01-01.
    pub(crate) keep_from: i32,
    pub(crate) pruned: Pruned,
}

/// Removes what is too old of a site or of all, or only tells. `keep_days` stands in place of the settings; 0 keeps
/// everything. The day that it is in UTC counts as one. Blocks.
///
/// # Errors
/// Any; some sites may be done by then.
pub(crate) fn prune(
    visits: &Visits,
    config: &Config,
    site: Option<&str>,
    keep_days: Option<u32>,
    dry_run: bool,
) -> Result<Vec<Gone>, RetentionFault> {
    let all = visits.store.sites().into_iter().map(|(site, _)| site).chain(visits.imported.sites());
    let all: BTreeSet<String> = all.filter(|one| site.is_none_or(|site| site == one)).collect();
    let mut gone = Vec::new();
    for site in all {
        let own = visits.sites.find(&site).and_then(|site| site.keep_days);
        let keep = keep_days.or(own).unwrap_or(config.tracker.keep_days);
        let Some(keep_from) = first_kept(now_ms(), keep) else { continue };
        let mut pruned = visits.store.prune(Some(&site), i64::from(keep_from), dry_run)?;
        pruned.bytes = pruned.bytes.saturating_add(visits.imported.prune(&site, keep_from, dry_run)?);
        if pruned != Pruned::default() {
            gone.push(Gone { site, keep_from, pruned });
        }
    }
    Ok(gone)
}

/// The first day that stays; nothing when all do.
pub(crate) fn first_kept(now_ms: i64, keep_days: u32) -> Option<i32> {
    let today = i32::try_from(now_ms.div_euclid(DAY_MS)).ok()?;
    let before = i32::try_from(keep_days.checked_sub(1)?).ok()?;
    today.checked_sub(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_one_of_the_days_that_stay() {
        let noon = 20_000 * DAY_MS + DAY_MS / 2;
        assert_eq!(first_kept(noon, 1), Some(20_000));
        assert_eq!(first_kept(noon, 365), Some(20_000 - 364));
        assert_eq!(first_kept(noon, 0), None);
    }
}
