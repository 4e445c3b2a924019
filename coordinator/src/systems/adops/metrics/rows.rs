//! Reads the days of a body, and everything that is wrong with them. Numbers are read from their text, so that money is
//! exact, and without a tree of values between, so that a body of ten thousand days takes milliseconds.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::{Figures, MILLI};
use trafficlab_engine::ads::money::{AmountFault, Currency, fixed};
use trafficlab_shared::error::FieldFault;

use crate::systems::{Code, Fault, Outcome};

/// Days of one body.
const MOST_ROWS: usize = 10_000;
/// Mistakes that one answer names.
const MOST_FAULTS: usize = 1000;
/// Warnings of one answer.
const MOST_WARNINGS: usize = 100;
/// The members of a day, in the order of a row.
const COUNTS: [&str; 2] = ["impressions", "clicks"];
const MONEY: [&str; 2] = ["spend", "revenue"];
/// Members that answers show beside them.
const READ_ONLY: [&str; 7] = ["ctr", "cpc", "cpm", "cpa", "roas", "id", "synthetic"];

/// The members of a body or a day, by name.
pub(super) type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The days of a body.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) days: Vec<(Day, Figures)>,
    pub(super) warnings: Vec<String>,
}

/// Reads `data`. `last` is the last day that may have figures.
///
/// # Errors
/// 400 that names everything wrong in a row, 422 that names the days to come.
pub(super) fn read(body: &BTreeMap<String, Box<RawValue>>, currency: Currency, last: Day) -> Outcome<Rows> {
    let unknown = body.keys().filter(|key| *key != "data");
    let faults: Vec<FieldFault> = unknown.map(|key| FieldFault::new(key.clone(), "unknown field")).collect();
    if !faults.is_empty() {
        return Err(Fault::validation(faults));
    }
    let data = body.get("data").ok_or_else(|| Fault::field("data", "is needed"))?;
    let data = serde_json::from_str::<Vec<&RawValue>>(data.get()).ok().filter(|rows| rows.len() <= MOST_ROWS);
    let data = data.ok_or_else(|| Fault::field("data", format!("must be a list of at most {MOST_ROWS} days")))?;
    let mut reading = Reading { currency, faults: Vec::new(), rows: Rows::default(), seen: HashMap::new() };
    for (index, row) in data.into_iter().enumerate() {
        reading.row(index, row);
    }
    if !reading.faults.is_empty() {
        return Err(several(reading.faults));
    }
    let later = |(index, (day, _)): (usize, &(Day, Figures))| {
        (*day > last).then(|| FieldFault::new(format!("data[{index}].date"), format!("must not be after {last}")))
    };
    let to_come: Vec<FieldFault> = reading.rows.days.iter().enumerate().filter_map(later).collect();
    if to_come.is_empty() { Ok(reading.rows) } else { Err(Fault { code: Code::Unprocessable, ..several(to_come) }) }
}

/// A fault of many fields, of which an answer names so many.
fn several(mut faults: Vec<FieldFault>) -> Fault {
    let all = faults.len();
    faults.truncate(MOST_FAULTS);
    let shown = Fault::validation(faults);
    if all > MOST_FAULTS {
        Fault { message: format!("{all} fields are wrong, {MOST_FAULTS} are named"), ..shown }
    } else {
        shown
    }
}

struct Reading {
    currency: Currency,
    faults: Vec<FieldFault>,
    rows: Rows,
    /// The row of each day.
    seen: HashMap<Day, usize>,
}

