//! The frame being built: what happens to a visit under the one short lock.

use std::sync::Arc;

use trafficlab_engine::visit::column::{Dict, Row, Traffic};
use trafficlab_engine::visit::data::day_of;
use trafficlab_engine::visit::dictionary::{Dictionaries, Full};
use trafficlab_engine::visit::pack::{Fresh, Marks, Packer};
use trafficlab_engine::visit::record::Visit;

use super::caps::{CAPPED, Caps};
use super::counters::Counts;
use super::error::VisitsError;
use super::ids::EventIds;
use super::options::Options;
use super::ticket::{FrameFate, Recorded, Ticket};

/// How visits came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// From their senders: they count in `recent`, at their own time.
    Live,
    /// From a file of old: they count in the totals alone.
    Import,
}

/// What a text costs in memory beside its bytes, about.
const TEXT_COST: usize = 16;

/// Times are kept within the years 1 to 9999, whatever a sender says, since a part must be able to name its day.
const EARLIEST_MS: i64 = -62_135_596_800_000;
const LATEST_MS: i64 = 253_402_300_799_999;

/// A frame to be: rows that share a write, and what they add to the counts.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    pub(crate) rows: Vec<Row>,
    pub(crate) counts: Counts,
    pub(crate) fate: Arc<FrameFate>,
    /// Tells frames apart; 0 for those of earlier processes.
    pub(crate) number: u32,
}

impl Drop for Lane {
    /// Nobody waits for ever, even when the writer panics.
    fn drop(&mut self) {
        self.fate.settle(Err(VisitsError::Closed));
    }
}

/// What the writer takes.
pub(crate) struct Taken {
    pub(crate) live: Lane,
    pub(crate) import: Lane,
    /// Texts that are in no written frame, and the marks behind them.
    pub(crate) fresh: Fresh,
    pub(crate) marks: Marks,
    /// The log these rows belong to.
    pub(crate) log: u64,
    /// Its dictionaries when these rows are its last.
    pub(crate) last: Option<Dictionaries>,
}

/// The frame being built, and what must agree with it.
pub(crate) struct Building {
    packer: Packer,
    log: u64,
    /// Rows that were accepted for the log.
    log_rows: usize,
    log_text_bytes: usize,
    live: Lane,
    import: Lane,
    /// Frames that the writer took last.
    taken: [(u32, Arc<FrameFate>); 2],
    next_frame: u32,
    pub(crate) caps: Caps,
    pub(crate) ids: EventIds,
    /// Dictionaries of the log that was ended and is not among the closed ones yet.
    ending: Option<(u64, Dictionaries)>,
    end_log: bool,
    pub(crate) closing: bool,
    /// Too much is not sealed yet.
    pub(crate) held: bool,
    pub(crate) writer_sleeps: bool,
}

impl Building {
    pub(crate) fn new(log: u64, mut caps: Caps, ids: EventIds) -> Self {
        caps.new_dictionaries();
        let mut building = Self {
            packer: Packer::default(),
            log,
            log_rows: 0,
            log_text_bytes: 0,
            live: Lane::default(),
            import: Lane::default(),
            taken: Default::default(),
            next_frame: 1,
            caps,
            ids,
            ending: None,
            end_log: false,
            closing: false,
            held: false,
            writer_sleeps: false,
        };
        building.live = building.lane();
        building.import = building.lane();
        building
    }

    /// Takes a visit in.
    pub(crate) fn record(&mut self, visit: &Visit<'_>, arrival: Arrival, options: &Options) -> Recorded {
        let waiting = self.live.rows.len() + self.import.rows.len();
        // A log that is far beyond its size waits for the writer to end it.
        let too_long = self.log_text_bytes >= options.seal_text_bytes.saturating_mul(2);
        if self.closing || self.held || too_long || waiting >= options.most_waiting {
            return Recorded::Full;
        }
        let lane = match arrival {
            Arrival::Live => &self.live,
            Arrival::Import => &self.import,
        };
        let frame = lane.number;
        if visit.event_id != 0
            && let Some(known) = self.ids.insert(visit.event_id, options.now_s(), frame)
        {
            return Recorded::Duplicate(Ticket::repeated(self.fate_of(known)));
        }
        let Ok(row) = self.row(visit) else {
            self.ids.take_back(visit.event_id, frame);
            self.end_log = true;
            return Recorded::Full;
        };
        self.log_rows += 1;
        self.end_log |= self.log_rows >= options.seal_rows || self.log_text_bytes >= options.seal_text_bytes;
        let lane = match arrival {
            Arrival::Live => &mut self.live,
            Arrival::Import => &mut self.import,
        };
        lane.rows.push(row);
        lane.counts.add(visit.traffic, !visit.agent.bot.is_empty());
        let nth = (visit.traffic == Traffic::Real).then_some(lane.counts.total);
        Recorded::Accepted(Ticket::new(Arc::clone(&lane.fate), nth))
    }

    /// Takes nothing any more and turns away who waits.
    pub(crate) fn shut(&mut self) {
        self.closing = true;
        (self.live, self.import) = (Lane::default(), Lane::default());
    }

