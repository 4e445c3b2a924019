//! Sealing: a closed log becomes parts, one for each site and UTC day, and is dropped.
//!
//! Order of writes: parts and snapshot synced → folders synced → the manifest's batch flushed → shown to readers → log and
//! old snapshot removed. A crash before the batch leaves files that nobody names, one after it a log that is sealed; the
//! next start removes either.

use std::collections::BTreeMap;

use trafficlab_engine::visit::column::Row;
use trafficlab_engine::visit::part;

use super::error::{Result, VisitsError};
use super::keeper::{Keeper, Step};
use super::manifest::{SealState, StoredPart, VISIT_PARTS, VISIT_SEAL};
use super::options::seconds;
use super::parts::PartHandle;
use super::shared::Shared;
use super::snapshot::{self, Snapshot};
use super::view::{ClosedLog, site_and_day};
use super::{log, unpoisoned};
use crate::store::{Batch, sync_folder};

impl Shared {
    /// Seals all closed logs.
    pub(crate) fn seal_closed(&self, keeper: &mut Keeper) -> Result<()> {
        loop {
            let first = unpoisoned(&self.view).closed.first().cloned();
            let Some(log) = first else { return Ok(()) };
            keeper.usable()?;
            self.seal(keeper, &log)?;
        }
    }

    fn seal(&self, keeper: &mut Keeper, log: &ClosedLog) -> Result<()> {
        let mut parts = Vec::new();
        let oldest_id_s = match self.prepare(keeper, log, &mut parts) {
            Ok(oldest_id_s) => oldest_id_s,
            Err(error) => {
                self.discard(&parts, &error);
                return Err(error);
            }
        };
        let next_part = parts.last().map_or(keeper.state.next_part, |part| part.number + 1);
        self.commit(keeper, &parts, &[], SealState { log: log.number, next_part })?;
        keeper.oldest_id_s = oldest_id_s;
        keeper.passed(Step::Committed)?;
        self.show(parts, log.number);
        keeper.passed(Step::Shown)?;
        self.remove_sealed(keeper)
    }

    /// Removes all logs that are in parts, and all snapshots but the last one.
    ///
    /// # Errors
    /// `Io`; the next call tries again. None is removed when it is unknown which of them the key-value store names.
    pub(crate) fn remove_sealed(&self, keeper: &Keeper) -> Result<()> {
        keeper.usable()?;
        let sealed = keeper.state.log;
        for number in log::numbers(&self.logs)?.into_iter().take_while(|number| *number <= sealed) {
            log::remove(&self.logs, number)?;
        }
        snapshot::remove_others(&self.logs, sealed)
    }

    /// Writes the snapshot anew when it holds ids that are not needed any more, since the next seal may be far away.
    pub(crate) fn forget_ids(&self, keeper: &mut Keeper) -> Result<()> {
        let now_s = self.options.now_s();
        if !keeper.has_old_ids(now_s) {
            return Ok(());
        }
        let mut snapshot = Snapshot::read(&self.logs, keeper.state.log)?;
        snapshot.trim(now_s);
        snapshot.write(&self.logs, keeper.state.log)?;
        sync_folder(&self.logs).map_err(|error| VisitsError::io("sync", &self.logs, &error))?;
        keeper.oldest_id_s = snapshot.oldest_id_s();
        Ok(())
    }

