//! What an export is asked to hold: the body of the request, read and checked.

use serde_json::{Map, Value};
use trafficlab_engine::ads::day::Days;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::export::{ExportColumn, ExportFormat, ExportTable};

use crate::adops::analytics::range::read_range;
use crate::adops::campaigns::filter::Filter;
use crate::adops::input;
use crate::adops::tenant::Tenant;
use crate::systems::fields::Fields;
use crate::systems::{Fault, Outcome};

/// Bytes of a date as text; longer ones are none.
const LONGEST_DATE: usize = 40;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What a row is.
    pub table: ExportTable,
    /// How the file is written.
    pub format: ExportFormat,
    /// Its columns, in this order.
    pub columns: Vec<ExportColumn>,
    /// The days of its figures.
    pub days: Days,
    /// Which campaigns.
    pub filter: Filter,
    /// Whether figures of generated traffic count.
    pub synthetic: bool,
}

/// Reads a body. Dates default to the last 30 full days of the tenant, columns to all.
///
/// # Errors
/// 400 that names each wrong member and column; 422 for dates that do not fit together.
pub fn read(tenant: &Tenant, body: &Map<String, Value>, now_ns: u64) -> Outcome<Asked> {
    let mut dates = (None, None);
    let asked = input::read(body, |fields| {
        let table = word(fields, "type", ExportTable::parse, ExportTable::ALL, ExportTable::as_str);
        let table = table.unwrap_or(ExportTable::Campaigns);
        let format = word(fields, "format", ExportFormat::parse, ExportFormat::ALL, ExportFormat::as_str);
        dates = (fields.text("date_from", LONGEST_DATE), fields.text("date_to", LONGEST_DATE));
        Asked {
            table,
            format: format.unwrap_or(ExportFormat::Csv),
            columns: columns(fields, table),
            days: Days { first: trafficlab_engine::ads::day::Day(0), last: trafficlab_engine::ads::day::Day(0) },
            filter: filter(fields),
            synthetic: fields.flag("synthetic").unwrap_or(false),
        }
    });
    // Wrong dates are named beside what else is wrong; what does not fit together is told when all else does.
    let days = read_range(tenant, dates.0, dates.1, now_ns);
    match (asked, days) {
        (Ok(asked), Ok(days)) => Ok(Asked { days, ..asked }),
        (Err(fault), Err(dates)) if fault.code == dates.code => {
            Err(Fault::validation(fault.details.into_iter().chain(dates.details).collect()))
        }
        (Err(fault), _) | (Ok(_), Err(fault)) => Err(fault),
    }
}

fn word<T: Copy>(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    parse: fn(&str) -> Option<T>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Option<T> {
    let words: Vec<&str> = all.iter().copied().map(name).collect();
    input::word(fields, key, parse, &words)
}

fn columns(fields: &mut Fields<'_, '_>, table: ExportTable) -> Vec<ExportColumn> {
    let most = ExportColumn::ALL.len();
    let Some(words) = fields.list("columns", most) else {
        return table.usual();
    };
    let mut columns = Vec::new();
    if words.is_empty() {
        fields.fault("columns", "must name at least one column");
    }
    for (place, word) in words.iter().enumerate() {
        let column = word.as_str().and_then(ExportColumn::parse).filter(|column| table.has(*column));
        let wrong = match column {
            Some(column) if columns.contains(&column) => Some("is named twice".to_owned()),
            Some(_) => None,
            None => Some(unknown(word, table)),
        };
        match wrong {
            Some(message) => fields.faults().push(FieldFault::new(format!("columns[{place}]"), message)),
            None => columns.extend(column),
        }
    }
    columns
}

fn unknown(word: &Value, table: ExportTable) -> String {
    let shown: String = word.as_str().unwrap_or_default().chars().take(40).collect();
    let known: Vec<&str> =
        ExportColumn::ALL.iter().filter(|column| table.has(**column)).map(|column| column.as_str()).collect();
    format!("`{}` is no column of `{}`; there are {}", shown.escape_default(), table.as_str(), input::listed(&known))
}

/// The conditions, under the names that the document gives to lists.
fn filter(fields: &mut Fields<'_, '_>) -> Filter {
    const NAMES: [(&str, &str); 3] = [("platforms", "platform"), ("status", "status"), ("labels", "label")];
    let conditions =
        NAMES.iter().filter_map(|(name, condition)| Some(((*condition).to_owned(), fields.get(name)?.clone())));
    let conditions: Map<String, Value> = conditions.collect();
    match Filter::of_json(&conditions, "") {
        Ok(filter) => filter,
        Err(fault) => {
            let named = |field: String| {
                NAMES.iter().find(|(_, condition)| *condition == field).map_or(field, |(name, _)| (*name).to_owned())
            };
            let faults = fault.details.into_iter().map(|detail| FieldFault::new(named(detail.field), detail.message));
            fields.faults().extend(faults);
            Filter::default()
        }
    }
}
