//! What the columns of a set say about its rows, column after column.

use super::event::MONEY_SHIFT;
use super::plan::{Plan, mark};
use super::set::{NOTHING, Set, Values};
use crate::visit::column::{Dict, Traffic};
use crate::visit::data::{Columns, DataFault};

/// Marks and values of the rows in hand, and revenues of a slice.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// `Event::info` by row.
    pub(super) infos: Vec<u32>,
    /// `Event::value` by row.
    pub(super) values: Vec<u32>,
    /// Currency and millionths; the first place is not used.
    pub(super) money: Vec<(u32, i64)>,
}

impl Judged {
    /// Judges the rows of a set.
    ///
    /// # Errors
    /// `Damaged`.
    pub(super) fn judge(&mut self, plan: &Plan, set: &Set<'_>, columns: &Columns) -> Result<(), DataFault> {
        if columns.time_ms.len() != columns.len() || columns.traffic.len() != columns.len() {
            return Err(uneven());
        }
        self.mark(plan, set, columns)?;
        self.value(set, columns)?;
        self.revenue(set, columns)
    }

    /// Fills `infos` with the marks that all entries of a row have.
    fn mark(&mut self, plan: &Plan, set: &Set<'_>, columns: &Columns) -> Result<(), DataFault> {
        self.infos.clear();
        let marks = |traffic: Traffic| u32::from(plan.traffic.get(traffic as usize).copied().unwrap_or(0));
        if columns.traffic.iter().all(|traffic| *traffic == Traffic::Real) {
            self.infos.resize(columns.len(), marks(Traffic::Real));
        } else {
            self.infos.extend(columns.traffic.iter().map(|traffic| marks(*traffic)));
        }
        for (dict, marks) in &set.marks {
            let mut known = true;
            for (info, code) in self.infos.iter_mut().zip(codes(columns, *dict)?) {
                let mark = marks.get(*code as usize);
                known &= mark.is_some();
                *info &= u32::from(mark.copied().unwrap_or(0));
            }
            check(known, *dict)?;
        }
        if !plan.goal_judges.is_empty() {
            self.infos.iter_mut().for_each(|info| *info = with_goals(*info));
        }
        Ok(())
    }

    /// Fills `values`.
    fn value(&mut self, set: &Set<'_>, columns: &Columns) -> Result<(), DataFault> {
        self.values.clear();
        match &set.values {
            Values::None => {
                self.values.resize(columns.len(), NOTHING);
                Ok(())
            }
            Values::Of(dict, groups) => {
                let mut known = true;
                self.values.extend(codes(columns, *dict)?.iter().map(|code| {
                    let group = groups.get(*code as usize);
                    known &= group.is_some();
                    group.copied().unwrap_or(NOTHING)
                }));
                check(known, *dict)
            }
            Values::Targets { page, event } => {
                let both = codes(columns, Dict::Page)?.iter().zip(codes(columns, Dict::Event)?);
                let mut known = true;
                self.values.extend(both.zip(&self.infos).map(|((at_page, at_event), info)| {
                    let viewed = info & u32::from(mark::PAGEVIEW) != 0;
                    let set = if viewed { page.get(*at_page as usize) } else { event.get(*at_event as usize) };
                    known &= set.is_some();
                    set.copied().unwrap_or(NOTHING)
                }));
                check(known, Dict::Page)
            }
        }
    }

    /// Notes revenues, and their places in `infos`.
    fn revenue(&mut self, set: &Set<'_>, columns: &Columns) -> Result<(), DataFault> {
        if set.currencies.is_empty() {
            return Ok(());
        }
        if columns.revenue_micros.len() != columns.len() {
            return Err(uneven());
        }
        let currencies = codes(columns, Dict::Currency)?;
        for (info, (code, micros)) in self.infos.iter_mut().zip(currencies.iter().zip(&columns.revenue_micros)) {
            if *micros == 0 || *info & u32::from(mark::KEPT) == 0 {
                continue;
            }
            let currency = *set.currencies.get(*code as usize).ok_or_else(|| unknown(Dict::Currency))?;
            let place = u32::try_from(self.money.len()).ok().filter(|place| *place < 1 << (32 - MONEY_SHIFT));
            *info |= place.ok_or_else(|| too_many("revenues"))? << MONEY_SHIFT;
            self.money.push((currency, *micros));
        }
        Ok(())
    }
}

/// Takes the mark of chosen events from those whose goals do not fit.
fn with_goals(info: u32) -> u32 {
    let of_page = info & u32::from(mark::PAGEVIEW) != 0;
    let goal = u32::from(if of_page { mark::PAGE_GOAL } else { mark::EVENT_GOAL });
    if info & goal == 0 { info & !u32::from(mark::EVENT) } else { info }
}

fn codes(columns: &Columns, dict: Dict) -> Result<&[u32], DataFault> {
    let codes = columns.codes.get(dict.index()).filter(|codes| codes.len() == columns.len());
    codes.map(Vec::as_slice).ok_or_else(uneven)
}

pub(super) fn too_many(what: &str) -> DataFault {
    DataFault::Damaged(format!("a slice has more {what} than a question can hold"))
}

fn uneven() -> DataFault {
    DataFault::Damaged("columns differ in length".to_owned())
}

fn check(known: bool, dict: Dict) -> Result<(), DataFault> {
    if known { Ok(()) } else { Err(unknown(dict)) }
}

fn unknown(dict: Dict) -> DataFault {
    DataFault::Damaged(format!("a row has a code that the dictionary `{dict:?}` does not have"))
}
