//! All rows of a file, by campaign, as figures.

use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::table::{Field, Kind, Layout, Numbers, text};

use super::Wishes;
use super::faults::Faults;
use super::file::{Facts, each, unreadable};
use super::find::{By, Finder};
use crate::adops::book::Entry;
use crate::adops::campaign::Platform;
use crate::systems::Outcome;

/// Rows without figures that are told.
const SKIPPED_TOLD: usize = 20;
/// Rows that are shown as they were understood.
const SAMPLED: usize = 20;

/// What a file's campaign is here.
#[derive(Debug, Clone)]
pub enum Target {
    /// This one.
    Known(Arc<Entry>, By),
    /// One that will be made.
    New,
    /// None; why.
    Missing(String),
}

/// The figures of one day.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The day.
    pub day: Day,
    /// Where it stands in the file. A file of more than 2^32 lines is not read.
    pub line: u32,
    /// The figures.
    pub figures: Figures,
}

/// The rows of one campaign.
#[derive(Debug, Clone)]
pub struct Group {
    /// Whose they are.
    pub target: Target,
    /// Where it runs.
    pub platform: Option<Platform>,
    /// Its id at the platform, as the file says.
    pub external_id: Option<String>,
    /// Its name, as the file says.
    pub name: String,
    /// What its money is in.
    pub currency: Currency,
    /// Where the first row stands.
    pub first_line: u64,
    /// Rows that cannot be taken for a reason that is told once.
    pub left_out: u64,
    /// The others.
    pub rows: Vec<Row>,
}

/// A row without figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its line.
    pub row: u64,
    /// Why it has none.
    pub reason: &'static str,
}

/// Everything that was read of a file.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By campaign, in the order of their first rows.
    pub groups: Vec<Group>,
    /// Rows with figures, wrong ones too.
    pub rows: u64,
    /// Rows without, the first of them.
    pub skipped: Vec<Skipped>,
    /// How many of them there are.
    pub skipped_total: u64,
    /// The first rows: line, group, day, figures.
    pub sample: Vec<(usize, Row)>,
    /// What is wrong.
    pub faults: Faults,
}

/// Reads one row after another.
struct Gatherer<'a> {
    layout: &'a Layout,
    facts: &'a Facts,
    wishes: &'a Wishes,
    finder: Finder<'a>,
    numbers: Numbers,
    /// The last day that may have figures.
    latest: Day,
    /// A row without campaign after others: a sum if nothing follows.
    nobody: Option<u64>,
    all: Gathered,
}

/// Reads a whole file. `latest` is the last day that may have figures.
///
/// # Errors
/// When it cannot be read to its end; wrong rows are told in the answer.
pub(super) fn gather(
    path: &Path,
    facts: &Facts,
    wishes: &Wishes,
    finder: Finder<'_>,
    latest: Day,
) -> Outcome<Gathered> {
    let layout = &facts.found.layout;
    let numbers = Numbers::new(layout, facts.style);
    let all = Gathered::default();
    let mut gatherer = Gatherer { layout, facts, wishes, finder, numbers, latest, nobody: None, all };
    each(path, &facts.found, |row, kind| {
        gatherer.take(row, kind);
        if gatherer.finder.too_many() {
            return Err(unreadable(&"it names too many campaigns; send it in parts"));
        }
        Ok(())
    })?;
    let Gatherer { finder, nobody, mut all, .. } = gatherer;
    if let Some(line) = nobody {
        all.skip(line, "a sum of the others");
    }
    all.groups = finder.groups;
    for group in &all.groups {
        if let Target::Missing(reason) = &group.target {
            let shown = group.external_id.as_deref().unwrap_or(&group.name);
            let message = format!("{reason} ({} rows)", group.left_out);
            all.faults.add(group.first_line, "", shown, &message);
        }
    }
    Ok(all)
}

impl Gathered {
    fn skip(&mut self, row: u64, reason: &'static str) {
        self.skipped_total += 1;
        if self.skipped.len() < SKIPPED_TOLD {
            self.skipped.push(Skipped { row, reason });
        }
    }
}

