//! Answers side by side: figures, what conversion rates are reckoned against, and the figures of the time before.

use std::collections::HashMap;

use serde_json::{Map, Value};
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::Totals;

use super::answer::Answered;
use super::metrics::{Figures, Metric, row};

/// What an aggregate is made of.
#[derive(Debug, Default)]
pub(super) struct Sums {
    totals: Totals,
    all_visitors: u64,
}

impl Sums {
    /// Of the answer to a question and, when it was asked, to the one a conversion rate is reckoned against.
    pub(super) fn of(answers: &[Answered]) -> Self {
        let totals = answers.first().map(|answered| answered.answer.total.clone()).unwrap_or_default();
        Self { totals, all_visitors: answers.get(1).map_or(0, |base| base.answer.total.visitors) }
    }

    pub(super) const fn figures(&self) -> Figures<'_> {
        Figures { totals: &self.totals, all_visitors: self.all_visitors }
    }
}

/// What a time series is made of: the same answers, by interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series<'a>(pub(super) &'a [Answered]);

impl<'a> Series<'a> {
    /// The figures of an interval.
    pub(super) fn at(self, place: usize) -> Option<Figures<'a>> {
        let of = |answered: &'a Answered| answered.answer.groups.get(place).map(|(_, totals)| totals);
        let all_visitors = self.0.get(1).and_then(of).map_or(0, |all| all.visitors);
        Some(Figures { totals: self.0.first().and_then(of)?, all_visitors })
    }
}

/// What a breakdown is made of: the same answers, by value.
#[derive(Debug)]
pub(super) struct Split<'a> {
    /// The values and their sums, in no order.
    pub(super) groups: &'a [(String, Totals)],
    /// Visitors of each value, when a conversion rate is asked for.
    base: HashMap<&'a str, u64>,
    /// All visitors, against whom goals are reckoned.
    everybody: Option<u64>,
}

impl<'a> Split<'a> {
    pub(super) fn of(answers: &'a [Answered], property: &Property) -> Self {
        let base = answers.get(1);
        let groups = base.map(|base| base.answer.groups.as_slice()).unwrap_or_default();
        Self {
            groups: answers.first().map(|first| first.answer.groups.as_slice()).unwrap_or_default(),
            base: groups.iter().map(|(name, totals)| (name.as_str(), totals.visitors)).collect(),
            everybody: (*property == Property::Goal).then(|| base.map_or(0, |base| base.answer.total.visitors)),
        }
    }

    /// Whom a value's conversion rate is reckoned against.
    pub(super) fn all_visitors(&self, name: &str) -> u64 {
        self.everybody.unwrap_or_else(|| self.base.get(name).copied().unwrap_or(0))
    }

    /// The sums by value.
    pub(super) fn by_name(&self) -> HashMap<&'a str, &'a Totals> {
        self.groups.iter().map(|(name, totals)| (name.as_str(), totals)).collect()
    }
}

/// The name under which a row has the figures of the time before.
pub(super) const COMPARISON: &str = "comparison";
/// What stands before a metric's name in the columns of a sheet.
const VALUE: &str = "comparison_";
const CHANGE: &str = "change_";

/// The figures of the time before, and under `change` how they changed since.
pub(super) fn beside(metrics: &[Metric], before: Figures<'_>, now: Figures<'_>) -> Map<String, Value> {
    let change = metrics.iter().map(|metric| (metric.name().to_owned(), metric.change(before, now)));
    let change = Value::Object(change.collect());
    let mut figures = row(metrics, before);
    figures.insert("change".into(), change);
    figures
}

/// The columns that a comparison adds to a sheet.
pub(super) fn columns(metrics: &[Metric]) -> impl Iterator<Item = String> {
    metrics.iter().flat_map(|metric| [VALUE, CHANGE].map(|kind| format!("{kind}{}", metric.name())))
}

/// A column of a row, also one of its comparison.
pub(super) fn cell<'r>(row: &'r Map<String, Value>, column: &str) -> Option<&'r Value> {
    row.get(column).or_else(|| {
        let before = row.get(COMPARISON)?;
        match column.strip_prefix(VALUE) {
            Some(metric) => before.get(metric),
            None => before.get("change")?.get(column.strip_prefix(CHANGE)?),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_comparison_is_nested_in_json_and_flat_in_a_sheet() {
        let metrics = [Metric::Visitors, Metric::ConversionRate];
        let (before, now) = (Totals { visitors: 4, ..Totals::default() }, Totals { visitors: 3, ..Totals::default() });
        let figures = |totals, all_visitors| Figures { totals, all_visitors };
        let beside = beside(&metrics, figures(&before, 8), figures(&now, 4));
        let expected =
            json!({"visitors": 4, "conversion_rate": 50.0, "change": {"visitors": -25, "conversion_rate": 50}});
        assert_eq!(Value::Object(beside.clone()), expected);
        let row = json!({"visitors": 3, "comparison": beside}).as_object().unwrap().clone();
        let columns: Vec<String> = columns(&metrics).collect();
        assert_eq!(
            columns,
            ["comparison_visitors", "change_visitors", "comparison_conversion_rate", "change_conversion_rate"]
        );
        let cells: Vec<_> = columns.iter().map(|column| cell(&row, column).unwrap().clone()).collect();
        assert_eq!(cells, [json!(4), json!(-25), json!(50.0), json!(50)]);
        assert_eq!(
            (cell(&row, "visitors"), cell(&row, "change_shoes"), cell(&row, "x")),
            (Some(&json!(3)), None, None)
        );
    }
}