    /// Writes parts and snapshot. Comes back with when the snapshot's oldest id came.
    fn prepare(
        &self,
        keeper: &Keeper,
        log: &ClosedLog,
        parts: &mut Vec<std::sync::Arc<PartHandle>>,
    ) -> Result<Option<u32>> {
        let created_ms = self.options.now_ms();
        for ((site, day), rows) in grouped(log) {
            let number = parts.last().map_or(keeper.state.next_part, |part| part.number + 1);
            let write = |out: &mut _| part::write(day, rows.iter().copied(), &log.dictionaries, out);
            let summary = self.parts.write(number, write)?;
            parts.push(self.parts.handle(number, StoredPart { site: site.to_owned(), summary, created_ms }));
            keeper.passed(Step::PartWritten)?;
        }
        let folder = self.parts.folder();
        sync_folder(folder).map_err(|error| VisitsError::io("sync", folder, &error))?;
        keeper.passed(Step::FolderSynced)?;
        let snapshot = self.snapshot(keeper.state.log, log)?;
        snapshot.write(&self.logs, log.number)?;
        sync_folder(&self.logs).map_err(|error| VisitsError::io("sync", &self.logs, &error))?;
        keeper.passed(Step::SnapshotWritten)?;
        Ok(snapshot.oldest_id_s())
    }

    /// The state after the log.
    fn snapshot(&self, before: u64, log: &ClosedLog) -> Result<Snapshot> {
        let mut snapshot = if before == 0 { Snapshot::default() } else { Snapshot::read(&self.logs, before)? };
        let bots = snapshot::bots(&log.dictionaries);
        let is_bot = |code| usize::try_from(code).ok().and_then(|code| bots.get(code)).copied().unwrap_or(false);
        for (received_ms, rows) in log.rows.runs() {
            snapshot.add(received_ms, rows, is_bot);
        }
        snapshot.trim(seconds(self.options.now_ms()));
        Ok(snapshot)
    }

    /// Makes the manifest name `new` parts and no longer the `old` ones. When that fails nobody knows what it holds, so
    /// nothing is changed any more until the next start reads it.
    pub(crate) fn commit(
        &self,
        keeper: &mut Keeper,
        new: &[std::sync::Arc<PartHandle>],
        old: &[std::sync::Arc<PartHandle>],
        state: SealState,
    ) -> Result<()> {
        let mut batch = Batch::new();
        for part in new {
            VISIT_PARTS.put(&mut batch, &part.number, &part.stored)?;
        }
        for part in old {
            VISIT_PARTS.delete(&mut batch, &part.number);
        }
        VISIT_SEAL.put(&mut batch, &(), &state)?;
        if let Err(error) = self.store.commit_blocking(batch) {
            let error = VisitsError::from(error);
            keeper.broken = Some(error.clone());
            return Err(error);
        }
        keeper.state = state;
        Ok(())
    }

    /// Readers find the log's rows in parts from now on.
    fn show(&self, parts: Vec<std::sync::Arc<PartHandle>>, log: u64) {
        let mut building = unpoisoned(&self.building);
        let mut view = unpoisoned(&self.view);
        parts.into_iter().for_each(|part| view.add(part));
        view.closed.retain(|closed| closed.number != log);
        building.held = view.is_full(&self.options);
    }

    /// Removes the files of parts that will not be named. A stop by a test removes nothing, as a crash.
    pub(crate) fn discard(&self, parts: &[std::sync::Arc<PartHandle>], error: &VisitsError) {
        if !matches!(error, VisitsError::Closed) {
            parts.iter().for_each(|part| self.parts.discard(part.number));
        }
    }
}

/// The rows of each site and day.
fn grouped(log: &ClosedLog) -> BTreeMap<(&str, i64), Vec<&Row>> {
    let mut groups: BTreeMap<(u32, i64), Vec<&Row>> = BTreeMap::new();
    // Rows that follow each other are mostly of one site and day.
    let mut last: Option<((u32, i64), Vec<&Row>)> = None;
    for row in log.rows.iter() {
        let key = site_and_day(row);
        match &mut last {
            Some((same, rows)) if *same == key => rows.push(row),
            _ => {
                let mut rows = groups.remove(&key).unwrap_or_default();
                rows.push(row);
                groups.extend(last.replace((key, rows)));
            }
        }
    }
    groups.extend(last);
    groups.into_iter().map(|((site, day), rows)| ((log.site(site), day), rows)).collect()
}
