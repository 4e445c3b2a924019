//! Which campaigns a list, a bulk change, an export or a saved view is about.

use serde_json::{Map, Value};
use trafficlab_engine::ads::day::Day;
use trafficlab_shared::error::FieldFault;

use crate::adops::book::Entry;
use crate::adops::campaign::{Platform, Status};
use crate::systems::{Code, Fault, Outcome};

/// The names of the conditions, the same in a query and in a body.
pub const CONDITIONS: [&str; 6] = ["platform", "status", "search", "date_from", "date_to", "label"];
/// Words of one condition.
const MOST: usize = 50;
/// Letters of one word.
const LONGEST: usize = 200;

/// Conditions that a campaign has to meet, all of them. Of several words of one condition one has to fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    platforms: Vec<Platform>,
    statuses: Vec<Status>,
    /// In lower case.
    search: Option<String>,
    /// It starts on or after this day.
    from: Option<Day>,
    /// It ends on or before this day.
    to: Option<Day>,
    labels: Vec<String>,
}

impl Filter {
    /// Reads conditions as they stand in a query, where commas part platforms and statuses.
    ///
    /// # Errors
    /// 400 that names each wrong condition, 422 when `date_from` is after `date_to`.
    pub fn of_query<'a>(conditions: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Outcome<Self> {
        let (mut filter, mut faults) = (Self::default(), Vec::new());
        for (name, text) in conditions {
            let several = matches!(name, "platform" | "status");
            let words = text.into_iter().flat_map(|text| if several { text.split(',').collect() } else { vec![text] });
            for word in words {
                filter.add(name, word, name, &mut faults);
            }
        }
        filter.checked(faults)
    }

    /// Reads conditions as they stand in a body: a text, or a list of texts. `path` is the object's own path.
    ///
    /// # Errors
    /// As `of_query`; 400 also for members that are no condition.
    pub fn of_json(map: &Map<String, Value>, path: &str) -> Outcome<Self> {
        let (mut filter, mut faults) = (Self::default(), Vec::new());
        for (name, value) in map {
            let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if !CONDITIONS.contains(&name.as_str()) {
                faults.push(FieldFault::new(field, "unknown field"));
                continue;
            }
            match words(value) {
                Some(words) => words.iter().for_each(|word| filter.add(name, word, &field, &mut faults)),
                None => {
                    faults.push(FieldFault::new(field, format!("must be a text or a list of at most {MOST} texts")))
                }
            }
        }
        filter.checked(faults)
    }

    fn add(&mut self, name: &str, word: &str, field: &str, faults: &mut Vec<FieldFault>) {
        if let Err(message) = self.set(name, word) {
            faults.push(FieldFault::new(field, message));
        }
    }

    fn set(&mut self, name: &str, word: &str) -> Result<(), String> {
        if word.chars().count() > LONGEST {
            return Err(format!("must have at most {LONGEST} letters"));
        }
        let day = || Day::parse(word).ok_or_else(|| "must be a date such as 2024-06-01".to_owned()).map(Some);
        match name {
            "platform" => {
                self.platforms.push(Platform::parse(word).ok_or_else(|| one_of(Platform::ALL, Platform::as_str))?)
            }
            "status" => self.statuses.push(Status::parse(word).ok_or_else(|| one_of(Status::ALL, Status::as_str))?),
            "search" => self.search = Some(word.trim().to_lowercase()).filter(|search| !search.is_empty()),
            "date_from" => self.from = day()?,
            "date_to" => self.to = day()?,
            _ => self.labels.push(word.trim().to_owned()),
        }
        Ok(())
    }

    fn checked(self, faults: Vec<FieldFault>) -> Outcome<Self> {
        if !faults.is_empty() {
            return Err(Fault::validation(faults));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            let fault = Fault::new(Code::Unprocessable, "`date_from` is after `date_to`");
            return Err(fault.detail("date_from", "must not be after `date_to`"));
        }
        Ok(self)
    }

    /// Whether a campaign meets all conditions.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        let campaign = &entry.campaign;
        (self.platforms.is_empty() || self.platforms.contains(&campaign.platform))
            && (self.statuses.is_empty() || self.statuses.contains(&campaign.status))
            && self.from.is_none_or(|from| campaign.start.is_some_and(|start| start >= from))
            && self.to.is_none_or(|to| campaign.end.is_some_and(|end| end <= to))
            && (self.labels.is_empty() || campaign.labels.iter().any(|label| self.labels.contains(label)))
            && self.search.as_ref().is_none_or(|search| entry.folded.contains(search.as_str()))
    }
}

/// Whether a campaign meets the conditions.
#[must_use]
pub fn matches(filter: &Filter, entry: &Entry) -> bool {
    filter.matches(entry)
}

fn words(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(word) => Some(vec![word]),
        Value::Array(words) if words.len() <= MOST => words.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A message that lists what there is.
pub(crate) fn one_of<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> String {
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    format!("must be one of {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::super::samples::{entry, sample};
    use super::*;
    use serde_json::json;

    fn query(conditions: &[(&str, &str)]) -> Outcome<Filter> {
        Filter::of_query(conditions.iter().map(|(name, text)| (*name, Some(*text))))
    }

    #[test]
    fn every_condition_counts() {
        let mut campaign = sample(1, "Ärzte Sommer 2024");
        campaign.start = Day::parse("2024-06-01");
        campaign.end = Day::parse("2024-08-31");
        campaign.labels = vec!["summer".into(), "sale".into()];
        let entry = entry(campaign);
        let fits = |conditions: &[(&str, &str)]| query(conditions).unwrap().matches(&entry);
        for yes in [
            &[][..],
            &[("platform", "google,meta"), ("status", "draft")],
            &[("search", " ÄRZTE")],
            &[("date_from", "2024-06-01"), ("date_to", "2024-08-31")],
            &[("label", "sale")],
        ] {
            assert!(fits(yes), "{yes:?}");
        }
        for no in [
            &[("platform", "google")][..],
            &[("status", "archived")],
            &[("search", "winter")],
            &[("date_from", "2024-06-02")],
            &[("date_to", "2024-08-30")],
            &[("label", "sal")],
            &[("platform", "meta"), ("search", "sommer"), ("label", "x")],
        ] {
            assert!(!fits(no), "{no:?}");
        }
        let without_dates = super::super::samples::entry(sample(2, "x"));
        assert!(!query(&[("date_from", "1970-01-01")]).unwrap().matches(&without_dates));
    }

    // checklist 45
    #[test]
    fn wrong_conditions_are_named() {
        let fault = query(&[("platform", "myspace"), ("status", "active,"), ("date_from", "2024-02-30")]).unwrap_err();
        let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!((fault.code, fields), (Code::Validation, vec!["platform", "status", "date_from"]));
        let fault = query(&[("date_from", "2024-06-02"), ("date_to", "2024-06-01")]).unwrap_err();
        assert_eq!((fault.code, fault.details[0].field.as_str()), (Code::Unprocessable, "date_from"));
    }

    #[test]
    fn a_body_says_the_same() {
        let read = |value: Value| Filter::of_json(value.as_object().unwrap(), "filter");
        let body =
            read(json!({"platform": ["meta", "google"], "search": "X", "label": "a,b", "status": null})).unwrap();
        assert_eq!(body, query(&[("platform", "meta,google"), ("search", "x"), ("label", "a,b")]).unwrap());
        let fault = read(json!({"page": 1, "label": [1], "search": {}})).unwrap_err();
        let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!(fields, ["filter.label", "filter.page", "filter.search"]);
    }
}