impl Reading {
    fn row(&mut self, index: usize, row: &RawValue) {
        let Ok(members) = serde_json::from_str::<Members<'_>>(row.get()) else {
            self.faults.push(FieldFault::new(format!("data[{index}]"), "must be an object"));
            return;
        };
        let before = self.faults.len();
        let day = self.date(index, &members);
        let [impressions, clicks] = COUNTS.map(|name| self.value(index, &members, name, count));
        let conversions_milli = self.value(index, &members, "conversions", thousandths);
        let currency = self.currency;
        let [spend, revenue] = MONEY.map(|name| self.value(index, &members, name, |text| money(currency, text)));
        for name in members.keys() {
            let known = COUNTS.iter().chain(&MONEY).chain(&READ_ONLY).chain(&["date", "conversions"]);
            if !known.into_iter().any(|known| known == name) {
                self.faults.push(FieldFault::new(format!("data[{index}].{name}"), "unknown field"));
            }
        }
        let Some(day) = day.filter(|_| self.faults.len() == before) else { return };
        if clicks > impressions && self.rows.warnings.len() < MOST_WARNINGS {
            self.rows.warnings.push(format!("data[{index}]: there are more clicks than impressions"));
        }
        self.rows.days.push((day, Figures { impressions, clicks, conversions_milli, spend, revenue }));
    }

    fn date(&mut self, index: usize, members: &Members<'_>) -> Option<Day> {
        let Some(value) = members.get("date") else {
            self.faults.push(FieldFault::new(format!("data[{index}].date"), "is needed"));
            return None;
        };
        let text = serde_json::from_str::<Cow<'_, str>>(value.get()).ok();
        let Some(day) = text.and_then(|text| Day::parse(&text)) else {
            self.faults.push(FieldFault::new(format!("data[{index}].date"), "must be a date such as 2024-12-31"));
            return None;
        };
        if let Some(first) = self.seen.insert(day, index) {
            let message = format!("is the same day as data[{first}]");
            self.faults.push(FieldFault::new(format!("data[{index}].date"), message));
        }
        Some(day)
    }

    /// A number by its text; 0 and a fault when it is wrong.
    fn value(
        &mut self,
        index: usize,
        members: &Members<'_>,
        name: &str,
        read: impl Fn(&str) -> Result<u64, &'static str>,
    ) -> u64 {
        let value = members.get(name).map(|value| value.get());
        let read = match value {
            None | Some("null") => Err("is needed"),
            Some(text) if text.starts_with(['"', '{', '[', 't', 'f']) => Err("must be a number"),
            Some(text) => read(text),
        };
        read.unwrap_or_else(|message| {
            self.faults.push(FieldFault::new(format!("data[{index}].{name}"), message));
            0
        })
    }
}

fn worded(fault: AmountFault) -> &'static str {
    match fault {
        AmountFault::NotANumber => "must be a number",
        AmountFault::Negative => "must not be negative",
        AmountFault::TooLarge => "is too large",
    }
}

/// A whole number; `5e3` and `5000.0` are ones.
fn count(text: &str) -> Result<u64, &'static str> {
    let milli = thousandths(text)?;
    // A number below a thousandth would have been rounded to none.
    let whole = milli.is_multiple_of(MILLI) && (milli > 0 || fixed(text, 9) == Ok(0));
    if whole { Ok(milli / MILLI) } else { Err("must be a whole number") }
}

fn thousandths(text: &str) -> Result<u64, &'static str> {
    fixed(text, 3).map_err(worded)
}

