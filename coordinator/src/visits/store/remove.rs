//! Removing visits: days that are too old, people who ask for it, whole sites.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use trafficlab_engine::visit::column::ColumnSet;
use trafficlab_engine::visit::data::{Columns, Slices as _, slice_of};

use super::error::{Result, VisitsError};
use super::parts::PartHandle;
use super::{VisitStore, unpoisoned};

/// What removing takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Parts: stored days of sites, some in several pieces.
    pub parts: u64,
    /// Visits.
    pub rows: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

impl VisitStore {
    /// Removes the days before `before_day` (days since 1970-01-01, UTC) of a site or of all, or tells what that would
    /// take. What somebody reads at the moment goes when he is done. Blocks.
    ///
    /// # Errors
    /// Any; nothing is removed then.
    pub fn prune(
        &self,
        site: Option<&str>,
        before_day: i64,
        dry_run: bool,
    ) -> std::result::Result<Pruned, VisitsError> {
        if !dry_run {
            let days = self.all_days(site);
            if days.values().any(|day| day.day < before_day) {
                self.seal_now()?;
            }
            return self.remove_parts(site, before_day);
        }
        let mut found = Pruned::default();
        for part in unpoisoned(&self.shared.view).parts_of(site) {
            found.parts += u64::from(part.summary().day < before_day);
        }
        for day in self.all_days(site).values().filter(|day| day.day < before_day) {
            found.rows += day.rows;
            found.bytes += day.bytes;
        }
        Ok(found)
    }

    /// Removes all visits of a site. Blocks.
    ///
    /// # Errors
    /// Any; nothing is removed then.
    pub fn remove_site(&self, site: &str) -> std::result::Result<Pruned, VisitsError> {
        self.seal_now()?;
        self.remove_parts(Some(site), i64::MAX)
    }

    /// Removes every visit of these visitors, of a site or of all, and answers how many there were. Their rows and the
    /// texts that only they had are in no file any more, except that a file somebody reads at the moment goes when he is
    /// done. Of ids of their events there are keyed hashes for a day, which tell nothing about whose they are. Visits that
    /// come meanwhile stay. Blocks.
    ///
    /// # Errors
    /// Any; then some of the visits may be removed and others not, and the same call goes on.
    pub fn erase(&self, site: Option<&str>, visitors: &[u64]) -> std::result::Result<u64, VisitsError> {
        self.seal_now()?;
        let visitors: HashSet<u64> = visitors.iter().copied().collect();
        let mut keeper = unpoisoned(&self.shared.keeper);
        // A log that a seal could not remove still has what its parts lose here.
        self.shared.remove_sealed(&keeper)?;
        let parts: Vec<_> = unpoisoned(&self.shared.view).parts_of(site).cloned().collect();
        let mut erased = 0;
        for part in parts {
            if self.holds(&part, &visitors)? {
                let rows = part.summary().rows;
                let kept = self.shared.rewrite(&mut keeper, vec![part], |row| !visitors.contains(&row.visitor()))?;
                erased += rows.saturating_sub(kept);
            }
        }
        Ok(erased)
    }

    fn holds(&self, part: &PartHandle, visitors: &HashSet<u64>) -> Result<bool> {
        let part = self.shared.parts.open(part)?;
        let mut slices: BTreeMap<u8, ()> = BTreeMap::new();
        slices.extend(visitors.iter().map(|visitor| (slice_of(*visitor), ())));
        let mut columns = Columns::default();
        for slice in slices.into_keys() {
            part.load(slice, ColumnSet::default(), &mut columns)?;
            if columns.visitor.iter().any(|visitor| visitors.contains(visitor)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn remove_parts(&self, site: Option<&str>, before_day: i64) -> Result<Pruned> {
        let mut keeper = unpoisoned(&self.shared.keeper);
        keeper.usable()?;
        let old: Vec<Arc<PartHandle>> = {
            let view = unpoisoned(&self.shared.view);
            view.parts_of(site).filter(|part| part.summary().day < before_day).cloned().collect()
        };
        if old.is_empty() {
            return Ok(Pruned::default());
        }
        let state = keeper.state.clone();
        self.shared.commit(&mut keeper, &[], &old, state)?;
        self.shared.replace(Vec::new(), &old);
        let mut removed = Pruned::default();
        for part in &old {
            removed.parts += 1;
            removed.rows += part.summary().rows;
            removed.bytes += part.summary().bytes;
        }
        Ok(removed)
    }
}
