//! Figures as callers see them. Only the figures that were asked for are there.

use poem_openapi::Object;

/// A sum of money
#[derive(Debug, Object)]
pub struct Money {
    /// The sum; null when there are several currencies
    value: Option<f64>,
    /// ISO 4217; null without revenue
    currency: Option<String>,
    /// Each currency, when there are several
    by_currency: Option<Vec<Self>>,
}

/// A figure, and how it changed
#[derive(Debug, Object)]
pub struct Figure {
    /// The figure; an object with `value` and `currency` for revenue
    value: Option<f64>,
    /// Percent since the time it is compared with, points for `bounce_rate`; with `compare` only
    change: Option<i64>,
    /// The figure of the time it is compared with; with `compare` only
    comparison_value: Option<f64>,
}

/// Figures in all, by metric
#[derive(Debug, Object)]
pub struct AggregateResults {
    /// Distinct visitors
    visitors: Option<Figure>,
    /// Sessions
    visits: Option<Figure>,
    /// Page views
    pageviews: Option<Figure>,
    /// Page views by session
    views_per_visit: Option<Figure>,
    /// Percentage of sessions of one page view and nothing else
    bounce_rate: Option<Figure>,
    /// Mean length of a session in seconds
    visit_duration: Option<Figure>,
    /// Page views and custom events
    events: Option<Figure>,
    /// Percentage of visitors that reached the goal
    conversion_rate: Option<Figure>,
    /// Sum of revenue; its `value` is an object
    total_revenue: Option<Figure>,
    /// Revenue by event; its `value` is an object
    average_revenue: Option<Figure>,
}

/// What did not count
#[derive(Debug, Object)]
pub struct LeftOutView {
    /// Events of bots
    bots: u64,
    /// Events of this server's own campaigns
    synthetic: u64,
    /// Events with a mark that no campaign explains
    unverified: u64,
}

/// A stretch of time
#[derive(Debug, Object)]
pub struct Span {
    /// The first moment, RFC 3339 in UTC
    from: String,
    /// The first moment behind it
    to: String,
}

/// What the question was understood as
#[derive(Debug, Object)]
pub struct Meta {
    /// The site
    site_id: String,
    /// The first moment, RFC 3339 in UTC
    from: String,
    /// The first moment behind it
    to: String,
    /// With what time the figures are compared; with `compare` only
    compared_with: Option<Span>,
    /// The zone that days begin in
    timezone: String,
    /// Events in this time that were left out
    left_out: LeftOutView,
    /// Whether imported figures are among these
    imported: bool,
    /// As of when
    as_of: String,
}

/// Figures in all
#[derive(Debug, Object)]
pub struct Aggregate {
    /// By metric
    results: AggregateResults,
    /// What the question was understood as
    meta: Meta,
}

/// Figures of an interval or a value; those of the metrics that were asked for
#[derive(Debug, Object)]
pub struct Row {
    /// In time series: the interval, `2026-01-31` or `2026-01-31 23:00:00` in the zone
    date: Option<String>,
    /// In time series: its first moment, RFC 3339 in UTC
    starts_at: Option<String>,
    /// Distinct visitors
    visitors: Option<u64>,
    /// Sessions
    visits: Option<u64>,
    /// Page views
    pageviews: Option<u64>,
    /// Page views by session
    views_per_visit: Option<f64>,
    /// Percentage of sessions of one page view and nothing else
    bounce_rate: Option<u64>,
    /// Mean length of a session in seconds
    visit_duration: Option<u64>,
    /// Page views and custom events
    events: Option<u64>,
    /// Percentage of visitors that reached the goal
    conversion_rate: Option<f64>,
    /// Sum of revenue
    total_revenue: Option<Money>,
    /// Revenue by event
    average_revenue: Option<Money>,
    /// The same figures of the time before, those of `change` in percent; with `compare` only. Null for an interval that
    /// has none before it. In CSV they are the columns `comparison_visitors`, `change_visitors` and so on
    comparison: Option<RowBefore>,
}

/// How figures changed, by metric: in percent, the bounce rate in points
#[derive(Debug, Object)]
pub struct Changes {
    /// Distinct visitors
    visitors: Option<i64>,
    /// Sessions
    visits: Option<i64>,
    /// Page views
    pageviews: Option<i64>,
    /// Page views by session
    views_per_visit: Option<i64>,
    /// Points
    bounce_rate: Option<i64>,
    /// Mean length of a session
    visit_duration: Option<i64>,
    /// Page views and custom events
    events: Option<i64>,
    /// Percentage of visitors that reached the goal
    conversion_rate: Option<i64>,
    /// Sum of revenue
    total_revenue: Option<i64>,
    /// Revenue by event
    average_revenue: Option<i64>,
}

/// Figures of the time before: the metrics of the row, and how they changed
#[derive(Debug, Object)]
pub struct RowBefore {
    /// In time series: the interval before
    date: Option<String>,
    /// In time series: its first moment, RFC 3339 in UTC
    starts_at: Option<String>,
    /// Distinct visitors
    visitors: Option<u64>,
    /// Sessions
    visits: Option<u64>,
    /// Page views
    pageviews: Option<u64>,
    /// Page views by session
    views_per_visit: Option<f64>,
    /// Percentage of sessions of one page view and nothing else
    bounce_rate: Option<u64>,
    /// Mean length of a session in seconds
    visit_duration: Option<u64>,
    /// Page views and custom events
    events: Option<u64>,
    /// Percentage of visitors that reached the goal
    conversion_rate: Option<f64>,
    /// Sum of revenue
    total_revenue: Option<Money>,
    /// Revenue by event
    average_revenue: Option<Money>,
    /// How they changed since
    change: Changes,
}

/// Figures by interval or by value; a value stands under the property's own name, such as `page` for `event:page`
#[derive(Debug, Object)]
pub struct Rows {
    /// The rows
    results: Vec<Row>,
    /// What the question was understood as
    meta: Meta,
}

/// Figures of the last five minutes
#[derive(Debug, Object)]
pub struct Current {
    /// Distinct visitors
    visitors: u64,
    /// Sessions
    visits: u64,
    /// Page views
    pageviews: u64,
    /// Page views and custom events
    events: u64,
}

/// A row of a realtime list; the value stands under `page`, `source` or `country`
#[derive(Debug, Object)]
pub struct CurrentRow {
    /// Path
    page: Option<String>,
    /// Source
    source: Option<String>,
    /// ISO 3166-1 code
    country: Option<String>,
    /// Distinct visitors
    visitors: u64,
    /// Page views
    pageviews: u64,
}

/// What happens right now
#[derive(Debug, Object)]
pub struct Realtime {
    /// The last five minutes
    results: Current,
    /// Visitors of the last 30 minutes, the oldest minute first
    by_minute: Vec<u64>,
    /// Page views of the last 30 minutes
    pageviews_by_minute: Vec<u64>,
    /// The most visited pages of these minutes
    pages: Vec<CurrentRow>,
    /// Where visitors came from
    sources: Vec<CurrentRow>,
    /// Their countries
    countries: Vec<CurrentRow>,
    /// What the question was understood as
    meta: Meta,
}
