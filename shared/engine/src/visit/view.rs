//! Rows with their texts, from anything that has slices.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::column::{ColumnSet, Dict, Row, Traffic};
use super::data::{Columns, DataFault, SLICES, Slices};
use super::dictionary::Dictionaries;
use super::record::{Acquisition, Agent, Page, Place, Visit};

/// A row among others, with the dictionaries its codes refer to.
#[derive(Debug, Clone, Copy)]
pub struct RowView<'a> {
    columns: &'a Columns,
    at: usize,
    dictionaries: &'a Dictionaries,
}

impl<'a> RowView<'a> {
    /// Row `at` of `columns`, all of which were loaded. Where there is no such row everything is 0 or empty.
    #[must_use]
    pub const fn new(columns: &'a Columns, at: usize, dictionaries: &'a Dictionaries) -> Self {
        Self { columns, at, dictionaries }
    }

    /// When, in milliseconds of the Unix epoch.
    #[must_use]
    pub fn time_ms(&self) -> i64 {
        self.columns.time_ms.get(self.at).copied().unwrap_or_default()
    }

    /// Keyed hash that tells visitors apart.
    #[must_use]
    pub fn visitor(&self) -> u64 {
        self.columns.visitor.get(self.at).copied().unwrap_or_default()
    }

    /// Whose traffic.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.columns.traffic.get(self.at).copied().unwrap_or_default()
    }

    /// Revenue in millionths.
    #[must_use]
    pub fn revenue_micros(&self) -> i64 {
        self.columns.revenue_micros.get(self.at).copied().unwrap_or_default()
    }

    /// Code of a column.
    #[must_use]
    pub fn code(&self, dict: Dict) -> u32 {
        self.columns.codes.get(dict.index()).and_then(|codes| codes.get(self.at)).copied().unwrap_or_default()
    }

    /// The entry of a column, with all its fields.
    #[must_use]
    pub fn text(&self, dict: Dict) -> &'a str {
        self.dictionaries.get(dict.index()).map_or("", |dictionary| dictionary.get(self.code(dict)))
    }

    /// The row, whose codes are those of the view's dictionaries.
    #[must_use]
    pub fn row(&self) -> Row {
        let mut row = Row {
            time_ms: self.time_ms(),
            visitor: self.visitor(),
            revenue_micros: self.revenue_micros(),
            traffic: self.traffic(),
            ..Row::default()
        };
        row.codes.iter_mut().zip(Dict::ALL).for_each(|(code, dict)| *code = self.code(dict));
        row
    }

    /// The visit of a site. Sealed parts and memory of one site do not hold the site's name, so it is handed in.
    #[must_use]
    pub fn visit(&self, site: &'a str) -> Visit<'a> {
        Visit {
            time_ms: self.time_ms(),
            site,
            visitor: self.visitor(),
            page: Page::of(self.text(Dict::Page)),
            agent: Agent::of(self.text(Dict::Agent)),
            acquisition: Acquisition::of(self.text(Dict::Acquisition)),
            place: Place::of(self.text(Dict::Place)),
            event: self.text(Dict::Event),
            props: self.text(Dict::Props),
            user: self.text(Dict::User),
            click: self.text(Dict::Click),
            campaign: self.text(Dict::Campaign),
            traffic: self.traffic(),
            revenue_micros: self.revenue_micros(),
            currency: self.text(Dict::Currency),
            event_id: 0,
        }
    }
}

/// All dictionaries of `data`.
///
/// # Errors
/// `Damaged`, `Io`.
pub fn dictionaries(data: &(impl Slices + ?Sized)) -> Result<Dictionaries, DataFault> {
    let mut all = Dictionaries::default();
    for (dictionary, dict) in all.iter_mut().zip(Dict::ALL) {
        *dictionary = Arc::clone(&data.dictionary(dict)?);
    }
    Ok(all)
}

/// Hands out every row, ordered by visitor and time, until `take` breaks. Holds one slice in memory.
///
/// # Errors
/// `Damaged`, `Io`.
pub fn for_each_row(
    data: &(impl Slices + ?Sized),
    mut take: impl FnMut(&RowView<'_>) -> ControlFlow<()>,
) -> Result<(), DataFault> {
    let dictionaries = dictionaries(data)?;
    let mut columns = Columns::default();
    for slice in 0..SLICES {
        let Ok(slice) = u8::try_from(slice) else { break };
        data.load(slice, ColumnSet::all(), &mut columns)?;
        for at in 0..columns.len() {
            if take(&RowView::new(&columns, at, &dictionaries)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
