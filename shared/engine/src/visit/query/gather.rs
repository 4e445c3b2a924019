//! All rows of a slice that exist for a question, out of every data set, by visitor and in the order of time.

use super::event::Event;
use super::judged::{Judged, too_many};
use super::numbers::Numbers;
use super::plan::{Split, mark};
use super::set::{Prepared, Set};
use crate::visit::column::Traffic;
use crate::visit::data::{Columns, DataFault};
use crate::visit::question::{Bots, LeftOut};

/// The rows of one slice. Its memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// One for all sets in turn; one for each when rows are shown afterwards.
    columns: Vec<Columns>,
    judged: Judged,
    numbers: Numbers,
    /// Rows in the order in which they were read.
    staged: Vec<Event>,
    /// Which of them stand together.
    runs: Vec<Run>,
    /// Where the visitors' rows end in `events`.
    ends: Vec<u32>,
    events: Vec<Event>,
    /// Set and row by the value of an event, when the split is `Origin`.
    origins: Vec<(u32, u32)>,
    /// Of all slices so far.
    left_out: LeftOut,
}

/// Rows of one visitor that were read one after the other.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The visitor's number.
    visitor: u32,
    /// Where they end in `staged`; they begin where the run before ends.
    end: u32,
}

impl Gather {
    /// Replaces the rows by those of a slice.
    ///
    /// # Errors
    /// What reading brings.
    pub(super) fn load(&mut self, prepared: &Prepared<'_>, slice: u8) -> Result<(), DataFault> {
        self.clear();
        let shown = matches!(prepared.plan.split, Split::Origin);
        self.columns.resize_with(if shown { prepared.sets.len() } else { 1 }, Columns::default);
        let mut together = true;
        for (number, set) in prepared.sets.iter().enumerate() {
            let place = if shown { number } else { 0 };
            let Some(columns) = self.columns.get_mut(place) else { continue };
            let mut columns = std::mem::take(columns);
            let read = set.data.load(slice, set.want, &mut columns);
            let staged = read.and_then(|()| self.stage(prepared, set, number, &columns));
            if let Some(home) = self.columns.get_mut(place) {
                *home = columns;
            }
            together &= staged?;
        }
        if together {
            // With salts of a day and one part a day that is the usual case.
            self.ends.extend(self.runs.iter().map(|run| run.end));
            std::mem::swap(&mut self.events, &mut self.staged);
        } else {
            self.order();
        }
        Ok(())
    }

