//! A data set made ready for a question: every entry of its dictionaries is judged and given its value once, so that a
//! row costs a few lookups and no text is touched again.

use std::sync::{Arc, Mutex, PoisonError};

use super::effort::Effort;
use super::names::Names;
use super::plan::{PAGEVIEW_NAME, Plan, Split, mark, value};
use super::spread::spread;
use crate::visit::column::{ColumnSet, DICTS, Dict, field};
use crate::visit::data::{DataFault, Slices};
use crate::visit::dictionary::{Dictionaries, Dictionary};
use crate::visit::question::Bots;

/// Stands for no value: the row is in no group.
pub(super) const NOTHING: u32 = u32::MAX;

/// A question with the data that it is asked of.
pub(super) struct Prepared<'a> {
    pub(super) plan: &'a Plan,
    pub(super) names: Names,
    /// In the order of their first times.
    pub(super) sets: Vec<Set<'a>>,
}

/// A data set made ready.
pub(super) struct Set<'a> {
    pub(super) data: &'a dyn Slices,
    /// The columns to load.
    pub(super) want: ColumnSet,
    /// Marks by code, of the dictionaries that rule something out.
    pub(super) marks: Vec<(Dict, Vec<u8>)>,
    pub(super) values: Values,
    /// Codes of the question by codes of the set; empty when no row has revenue.
    pub(super) currencies: Vec<u32>,
    /// All texts, when rows are to be shown.
    pub(super) texts: Option<Box<Dictionaries>>,
}

/// Where a row's value comes from.
pub(super) enum Values {
    None,
    /// By the codes of one dictionary.
    Of(Dict, Vec<u32>),
    /// By the page for page views, else by the event.
    Targets {
        page: Vec<u32>,
        event: Vec<u32>,
    },
}

impl<'a> Prepared<'a> {
    /// Reads the dictionaries of what overlaps with the question's time, on several threads.
    ///
    /// # Errors
    /// `Stopped`, `TooManyGroups`, and what reading brings.
    pub(super) fn new(
        data: &'a [Arc<dyn Slices>],
        plan: &'a Plan,
        names: Names,
        how: &Effort<'_>,
    ) -> Result<Self, DataFault> {
        let overlaps = |data: &&dyn Slices| data.time_range().is_some_and(|(first, last)| plan.overlaps(first, last));
        let mut data: Vec<&dyn Slices> = data.iter().map(|data| &**data).filter(overlaps).collect();
        data.sort_by_key(|data| data.time_range().map(|(first, _)| first));
        let names = Mutex::new(names);
        let made = spread(how, data.len(), Vec::new, |made, number| {
            let Some(data) = data.get(number) else { return Ok(()) };
            made.push((number, Set::new(*data, plan, &names)?));
            Ok(())
        })?;
        let mut sets: Vec<(usize, Set<'a>)> = made.into_iter().flatten().collect();
        sets.sort_by_key(|(number, _)| *number);
        let sets = sets.into_iter().map(|(_, set)| set).collect();
        Ok(Self { plan, names: names.into_inner().unwrap_or_else(PoisonError::into_inner), sets })
    }

    /// Number of rows at most.
    pub(super) fn rows(&self) -> u64 {
        self.sets.iter().fold(0, |rows, set| rows.saturating_add(set.data.rows()))
    }
}

impl<'a> Set<'a> {
    fn new(data: &'a dyn Slices, plan: &Plan, names: &Mutex<Names>) -> Result<Self, DataFault> {
        let mut dictionaries: [Option<Arc<Dictionary>>; DICTS] = Default::default();
        let wanted = plan.dicts().with(Dict::Currency);
        for (dict, place) in Dict::ALL.into_iter().zip(&mut dictionaries) {
            if wanted.has(dict) {
                *place = Some(data.dictionary(dict)?);
            }
        }
        let of = |dict: Dict| dictionaries.get(dict.index()).and_then(Option::as_deref);
        let mut marks: Vec<(Dict, Vec<u8>)> = Vec::new();
        for dict in Dict::ALL {
            marks.extend(of(dict).map(|dictionary| (dict, entry_marks(plan, dict, dictionary))));
        }
        let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
        let values = values(plan, of, &marks, &mut names)?;
        let currencies = currencies(of(Dict::Currency), &mut names)?;
        marks.retain(|(_, marks)| marks.iter().any(|entry| *entry != mark::ALL));
        let texts = matches!(plan.split, Split::Origin).then(|| Box::new(dictionaries.map(Option::unwrap_or_default)));
        let mut set = Self { data, want: ColumnSet::default(), marks, values, currencies, texts };
        set.want = set.columns();
        Ok(set)
    }