fn money(currency: Currency, text: &str) -> Result<u64, &'static str> {
    currency.minor(text).map_err(worded)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn rows(data: &str) -> Outcome<Rows> {
        let body = serde_json::from_str(&format!("{{\"data\":{data}}}")).unwrap();
        read(&body, Currency::USD, Day::parse("2024-12-31").unwrap())
    }

    fn row(date: &str, rest: &str) -> String {
        let usual = r#""impressions":5000,"clicks":180,"conversions":7,"spend":125.50,"revenue":385"#;
        format!(r#"{{"date":"{date}",{}}}"#, if rest.is_empty() { usual } else { rest })
    }

    /// Paths and messages of a refusal.
    fn wrong(data: &str) -> (Code, Vec<(String, String)>) {
        let fault = rows(data).unwrap_err();
        (fault.code, fault.details.into_iter().map(|detail| (detail.field, detail.message)).collect())
    }

    #[test]
    fn money_is_read_from_its_text() {
        let text = r#""impressions":5e3,"clicks":1.80e2,"conversions":6.5,"spend":0.1,"revenue":0.30000000000000004"#;
        let read = rows(&format!("[{}]", row("2024-12-19", text))).unwrap();
        let figures = Figures { impressions: 5000, clicks: 180, conversions_milli: 6500, spend: 10, revenue: 30 };
        assert_eq!(read.days, [(Day::parse("2024-12-19").unwrap(), figures)]);
        assert!(read.warnings.is_empty() && rows("[]").unwrap().days.is_empty());
    }

    #[test]
    fn everything_wrong_is_named_with_its_row() {
        let bad = r#""impressions":-1,"clicks":1.5,"conversions":"7","spend":1e309,"revenue":null,"extra":1"#;
        let data = format!("[{},{},7,{{}}]", row("2024-12-19", ""), row("2024-02-30", bad));
        let (code, faults) = wrong(&data);
        assert_eq!(code, Code::Validation);
        let of = |path: &str| faults.iter().find(|(field, _)| field == path).map(|(_, message)| message.as_str());
        assert_eq!(of("data[1].date"), Some("must be a date such as 2024-12-31"));
        assert_eq!(of("data[1].impressions"), Some("must not be negative"));
        assert_eq!(of("data[1].clicks"), Some("must be a whole number"));
        assert_eq!(of("data[1].conversions"), Some("must be a number"));
        assert_eq!(of("data[1].spend"), Some("is too large"));
        assert_eq!(of("data[1].revenue"), Some("is needed"));
        assert_eq!(of("data[1].extra"), Some("unknown field"));
        assert_eq!(of("data[2]"), Some("must be an object"));
        assert_eq!(of("data[3].date"), Some("is needed"));
        assert_eq!(of("data[0].date"), None);
    }

    #[test]
    fn a_day_comes_once_and_not_before_its_time() {
        let twice = format!("[{},{},{}]", row("2024-12-19", ""), row("2024-12-20", ""), row("2024-12-19", ""));
        let named = vec![("data[2].date".to_owned(), "is the same day as data[0]".to_owned())];
        assert_eq!(wrong(&twice), (Code::Validation, named));
        let later = format!("[{},{}]", row("2024-12-31", ""), row("2025-01-01", ""));
        let named = vec![("data[1].date".to_owned(), "must not be after 2024-12-31".to_owned())];
        assert_eq!(wrong(&later), (Code::Unprocessable, named));
    }

    #[test]
    fn a_body_has_data_and_nothing_else() {
        let read_text = |text: &str| {
            let fault = read(&serde_json::from_str(text).unwrap(), Currency::USD, Day(0)).unwrap_err();
            (fault.code, fault.details.into_iter().map(|detail| detail.field).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(read_text("{}"), (Code::Validation, "data".into()));
        assert_eq!(read_text(r#"{"data":{}}"#), (Code::Validation, "data".into()));
        assert_eq!(read_text(r#"{"data":[],"rows":[]}"#), (Code::Validation, "rows".into()));
        let many = format!("[{}]", vec!["{}"; MOST_ROWS + 1].join(","));
        assert_eq!(wrong(&many).1.first().unwrap().0, "data");
        let all = format!("[{}]", vec!["{}"; MOST_ROWS].join(","));
        let fault = rows(&all).unwrap_err();
        assert_eq!((fault.details.len(), fault.message.as_str()), (1000, "60000 fields are wrong, 1000 are named"));
    }

    #[test]
    fn odd_figures_are_taken_with_a_warning() {
        let text = r#""impressions":1,"clicks":2,"conversions":0.0004,"spend":0,"revenue":-0.0,"ctr":200"#;
        let read = rows(&format!("[{}]", row("2024-12-19", text))).unwrap();
        assert_eq!(read.warnings, ["data[0]: there are more clicks than impressions"]);
        assert_eq!(read.days.first().unwrap().1.conversions_milli, 0);
        assert!(
            rows(&format!("[{}]", row("2024-12-19", &text.replace(r#""clicks":2"#, r#""clicks":0.0001"#)))).is_err()
        );
    }
}
