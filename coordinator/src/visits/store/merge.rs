//! Merging: several parts of a site's day become one.

use std::sync::Arc;

use trafficlab_engine::visit::data::day_of;
use trafficlab_engine::visit::part;
use trafficlab_engine::visit::view::RowView;

use super::error::{Result, VisitsError};
use super::keeper::{Keeper, Step};
use super::manifest::{SealState, StoredPart};
use super::parts::PartHandle;
use super::shared::Shared;
use super::unpoisoned;
use super::view::View;
use crate::store::sync_folder;

impl Shared {
    /// Merges what is due, or every day with more than one part when `all` says so.
    pub(crate) fn merge(&self, keeper: &mut Keeper, all: bool) -> Result<()> {
        loop {
            let due = self.due(&unpoisoned(&self.view), all);
            if due.is_empty() {
                return Ok(());
            }
            // A damaged part keeps no other day from being merged.
            let mut damage = Ok(());
            for parts in due {
                let rows: u64 = parts.iter().map(|part| part.summary().rows).sum();
                match self.rewrite(keeper, parts, |_| true) {
                    Ok(kept) => {
                        tracing::debug!(rows = kept, "parts of visits merged");
                        debug_assert_eq!(rows, kept);
                    }
                    Err(error @ VisitsError::Damaged(_)) => damage = Err(error),
                    Err(error) => return Err(error),
                }
            }
            damage?;
        }
    }

    /// The parts that should become one. Of a day with many only the smaller ones do, so that a day of many visits is not
    /// written again for each few more of them.
    pub(crate) fn due(&self, view: &View, all: bool) -> Vec<Vec<Arc<PartHandle>>> {
        let now = self.options.now_ms();
        let days = view.parts.values().flatten();
        let due = days.filter(|(_, parts)| parts.len() > 1).filter_map(|(day, parts)| {
            let youngest = parts.iter().map(|part| part.stored.created_ms).max().unwrap_or(now);
            let rests = *day < day_of(now) && now.saturating_sub(youngest) >= self.options.quiet_ms;
            if all || rests {
                return Some(parts.clone());
            }
            let mut parts = (parts.len() > self.options.most_parts).then(|| parts.clone())?;
            parts.sort_by_key(|part| part.summary().rows);
            parts.truncate(self.options.most_parts);
            Some(parts)
        });
        due.collect()
    }

    /// Replaces parts of one site and day by one with the rows that `keep` keeps, or by none when it keeps nothing.
    /// Comes back with how many those are.
    pub(crate) fn rewrite(
        &self,
        keeper: &mut Keeper,
        mut old: Vec<Arc<PartHandle>>,
        keep: impl Fn(&RowView<'_>) -> bool,
    ) -> Result<u64> {
        keeper.usable()?;
        let Some(stored) = old.first().map(|part| part.stored.clone()) else { return Ok(0) };
        // Rows of the same visitor and millisecond keep the order in which they came.
        old.sort_by_key(|part| part.number);
        let number = keeper.state.next_part;
        let opened = old.iter().map(|part| self.parts.open(part)).collect::<std::result::Result<Vec<_>, _>>()?;
        let sources: Vec<_> = opened.iter().map(|part| &**part).collect();
        let summary = self.parts.write(number, |out| part::merge(&sources, keep, out))?;
        keeper.passed(Step::PartWritten)?;
        let created_ms = self.options.now_ms();
        let new = self.parts.handle(number, StoredPart { site: stored.site, summary, created_ms });
        let new = if summary.rows == 0 { Vec::new() } else { vec![new] };
        let folder = self.parts.folder();
        let synced = sync_folder(folder).map_err(|error| VisitsError::io("sync", folder, &error));
        if let Err(error) = synced.and_then(|()| keeper.passed(Step::FolderSynced)) {
            self.discard(&new, &error);
            return Err(error);
        }
        let state = SealState { next_part: number + 1, ..keeper.state.clone() };
        self.commit(keeper, &new, &old, state)?;
        keeper.passed(Step::Committed)?;
        if new.is_empty() {
            self.parts.discard(number);
        }
        self.replace(new, &old);
        Ok(summary.rows)
    }

    /// Readers find `new` parts instead of `old` ones, whose files go with their last reader.
    pub(crate) fn replace(&self, new: Vec<Arc<PartHandle>>, old: &[Arc<PartHandle>]) {
        let mut view = unpoisoned(&self.view);
        view.remove(old);
        new.into_iter().for_each(|part| view.add(part));
        drop(view);
        old.iter().for_each(|part| self.parts.doom(part));
    }
}
