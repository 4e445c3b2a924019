//! The one thread that writes logs. It takes whatever was built, writes it as one frame, syncs, makes the rows visible and
//! wakes everybody who waits; meanwhile the next frame fills.

use std::sync::Arc;
use std::time::Duration;

use trafficlab_engine::visit::frame;
use trafficlab_engine::visit::pack::{Fresh, Marks};

use super::building::{Arrival, Lane, Taken};
use super::error::{Result, VisitsError};
use super::log::{self, LogFile};
use super::shared::Shared;
use super::snapshot::count_recent;
use super::unpoisoned;
use super::view::ClosedLog;

/// While visits come close together a frame waits this long for more of them: a sync costs the processor as much as some
/// ten visits do, and with 64 senders this gives a fifth more visits a second. Whoever sends one by one does not wait.
const GATHER: Duration = Duration::from_micros(500);
/// Visits come close together when a frame has this many.
const CROWD: usize = 4;

/// The writer.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Made with the log's first frame.
    file: Option<LogFile>,
    /// Marks of the last frame that was written to the log.
    written: Marks,
    /// Whether the last frame had many visits.
    crowded: bool,
    buffer: Vec<u8>,
}

impl Drop for Writer {
    /// However it ends, visits are turned away from then on.
    fn drop(&mut self) {
        unpoisoned(&self.shared.building).shut();
        self.shared.log_closed.notify_all();
    }
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, file: None, written: Marks::default(), crowded: false, buffer: Vec::new() }
    }

    /// Writes until the store is closed and nothing waits any more.
    pub(crate) fn run(mut self) {
        while let Some(taken) = self.next() {
            self.write(taken);
        }
    }

    /// Waits for something to write.
    #[allow(clippy::disallowed_methods, reason = "on a thread of its own, for half a millisecond")]
    fn next(&self) -> Option<Taken> {
        let mut building = unpoisoned(&self.shared.building);
        while !building.has_work() {
            if building.closing {
                return None;
            }
            building.writer_sleeps = true;
            building = super::waited(self.shared.work.wait(building));
        }
        building.writer_sleeps = false;
        if self.crowded {
            drop(building);
            std::thread::sleep(GATHER);
            building = unpoisoned(&self.shared.building);
        }
        Some(building.take(&self.written))
    }

    fn write(&mut self, taken: Taken) {
        let Taken { live, import, fresh, marks, log, last } = taken;
        self.crowded = live.rows.len() >= CROWD;
        for (lane, arrival) in [(live, Arrival::Live), (import, Arrival::Import)] {
            if lane.rows.is_empty() {
                continue;
            }
            let now = self.shared.options.now_ms();
            let received_ms = if arrival == Arrival::Live { now } else { -now };
            // The first frame that is written takes all texts with it, so that each write is one frame: of a torn write of
            // several the later ones could be there without the first.
            let fresh = if self.written == marks { &Fresh::default() } else { &fresh };
            match self.append(log, received_ms, &lane, fresh) {
                Ok(()) => {
                    self.written = marks;
                    self.publish(received_ms, &lane);
                }
                Err(error) => self.fail(&lane, error),
            }
        }
        if let Some(dictionaries) = last {
            self.file = None;
            self.written = Marks::default();
            self.shared.close_log(|rows| ClosedLog::new(log, rows, dictionaries));
        }
    }

    fn append(&mut self, log: u64, received_ms: i64, lane: &Lane, fresh: &Fresh) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(LogFile::create(&self.shared.logs, log)?),
        };
        self.buffer.clear();
        frame::encode(received_ms, fresh, &lane.rows, &mut self.buffer)
            .map_err(|full| VisitsError::Damaged(format!("a frame cannot be written: {full}")))?;
        file.append(&self.buffer)?;
        self.shared.log_bytes.store(file.length(), std::sync::atomic::Ordering::Relaxed);
        self.buffer.shrink_to(log::STEP);
        Ok(())
    }

    /// Shows the rows, counts them and tells who waits.
    fn publish(&self, received_ms: i64, lane: &Lane) {
        unpoisoned(&self.shared.view).open.extend(received_ms, &lane.rows);
        count_recent(&self.shared.recent, received_ms, lane.rows.iter());
        let before = self.shared.counters.total();
        self.shared.counters.add(&lane.counts);
        lane.fate.settle(Ok(before));
    }

    /// Nothing of the frame is there. Its texts come with the next one, since the marks stay where they are.
    fn fail(&self, lane: &Lane, error: VisitsError) {
        tracing::error!(%error, visits = lane.rows.len(), "visits cannot be written; their senders are told");
        unpoisoned(&self.shared.building).take_back(lane);
        lane.fate.settle(Err(error));
    }
}
