//! Opening: the manifest and the last snapshot, then the logs behind them, read again.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Notify;
use trafficlab_engine::visit::column::{Dict, field};
use trafficlab_engine::visit::data::{Slices as _, day_of};
use trafficlab_engine::visit::frame::{Frame, FrameEnd, FrameReader};
use trafficlab_engine::visit::pack::Packer;

use super::building::Building;
use super::caps::{CAPPED, Caps};
use super::counters::Counters;
use super::error::{Result, VisitsError};
use super::ids::EventIds;
use super::keeper::Keeper;
use super::manifest::{SealState, VISIT_PARTS, VISIT_SEAL};
use super::options::Options;
use super::parts::Parts;
use super::shared::Shared;
use super::snapshot::{self, Snapshot};
use super::view::{ClosedLog, LogRows, View};
use super::writer::Writer;
use super::{VisitStore, WriterThread, log};
use crate::store::{Store, sync_folder};

const LOGS: &str = "logs";
const PARTS: &str = "parts";

impl VisitStore {
    pub(crate) fn open_with(folder: &Path, store: Store, options: Options) -> Result<Self> {
        let (logs, parts) = (folder.join(LOGS), Parts::new(folder.join(PARTS)));
        for made in [logs.as_path(), parts.folder()] {
            fs::create_dir_all(made).map_err(|error| VisitsError::io("make", made, &error))?;
        }
        sync_folder(folder).map_err(|error| VisitsError::io("sync", folder, &error))?;
        let state = VISIT_SEAL.get(&store, &())?.unwrap_or_default();
        let mut view = named_parts(&store, &parts)?;
        let mut replay = Replay::new(&logs, &state, &options)?;
        replay.count_texts(&view, &parts, day_of(options.now_ms()))?;
        let next_log = replay.logs(&mut view)?;
        view.open_number = next_log;
        let Replay { snapshot, caps, oldest_id_s, .. } = replay;
        let mut building = Building::new(next_log, caps, ids(&snapshot));
        building.held = view.is_full(&options);
        let counters = Counters::default();
        counters.add(&snapshot.counts);
        let shared = Arc::new(Shared {
            options,
            store,
            logs,
            building: Mutex::new(building),
            work: Condvar::new(),
            log_closed: Condvar::new(),
            counters,
            recent: snapshot.recent,
            view: Mutex::new(view),
            log_bytes: AtomicU64::new(0),
            parts,
            keeper: Mutex::new(Keeper { state, oldest_id_s, ..Keeper::default() }),
            keep: Notify::new(),
        });
        let writer = Writer::new(Arc::clone(&shared));
        let writer = std::thread::Builder::new().name("visit-writer".into()).spawn(move || writer.run());
        let writer = writer.map_err(|error| VisitsError::io("start", Path::new("the writer of visits"), &error))?;
        Ok(Self { writer: WriterThread::new(&shared, writer), shared })
    }
}

/// The parts of the manifest. Files it does not name are removed.
fn named_parts(store: &Store, parts: &Parts) -> Result<View> {
    let mut view = View::default();
    let mut missing = parts.numbers()?;
    for row in VISIT_PARTS.scan(store, false) {
        let (number, stored) = row?;
        if !missing.remove(&number) {
            return Err(VisitsError::Damaged(format!("the file of part {number} is missing")));
        }
        view.add(parts.handle(number, stored));
    }
    for number in missing {
        tracing::info!(number, "removing a part of visits that was not finished or is not needed any more");
        parts.discard(number);
    }
    Ok(view)
}

fn ids(snapshot: &Snapshot) -> EventIds {
    let mut ids = EventIds::default();
    for (id, received_s) in &snapshot.ids {
        ids.insert(*id, *received_s, 0);
    }
    ids
}

/// Reads logs again.
struct Replay<'a> {
    folder: &'a Path,
    sealed: u64,
    snapshot: Snapshot,
    /// When the oldest id of the sealed logs came.
    oldest_id_s: Option<u32>,
    caps: Caps,
}

impl<'a> Replay<'a> {
    fn new(folder: &'a Path, state: &SealState, options: &Options) -> Result<Self> {
        snapshot::remove_others(folder, state.log)?;
        let snapshot = if state.log == 0 { Snapshot::default() } else { Snapshot::read(folder, state.log)? };
        let oldest_id_s = snapshot.oldest_id_s();
        Ok(Self { folder, sealed: state.log, snapshot, oldest_id_s, caps: options.caps() })
    }

    /// Counts the distinct texts of the sealed parts of today and yesterday, whose visits may still come.
    fn count_texts(&mut self, view: &View, parts: &Parts, today: i64) -> Result<()> {
        for part in view.parts_of(None).filter(|part| part.summary().day >= today - 1) {
            let group = self.caps.group(&part.stored.site, part.summary().day);
            let part = parts.open(part)?;
            for dict in CAPPED {
                for text in part.dictionary(dict)?.iter() {
                    self.caps.admit(group, dict, text);
                }
            }
        }
        Ok(())
    }

    /// Reads the logs that are not sealed and removes those that are. Comes back with the number of the next log.
    fn logs(&mut self, view: &mut View) -> Result<u64> {
        let numbers = log::numbers(self.folder)?;
        for number in &numbers {
            if *number <= self.sealed {
                log::remove(self.folder, *number)?;
                continue;
            }
            let closed = self.log(*number)?;
            if closed.rows.len() == 0 {
                log::remove(self.folder, *number)?;
            } else {
                view.closed.push(closed);
            }
        }
        Ok(numbers.last().copied().unwrap_or(0).max(self.sealed) + 1)
    }

    fn log(&mut self, number: u64) -> Result<Arc<ClosedLog>> {
        let path = log::path(self.folder, number);
        let bytes = fs::read(&path).map_err(|error| VisitsError::io("read", &path, &error))?;
        let (mut reader, mut packer, mut rows) = (FrameReader::default(), Packer::default(), LogRows::default());
        self.caps.new_dictionaries();
        loop {
            match reader.next(&bytes) {
                Ok(Some(frame)) => {
                    packer.absorb(&frame)?;
                    self.frame(&frame, &packer);
                    rows.extend(frame.received_ms, &frame.rows);
                }
                Ok(None) => break,
                Err(FrameEnd::Torn { offset }) => {
                    tracing::info!(log = number, offset, "cutting off what a crash left of a write of visits");
                    log::cut(self.folder, number, u64::try_from(offset).unwrap_or(u64::MAX))?;
                    break;
                }
                Err(damaged @ FrameEnd::Damaged { .. }) => {
                    return Err(VisitsError::Damaged(format!("`{}`: {damaged}", path.display())));
                }
            }
        }
        Ok(ClosedLog::new(number, rows, packer.dictionaries()))
    }

    fn frame(&mut self, frame: &Frame<'_>, packer: &Packer) {
        let is_bot = |code| !field(packer.text(Dict::Agent, code), 5).is_empty();
        self.snapshot.add(frame.received_ms, frame.rows.iter(), is_bot);
        for row in &frame.rows {
            let code = |dict: Dict| row.codes.get(dict.index()).copied().unwrap_or_default();
            let group = self.caps.group(packer.text(Dict::Site, code(Dict::Site)), day_of(row.time_ms));
            for dict in CAPPED {
                if code(dict) != 0 && !self.caps.has_seen(group, dict, code(dict)) {
                    self.caps.admit(group, dict, packer.text(dict, code(dict)));
                    self.caps.saw(group, dict, code(dict));
                }
            }
        }
    }
}