impl Gatherer<'_> {
    fn take(&mut self, row: &ByteRecord, kind: Kind) {
        let line = text::line(row);
        match kind {
            Kind::Blank => {}
            Kind::Total => self.all.skip(line, "a sum of others"),
            Kind::Nobody if self.all.rows == 0 => self.all.skip(line, "a sum of the others"),
            Kind::Nobody => {
                self.without_campaign();
                self.nobody = Some(line);
            }
            Kind::Figures => {
                self.without_campaign();
                self.all.rows += 1;
                self.figures(row, line);
            }
        }
    }

    /// The row without campaign that was seen before is no sum: rows followed.
    fn without_campaign(&mut self) {
        if let Some(line) = self.nobody.take() {
            self.all.faults.add(line, "", "", &"the row has no campaign");
        }
    }

    fn figures(&mut self, row: &ByteRecord, line: u64) {
        let columns = self.layout.columns.len();
        if row.iter().skip(columns).any(|cell| !cell.trim_ascii().is_empty()) {
            let message = format!(
                "the row has {} cells and the header {columns}; a cell with the separator in it needs quotation marks",
                row.len()
            );
            self.all.faults.add(line, "", "", &message);
            return;
        }
        let Some(place) = self.group(row, line) else { return };
        let day = match self.layout.day(row, self.facts.style) {
            Ok(day) if day > self.latest => {
                let column = self.layout.place(Field::Date).map_or("", |place| self.layout.name(place));
                self.all.faults.add(line, column, &day.to_string(), &"lies in the future");
                None
            }
            Ok(day) => Some(day),
            Err(fault) => {
                self.all.faults.cell(self.layout, row, &fault);
                None
            }
        };
        let Some(group) = self.finder.groups.get_mut(place) else { return };
        let before = self.all.faults.total();
        let (faults, layout) = (&mut self.all.faults, self.layout);
        let figures = self.numbers.read(row, group.currency, |fault| faults.cell(layout, row, &fault));
        let (Some(day), true) = (day, self.all.faults.total() == before) else { return };
        if matches!(group.target, Target::Missing(_)) {
            group.left_out += 1;
        }
        let read = Row { day, line: u32::try_from(line).unwrap_or(u32::MAX), figures };
        if !matches!(group.target, Target::Missing(_)) {
            group.rows.push(read);
        }
        if self.all.sample.len() < SAMPLED {
            self.all.sample.push((place, read));
        }
    }

    /// The place of the row's campaign among the groups, when its currency is the row's.
    fn group(&mut self, row: &ByteRecord, line: u64) -> Option<usize> {
        let key = match self.layout.key(row) {
            Ok(key) => key,
            Err(fault) => {
                self.all.faults.cell(self.layout, row, &fault);
                return None;
            }
        };
        let currency = match self.layout.currency(row) {
            Ok(currency) => currency.or(self.wishes.currency),
            Err(fault) => {
                self.all.faults.cell(self.layout, row, &fault);
                return None;
            }
        };
        let place = match self.finder.group(&key, currency, line) {
            Ok(place) => place,
            Err(message) => {
                let shown = [key.external_id, key.campaign_id, key.name].into_iter().find(|part| !part.is_empty());
                self.all.faults.add(line, "", shown.unwrap_or_default(), &message);
                return None;
            }
        };
        let told = self.wishes.currency.filter(|told| currency.is_some_and(|currency| currency != *told));
        let own = self.finder.groups.get(place).map(|group| group.currency);
        let other = told.or(own).filter(|own| currency.is_some_and(|currency| currency != *own));
        if let (Some(own), Some(currency)) = (other, currency) {
            let whose = if told.is_some() { "`currency` says" } else { "the campaign is in" };
            let message = format!("the money is in {currency} and {whose} {own}");
            self.all.faults.add(line, "", currency.code(), &message);
            return None;
        }
        Some(place)
    }
}