    /// Whether the writer has something to do.
    pub(crate) const fn has_work(&self) -> bool {
        !self.live.rows.is_empty() || !self.import.rows.is_empty() || (self.end_log && self.log_rows > 0)
    }

    /// Asks the writer to end the log. Comes back with its number, or with that of the log before when the new one has no
    /// rows and the writer is still at the last frame of the old one; with nothing when all logs with rows are closed.
    pub(crate) const fn ask_for_end(&mut self) -> Option<u64> {
        if self.log_rows > 0 {
            self.end_log = true;
            return Some(self.log);
        }
        match &self.ending {
            Some((log, _)) => Some(*log),
            None => None,
        }
    }

    /// Hands everything to the writer. `written` are the marks of the last frame of this log that was written.
    pub(crate) fn take(&mut self, written: &Marks) -> Taken {
        let (live, import) = (self.lane(), self.lane());
        let mut taken = Taken {
            live: std::mem::replace(&mut self.live, live),
            import: std::mem::replace(&mut self.import, import),
            fresh: self.packer.fresh(written),
            marks: self.packer.marks(),
            log: self.log,
            last: None,
        };
        self.taken = [&taken.live, &taken.import].map(|lane| (lane.number, Arc::clone(&lane.fate)));
        if self.end_log && self.log_rows > 0 {
            let dictionaries = self.packer.dictionaries();
            self.ending = Some((self.log, dictionaries.clone()));
            taken.last = Some(dictionaries);
            self.packer = Packer::default();
            (self.log, self.log_rows, self.log_text_bytes, self.end_log) = (self.log + 1, 0, 0, false);
            self.caps.new_dictionaries();
        }
        taken
    }

    /// The log that was ended is among the closed ones now.
    pub(crate) fn ended(&mut self) {
        self.ending = None;
    }

    /// The dictionaries of a log that is open or ending; they hold at least the texts of all rows seen before.
    pub(crate) fn dictionaries_of(&self, log: u64) -> Option<Dictionaries> {
        if log == self.log {
            return Some(self.packer.dictionaries());
        }
        self.ending.as_ref().filter(|(ending, _)| *ending == log).map(|(_, dictionaries)| dictionaries.clone())
    }

    /// Forgets the ids of rows that were not written.
    pub(crate) fn take_back(&mut self, lane: &Lane) {
        for row in lane.rows.iter().filter(|row| row.event_id != 0) {
            self.ids.take_back(row.event_id, lane.number);
        }
    }

    /// The fate of a frame unless it is durable.
    fn fate_of(&self, frame: u32) -> Option<Arc<FrameFate>> {
        let building = [&self.live, &self.import].map(|lane| (lane.number, &lane.fate));
        let taken = self.taken.iter().map(|(number, fate)| (*number, fate));
        let mut all = building.into_iter().chain(taken).filter(|(number, _)| *number != 0);
        all.find(|(number, _)| *number == frame).map(|(_, fate)| Arc::clone(fate))
    }

    fn lane(&mut self) -> Lane {
        let number = self.next_frame;
        // 0 is taken, and four thousand million frames later nobody asks for the first one.
        self.next_frame = number.checked_add(1).unwrap_or(1);
        Lane { rows: Vec::new(), counts: Counts::default(), fate: Arc::default(), number }
    }

    /// The row of a visit, whose texts beyond the bounds are folded.
    fn row(&mut self, visit: &Visit<'_>) -> Result<Row, Full> {
        let Self { packer, caps, log_text_bytes, .. } = self;
        let time_ms = visit.time_ms.clamp(EARLIEST_MS, LATEST_MS);
        let group = caps.group(visit.site, day_of(time_ms));
        let packed = packer.row_if(visit, |dict, text| {
            let admitted = caps.admit(group, dict, text);
            if admitted {
                *log_text_bytes += text.len() + TEXT_COST;
            }
            admitted
        })?;
        let mut row = Row { time_ms, ..packed };
        // The dictionaries serve all sites and days: a text that is known may still be one too many here.
        for (dict, code) in coded(&packed) {
            if code == 0 || caps.has_seen(group, dict, code) {
                continue;
            }
            if caps.admit(group, dict, packer.text(dict, code)) {
                caps.saw(group, dict, code);
            } else if let Some(place) = row.codes.get_mut(dict.index()) {
                *place = packer.fold(dict, code)?;
            }
        }
        Ok(row)
    }
}

fn coded(row: &Row) -> impl Iterator<Item = (Dict, u32)> {
    CAPPED.into_iter().map(|dict| (dict, row.codes.get(dict.index()).copied().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_that_the_writer_is_still_at_is_waited_for() {
        let options = Options { seal_rows: 1, ..Options::default() };
        let mut building = Building::new(1, Caps::default(), EventIds::default());
        assert_eq!(building.ask_for_end(), None);
        assert!(matches!(building.record(&Visit::default(), Arrival::Live, &options), Recorded::Accepted(_)));
        let taken = building.take(&Marks::default());
        assert_eq!((taken.log, taken.last.is_some(), building.log_rows), (1, true, 0));
        assert_eq!(building.ask_for_end(), Some(1), "its earlier rows are durable and in no part yet");
        building.ended();
        assert_eq!(building.ask_for_end(), None);
    }
}