    /// The rows of each visitor in the order of time; visitors come in no order.
    pub(super) fn visitors(&self) -> impl Iterator<Item = &[Event]> {
        let mut rest = self.events.as_slice();
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let (rows, after) = rest.split_at_checked((end - begin) as usize).unwrap_or_default();
            (rest, begin) = (after, *end);
            rows
        })
    }

    /// Currency and millionths of an event's revenue.
    pub(super) fn money(&self, event: Event) -> Option<(u32, i64)> {
        self.judged.money.get(event.money() as usize).copied().filter(|_| event.money() != 0)
    }

    /// Number of the set and of the row in its columns, of an event with its origin.
    pub(super) fn origin(&self, event: Event) -> Option<(usize, usize, &Columns)> {
        let (set, row) = self.origins.get(event.value as usize)?;
        Some((*set as usize, *row as usize, self.columns.get(*set as usize)?))
    }

    /// What did not count in all slices so far.
    pub(super) const fn left_out(&self) -> LeftOut {
        self.left_out
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.staged.clear();
        self.runs.clear();
        self.ends.clear();
        self.events.clear();
        self.judged.money.clear();
        self.judged.money.push((0, 0));
        self.origins.clear();
    }

    /// Adds the rows of a set that exist for the question. Answers whether each visitor's rows still stand together.
    fn stage(
        &mut self,
        prepared: &Prepared<'_>,
        set: &Set<'_>,
        number: usize,
        columns: &Columns,
    ) -> Result<bool, DataFault> {
        u32::try_from(self.staged.len() + columns.len()).or(Err(too_many("rows")))?;
        let plan = prepared.plan;
        self.judged.judge(plan, set, columns)?;
        if matches!(plan.split, Split::Origin) {
            self.originate(number, columns.len())?;
        }
        self.staged.reserve(columns.len());
        let judged = self.judged.values.iter().zip(&self.judged.infos);
        let rows = columns.visitor.iter().zip(&columns.time_ms).zip(judged).zip(&columns.traffic);
        let (mut last, mut together) = (None, true);
        for (((visitor, time_ms), (value, info)), traffic) in rows {
            if *time_ms < plan.from_ms || *time_ms >= plan.until_ms {
                continue;
            }
            if info & u32::from(mark::KEPT) == 0 {
                leave_out(&mut self.left_out, plan.bots, *traffic, *info);
                continue;
            }
            if last != Some(*visitor) {
                last = Some(*visitor);
                end_run(&mut self.runs, &self.staged);
                let (visitor, new) = self.numbers.number(*visitor);
                together &= new;
                self.runs.push(Run { visitor, end: 0 });
            }
            self.staged.push(Event { time_ms: *time_ms, value: *value, info: *info });
        }
        end_run(&mut self.runs, &self.staged);
        Ok(together)
    }

    /// Brings the rows from the order of reading into that of visitors and time: a counting sort by visitor.
    fn order(&mut self) {
        self.ends.resize(self.numbers.len(), 0);
        let mut begin = 0;
        for run in &self.runs {
            if let Some(count) = self.ends.get_mut(run.visitor as usize) {
                *count += run.end - begin;
            }
            begin = run.end;
        }
        // From counts to where each visitor's rows begin; filling in moves that to where they end.
        let mut begin = 0;
        for end in &mut self.ends {
            begin += std::mem::replace(end, begin);
        }
        self.events.resize(self.staged.len(), Event::default());
        let (mut rest, mut begin) = (self.staged.as_slice(), 0);
        for run in &self.runs {
            let length = run.end - begin;
            let (rows, after) = rest.split_at_checked(length as usize).unwrap_or_default();
            (rest, begin) = (after, run.end);
            let Some(end) = self.ends.get_mut(run.visitor as usize) else { continue };
            let place = self.events.get_mut(*end as usize..).and_then(|events| events.get_mut(..rows.len()));
            place.into_iter().for_each(|place| place.copy_from_slice(rows));
            *end += length;
        }
        let (mut rest, mut begin) = (self.events.as_mut_slice(), 0);
        for end in &self.ends {
            let Some((rows, after)) = rest.split_at_mut_checked((end - begin) as usize) else { break };
            // Sets are in the order of their first times, so rows are seldom out of order here.
            if !rows.is_sorted_by_key(|event| event.time_ms) {
                rows.sort_by_key(|event| event.time_ms);
            }
            (rest, begin) = (after, *end);
        }
    }

    /// Makes each row's value its place in `origins`.
    fn originate(&mut self, set: usize, rows: usize) -> Result<(), DataFault> {
        let begin = self.origins.len();
        let [Ok(begin), Ok(set), Ok(rows), Ok(_)] = [begin, set, rows, begin + rows].map(u32::try_from) else {
            return Err(too_many("rows"));
        };
        self.origins.extend((0..rows).map(|row| (set, row)));
        self.judged.values.clear();
        self.judged.values.extend(begin..begin + rows);
        Ok(())
    }
}

/// Notes where the last run ends; at the beginning of the next set it is noted once more.
fn end_run(runs: &mut [Run], staged: &[Event]) {
    if let Some(run) = runs.last_mut() {
        run.end = u32::try_from(staged.len()).unwrap_or(u32::MAX);
    }
}

fn leave_out(left_out: &mut LeftOut, bots: Bots, traffic: Traffic, info: u32) {
    if info & u32::from(mark::TRAFFIC) != 0 {
        left_out.bots += u64::from(bots == Bots::Exclude);
        return;
    }
    match traffic {
        Traffic::Real => {}
        Traffic::Synthetic => left_out.synthetic += 1,
        Traffic::Unverified => left_out.unverified += 1,
    }
}
