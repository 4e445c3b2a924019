//! The figures one can ask for, with Plausible's names and rounding.

use serde_json::{Map, Value, json};
use trafficlab_engine::visit::question::Totals;

use super::wrong;
use crate::systems::Outcome;
use crate::systems::time::{float, whole};

/// A figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Distinct visitors.
    Visitors,
    /// Sessions.
    Visits,
    /// Page views.
    Pageviews,
    /// Page views by session, two decimals.
    ViewsPerVisit,
    /// Percentage of sessions with one page view and nothing else.
    BounceRate,
    /// Mean length of a session in seconds.
    VisitDuration,
    /// Page views and custom events.
    Events,
    /// Percentage of visitors that reached the goal, one decimal.
    ConversionRate,
    /// Sum of revenue.
    TotalRevenue,
    /// Revenue by event.
    AverageRevenue,
}

const NAMES: [(&str, Metric); 10] = [
    ("visitors", Metric::Visitors),
    ("visits", Metric::Visits),
    ("pageviews", Metric::Pageviews),
    ("views_per_visit", Metric::ViewsPerVisit),
    ("bounce_rate", Metric::BounceRate),
    ("visit_duration", Metric::VisitDuration),
    ("events", Metric::Events),
    ("conversion_rate", Metric::ConversionRate),
    ("total_revenue", Metric::TotalRevenue),
    ("average_revenue", Metric::AverageRevenue),
];

/// A group's sums, and the visitors that a conversion rate is reckoned against.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'a> {
    /// Sums.
    pub totals: &'a Totals,
    /// Visitors of the same group whether or not they reached a goal.
    pub all_visitors: u64,
}

impl Metric {
    /// The metric of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, metric)| *metric)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| *name)
    }

    /// Reads the parameter; visitors when nothing is asked.
    ///
    /// # Errors
    /// 422 for unknown or repeated names.
    pub fn read(text: Option<&str>) -> Outcome<Vec<Self>> {
        let text = text.filter(|text| !text.trim().is_empty()).unwrap_or("visitors");
        let mut metrics = Vec::new();
        for name in text.split(',').map(str::trim) {
            let metric = Self::parse(name).ok_or_else(|| {
                let names = NAMES.map(|(name, _)| name).join(", ");
                let name: String = name.chars().take(50).collect();
                wrong("metrics", format!("`{}` is no metric; there are {names}", name.escape_debug()))
            })?;
            if metrics.contains(&metric) {
                return Err(wrong("metrics", format!("asks for `{name}` twice")));
            }
            metrics.push(metric);
        }
        Ok(metrics)
    }

    /// The figure as it is shown; null for a ratio whose divisor is 0.
    #[must_use]
    pub fn value(self, of: Figures<'_>) -> Value {
        if matches!(self, Self::TotalRevenue | Self::AverageRevenue) {
            return self.revenue(of.totals);
        }
        match (self, self.number(of)) {
            (_, None) => Value::Null,
            (Self::ViewsPerVisit, Some(number)) => json!((number * 100.0).round() / 100.0),
            (Self::ConversionRate, Some(number)) => json!((number * 10.0).round() / 10.0),
            (_, Some(number)) => json!(whole(number)),
        }
    }

    /// The figure to reckon and sort with.
    #[must_use]
    pub fn number(self, of: Figures<'_>) -> Option<f64> {
        let totals = of.totals;
        let ratio = |part: f64, count: u64| (count > 0).then(|| part / float(count));
        match self {
            Self::Visitors => Some(float(totals.visitors)),
            Self::Visits => Some(float(totals.visits)),
            Self::Pageviews => Some(float(totals.pageviews)),
            Self::Events => Some(float(totals.events)),
            Self::ViewsPerVisit => ratio(float(totals.pageviews), totals.visits),
            Self::BounceRate => ratio(100.0 * float(totals.bounces), totals.visits),
            Self::VisitDuration => ratio(float(totals.duration_ms) / 1000.0, totals.visits),
            Self::ConversionRate => ratio(100.0 * float(totals.visitors), of.all_visitors),
            Self::TotalRevenue => Some(revenue(totals)),
            Self::AverageRevenue => ratio(revenue(totals), totals.events),
        }
    }

    /// Revenue with its currency. Sums in several currencies cannot be added up, so they stand side by side.
    fn revenue(self, totals: &Totals) -> Value {
        let amount = |micros: i64| match self {
            Self::AverageRevenue if totals.events == 0 => Value::Null,
            Self::AverageRevenue => json!(cents(units(micros) / float(totals.events))),
            _ => json!(cents(units(micros))),
        };
        match totals.revenue_micros.as_slice() {
            [] => json!({"value": amount(0), "currency": null}),
            [(currency, micros)] => json!({"value": amount(*micros), "currency": currency}),
            several => {
                let each =
                    several.iter().map(|(currency, micros)| json!({"value": amount(*micros), "currency": currency}));
                json!({"value": null, "currency": null, "by_currency": each.collect::<Vec<_>>()})
            }
        }
    }

    /// How a figure changed: in percent, the bounce rate in points; null when that cannot be said.
    #[must_use]
    pub fn change(self, before: Figures<'_>, now: Figures<'_>) -> Value {
        let (Some(before), Some(now)) = (self.number(before), self.number(now)) else { return Value::Null };
        if self == Self::BounceRate {
            return json!(rounded(now.round() - before.round()));
        }
        if before > 0.0 {
            return json!(rounded((now - before) / before * 100.0));
        }
        json!(if now > 0.0 { 100 } else { 0 })
    }
}

