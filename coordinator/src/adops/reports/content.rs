//! What a report says: key figures with their change, platforms, the campaigns that spent most. Each currency apart, so
//! nothing depends on rates.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use trafficlab_engine::ads::compare::Changes;
use trafficlab_engine::ads::day::Days;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::kpi::{CAMPAIGN_DECIMALS, Ratios, conversions};
use trafficlab_engine::ads::money::Currency;

use super::{Report, table};
use crate::adops::book::Entry;
use crate::adops::campaign::Platform;
use crate::adops::mail::Attachment;
use crate::adops::tenant::Tenant;

/// Campaigns in the text.
const TOP: usize = 10;
/// Campaigns in the file, those that spent most.
const MOST_ROWS: usize = 1000;

/// A report's words, the same for all of its recipients.
pub(super) struct Content {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) file: Attachment,
}

struct Row {
    entry: Arc<Entry>,
    now: Figures,
    before: Option<Figures>,
}

/// Puts a report together that is due at `due_ns`.
pub(super) fn content(report: &Report, tenant: &Tenant, entries: Vec<Arc<Entry>>, due_ns: u64) -> Content {
    let days = report.period.days(tenant.day_at(due_ns));
    let earlier = report.earlier().map(|earlier| earlier.of(days));
    let mut currencies: BTreeMap<Currency, Vec<Row>> = BTreeMap::new();
    for entry in entries {
        if report.platform.is_some_and(|platform| platform != entry.campaign.platform) {
            continue;
        }
        let (now, before) = (entry.real.sum(days), earlier.map(|days| entry.real.sum(days)));
        if now != Figures::default() || before.is_some_and(|before| before != Figures::default()) {
            currencies.entry(entry.campaign.currency).or_default().push(Row { entry, now, before });
        }
    }
    for rows in currencies.values_mut() {
        rows.sort_by_key(|row| (std::cmp::Reverse(row.now.spend), row.entry.campaign.id));
    }
    let platform = report.platform.map_or("all platforms", Platform::as_str);
    let mut text = format!(
        "{} for {}\n{} to {} ({}), {platform}\n",
        report.name, tenant.name, days.first, days.last, tenant.timezone
    );
    if let Some(Days { first, last }) = earlier {
        put(&mut text, format_args!("Compared with {first} to {last}\n"));
    }
    if currencies.is_empty() {
        text.push_str("\nThere are no figures for these days.\n");
    }
    for (currency, rows) in &currencies {
        put(&mut text, format_args!("\n{}\n{}", currency.code(), figures(*currency, rows)));
    }
    let name = format!("report-{}-{}.csv", days.first, days.last);
    let file = Attachment { name, content_type: "text/csv; charset=utf-8".to_owned(), bytes: file(&currencies) };
    Content { subject: format!("{}: {} to {}", report.name, days.first, days.last), text, file }
}

/// Writing to a text cannot fail.
fn put(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).unwrap_or_default();
}

/// One currency's part of the text.
fn figures(currency: Currency, rows: &[Row]) -> String {
    let now: Figures = rows.iter().map(|row| row.now).sum();
    let before = rows.iter().any(|row| row.before.is_some());
    let before = before.then(|| rows.iter().filter_map(|row| row.before).sum());
    let mut platforms: BTreeMap<&str, Figures> = BTreeMap::new();
    for row in rows {
        *platforms.entry(row.entry.campaign.platform.as_str()).or_default() += row.now;
    }
    let by_platform = platforms.into_iter().map(|(platform, figures)| short(platform, currency, &figures));
    let top = rows.iter().take(TOP).map(|row| short(&row.entry.campaign.name, currency, &row.now));
    format!(
        "{}\nBy platform\n{}\nCampaigns that spent most\n{}",
        table::text(&key_figures(currency, &now, before.as_ref())),
        table::text(&headed("platform", by_platform)),
        table::text(&headed("campaign", top)),
    )
}

fn key_figures(currency: Currency, now: &Figures, before: Option<&Figures>) -> Vec<Vec<String>> {
    let ratios = Ratios::of(now, currency, CAMPAIGN_DECIMALS);
    let changes = before.map(|before| Changes::of(now, before));
    let line = |name: &str, value: String, change: fn(&Changes) -> Option<f64>| {
        let mut row = vec![name.to_owned(), value];
        if let Some(changes) = &changes {
            row.push(change(changes).map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.1} %")));
        }
        row
    };
    vec![
        line("Spend", currency.text(now.spend), |changes| changes.spend),
        line("Revenue", currency.text(now.revenue), |changes| changes.revenue),
        line("ROAS", shown(ratios.roas), |changes| changes.roas),
        line("Impressions", now.impressions.to_string(), |changes| changes.impressions),
        line("Clicks", now.clicks.to_string(), |changes| changes.clicks),
        line("Conversions", conversions(now.conversions_milli).to_string(), |changes| changes.conversions),
        line("CTR %", shown(ratios.ctr), |changes| changes.ctr),
        line("CPC", shown(ratios.cpc), |changes| changes.cpc),
        line("CPA", shown(ratios.cpa), |changes| changes.cpa),
    ]
}

fn headed(first: &str, rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let heads = [first, "spend", "revenue", "ROAS", "conversions"].map(str::to_owned).to_vec();
    std::iter::once(heads).chain(rows).collect()
}

fn short(name: &str, currency: Currency, figures: &Figures) -> Vec<String> {
    let name: String = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(60).collect();
    let ratios = Ratios::of(figures, currency, CAMPAIGN_DECIMALS);
    let conversions = conversions(figures.conversions_milli).to_string();
    vec![name, currency.text(figures.spend), currency.text(figures.revenue), shown(ratios.roas), conversions]
}

fn shown(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

fn file(currencies: &BTreeMap<Currency, Vec<Row>>) -> Vec<u8> {
    let heads = [
        "campaign_id",
        "name",
        "platform",
        "currency",
        "spend",
        "revenue",
        "impressions",
        "clicks",
        "conversions",
        "ctr",
        "cpc",
        "cpm",
        "cpa",
        "roas",
    ];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for (currency, campaigns) in currencies {
        rows.extend(campaigns.iter().take(MOST_ROWS).map(|row| cells(*currency, row)));
    }
    table::csv(&rows)
}

fn cells(currency: Currency, row: &Row) -> Vec<String> {
    let (campaign, now) = (&row.entry.campaign, &row.now);
    let ratios = Ratios::of(now, currency, CAMPAIGN_DECIMALS);
    let ratio = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    vec![
        campaign.id.to_string(),
        campaign.name.clone(),
        campaign.platform.as_str().to_owned(),
        currency.code().to_owned(),
        currency.text(now.spend),
        currency.text(now.revenue),
        now.impressions.to_string(),
        now.clicks.to_string(),
        conversions(now.conversions_milli).to_string(),
        ratio(ratios.ctr),
        ratio(ratios.cpc),
        ratio(ratios.cpm),
        ratio(ratios.cpa),
        ratio(ratios.roas),
    ]
}