    fn columns(&self) -> ColumnSet {
        if self.texts.is_some() {
            return ColumnSet::all();
        }
        let judged = self.marks.iter().fold(ColumnSet::default(), |set, (dict, _)| set.with(*dict));
        let valued = match &self.values {
            Values::None => judged,
            Values::Of(dict, _) => judged.with(*dict),
            Values::Targets { .. } => judged.with(Dict::Page).with(Dict::Event),
        };
        if self.currencies.is_empty() { valued } else { valued.with(Dict::Currency).with_revenue() }
    }
}

/// The marks of a dictionary's entries by code.
fn entry_marks(plan: &Plan, dict: Dict, dictionary: &Dictionary) -> Vec<u8> {
    dictionary.iter().map(|entry| entry_mark(plan, dict, entry)).collect()
}

fn entry_mark(plan: &Plan, dict: Dict, entry: &str) -> u8 {
    let mut lost = 0;
    for judge in plan.judges.iter().filter(|judge| judge.dict() == dict) {
        lost |= if judge.passes(entry) { 0 } else { judge.mark };
    }
    match dict {
        Dict::Agent => {
            let person = field(entry, 5).is_empty();
            lost |= match plan.bots {
                Bots::Exclude if !person => mark::KEPT,
                Bots::Only if person => mark::KEPT,
                _ => 0,
            };
        }
        Dict::Page if !plan.goal_judges.iter().all(|judge| judge.passes_page(entry)) => lost |= mark::PAGE_GOAL,
        // Page views leave the judgement to the page, and are judged as custom events nowhere.
        Dict::Event if entry != PAGEVIEW_NAME => {
            lost |= mark::PAGEVIEW;
            lost |= if plan.goal_judges.iter().all(|judge| judge.passes_event(entry)) { 0 } else { mark::EVENT_GOAL };
        }
        _ => {}
    }
    mark::ALL & !lost
}

/// Gives the entries their values. Those that no row of an answer can have get none.
fn values<'d>(
    plan: &Plan,
    of: impl Fn(Dict) -> Option<&'d Dictionary>,
    marks: &[(Dict, Vec<u8>)],
    names: &mut Names,
) -> Result<Values, DataFault> {
    let (property, needed) = match &plan.split {
        Split::Nothing | Split::Origin => return Ok(Values::None),
        Split::Event(property) => (property, mark::EVENT),
        Split::Session(property) => (property, mark::SESSION),
        Split::Exit => (&crate::visit::property::Property::ExitPage, mark::EXIT),
        Split::Targets(targets) => {
            let mut code = |fits: &dyn Fn(&super::plan::Target) -> bool| {
                let mut numbers: Vec<u32> =
                    targets.iter().filter(|(_, target)| fits(target)).map(|(number, _)| *number).collect();
                numbers.sort_unstable();
                numbers.dedup();
                names.target_set(numbers)
            };
            let pages = of(Dict::Page).into_iter().flat_map(Dictionary::iter);
            let page = pages.map(|entry| code(&|target| target.fits_page(entry))).collect::<Result<_, _>>()?;
            let events = of(Dict::Event).into_iter().flat_map(Dictionary::iter);
            let event = events.map(|entry| code(&|target| target.fits_event(entry))).collect::<Result<_, _>>()?;
            return Ok(Values::Targets { page, event });
        }
    };
    let dict = property.dict();
    let Some(dictionary) = of(dict) else { return Ok(Values::None) };
    let marks = marks.iter().find(|(marked, _)| *marked == dict).map_or(&[][..], |(_, marks)| marks.as_slice());
    let needed = needed | mark::KEPT;
    let codes = dictionary.iter().zip(marks).map(|(entry, marks)| {
        if marks & needed != needed {
            return Ok(NOTHING);
        }
        value(property, entry).map_or(Ok(NOTHING), |value| names.value(&value))
    });
    Ok(Values::Of(dict, codes.collect::<Result<_, _>>()?))
}

fn currencies(dictionary: Option<&Dictionary>, names: &mut Names) -> Result<Vec<u32>, DataFault> {
    let Some(dictionary) = dictionary.filter(|dictionary| !dictionary.is_empty()) else { return Ok(Vec::new()) };
    dictionary.iter().map(|text| names.currency(text)).collect()
}