/// The figures of `metrics` by their names.
#[must_use]
pub fn row(metrics: &[Metric], of: Figures<'_>) -> Map<String, Value> {
    metrics.iter().map(|metric| (metric.name().to_owned(), metric.value(of))).collect()
}

fn revenue(totals: &Totals) -> f64 {
    totals.revenue_micros.iter().map(|(_, micros)| units(*micros)).sum()
}

#[allow(clippy::cast_precision_loss, reason = "sums of money are shown with two decimals")]
fn units(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

fn rounded(value: f64) -> i64 {
    let bounded = value.round().clamp(-1e15, 1e15);
    #[allow(clippy::cast_possible_truncation, reason = "within the range by the clamp")]
    let whole = bounded as i64;
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn totals() -> Totals {
        Totals {
            visitors: 3,
            visits: 7,
            pageviews: 16,
            events: 20,
            bounces: 2,
            duration_ms: 100_499,
            revenue_micros: vec![("EUR".into(), 12_345_678)],
        }
    }

    #[test]
    fn figures_are_rounded_as_plausible_rounds_them() {
        let totals = totals();
        let of = Figures { totals: &totals, all_visitors: 7 };
        let all: Vec<Metric> = NAMES.map(|(_, metric)| metric).to_vec();
        let expected = json!({
            "visitors": 3, "visits": 7, "pageviews": 16, "views_per_visit": 2.29, "bounce_rate": 29, "visit_duration": 14,
            "events": 20, "conversion_rate": 42.9, "total_revenue": {"value": 12.35, "currency": "EUR"},
            "average_revenue": {"value": 0.62, "currency": "EUR"},
        });
        assert_eq!(Value::Object(row(&all, of)), expected);
        let none = Totals::default();
        let none = Figures { totals: &none, all_visitors: 0 };
        assert_eq!(Metric::BounceRate.value(none), Value::Null);
        assert_eq!(Metric::TotalRevenue.value(none), json!({"value": 0.0, "currency": null}));
        let mixed = Totals { revenue_micros: vec![("EUR".into(), 1_000_000), ("USD".into(), 5)], ..Totals::default() };
        let shown = Metric::TotalRevenue.value(Figures { totals: &mixed, all_visitors: 0 });
        assert_eq!((&shown["value"], &shown["by_currency"][0]["value"]), (&Value::Null, &json!(1.0)));
    }

    #[test]
    fn changes_are_percent_and_points() {
        let (now, before) = (totals(), Totals { visitors: 4, visits: 10, bounces: 5, ..Totals::default() });
        let (now, before) = (Figures { totals: &now, all_visitors: 0 }, Figures { totals: &before, all_visitors: 0 });
        assert_eq!(Metric::Visitors.change(before, now), -25);
        assert_eq!(Metric::BounceRate.change(before, now), 29 - 50);
        assert_eq!(Metric::Pageviews.change(before, now), 100);
        assert_eq!(Metric::ConversionRate.change(before, now), Value::Null);
        let none = Totals::default();
        let none = Figures { totals: &none, all_visitors: 0 };
        assert_eq!(Metric::Visitors.change(none, none), 0);
    }

    #[test]
    fn names_are_read_once_each() {
        assert_eq!(Metric::read(Some("visits, events")).unwrap(), [Metric::Visits, Metric::Events]);
        assert_eq!(Metric::read(None).unwrap(), [Metric::Visitors]);
        for text in ["visits,visits", "shoes", "visits,"] {
            assert_eq!(Metric::read(Some(text)).unwrap_err().details[0].field, "metrics");
        }
    }
}
