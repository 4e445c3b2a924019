//! The figures of `kpi_golden.json`, computed from the days of `campaign_days.csv`, and a small case in code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::Path;

use serde_json::{Value, json};

use super::bucket::{Granularity, buckets};
use super::compare::{Changes, Earlier};
use super::day::{Day, Days};
use super::figures::{Figures, MILLI};
use super::kpi::{Kpis, conversions};
use super::money::{Currency, fixed};

struct Row {
    campaign: u64,
    platform: String,
    day: Day,
    figures: Figures,
}

/// The text of a file beside the project.
#[allow(clippy::print_stderr, reason = "the runner shows why a test did nothing")]
fn beside(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/adops").join(name);
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared/adops/{name} is not there");
    }
    text
}

fn rows(csv: &str) -> Vec<Row> {
    let read = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let money = |cell: usize| Currency::USD.minor(cells[cell]).unwrap();
        let figures = Figures {
            impressions: cells[3].parse().unwrap(),
            clicks: cells[4].parse().unwrap(),
            conversions_milli: fixed(cells[5], 3).unwrap(),
            spend: money(6),
            revenue: money(7),
        };
        let day = Day::parse(cells[2]).unwrap();
        Row { campaign: cells[0].parse().unwrap(), platform: cells[1].to_owned(), day, figures }
    };
    csv.lines().skip(1).map(read).collect()
}

fn sum(rows: &[Row], days: Days, of: impl Fn(&Row) -> bool) -> Figures {
    rows.iter().filter(|row| days.contains(row.day) && of(row)).map(|row| row.figures).sum()
}

fn shown(figures: &Figures) -> Value {
    let kpis = Kpis::of(figures, Currency::USD);
    json!({
        "total_spend": kpis.spend, "total_revenue": kpis.revenue, "total_impressions": kpis.impressions,
        "total_clicks": kpis.clicks, "total_conversions": conversions(figures.conversions_milli),
        "avg_roas": kpis.ratios.roas, "avg_ctr": kpis.ratios.ctr, "avg_cpc": kpis.ratios.cpc,
        "avg_cpm": kpis.ratios.cpm, "avg_cpa": kpis.ratios.cpa,
    })
}

fn changes(now: &Figures, before: &Figures) -> Value {
    let Changes { spend, revenue, roas, .. } = Changes::of(now, before);
    json!({"spend_change": spend, "revenue_change": revenue, "roas_change": roas})
}

fn platforms(rows: &[Row], days: Days) -> Value {
    let row = |platform: &str| {
        let figures = sum(rows, days, |row| row.platform == platform);
        let campaigns: std::collections::BTreeSet<u64> = rows
            .iter()
            .filter(|row| row.platform == platform && days.contains(row.day))
            .map(|row| row.campaign)
            .collect();
        let kpis = Kpis::of(&figures, Currency::USD);
        json!({"platform": platform, "campaigns": campaigns.len(), "spend": kpis.spend, "revenue": kpis.revenue,
            "conversions": conversions(figures.conversions_milli), "roas": kpis.ratios.roas})
    };
    ["google", "linkedin", "meta", "snapchat", "tiktok"].map(row).into()
}

#[test]
fn the_golden_figures_come_out_exactly() {
    let (Some(csv), Some(golden)) = (beside("campaign_days.csv"), beside("kpi_golden.json")) else { return };
    let (rows, golden) = (rows(&csv), serde_json::from_str::<Value>(&golden).unwrap());
    let cases = golden["cases"].as_array().unwrap();
    assert!(rows.len() == 1800 && cases.len() == 5);
    let day = |value: &Value| Day::parse(value.as_str().unwrap()).unwrap();
    for case in cases {
        let days = Days { first: day(&case["date_from"]), last: day(&case["date_to"]) };
        let earlier = Earlier::parse(case["compare_period"].as_str().unwrap()).unwrap().of(days);
        assert_eq!(json!([earlier.first.to_string(), earlier.last.to_string()]), case["previous_range"]);
        let of = |row: &Row| case["platform"].as_str().is_none_or(|platform| row.platform == platform);
        let (now, before) = (sum(&rows, days, of), sum(&rows, earlier, of));
        assert_eq!((shown(&now), shown(&before)), (case["kpis"].clone(), case["previous"].clone()));
        assert_eq!(changes(&now, &before), case["comparison"]);
        if !case["platforms"].is_null() {
            assert_eq!(platforms(&rows, days), case["platforms"]);
        }
    }
}

#[test]
fn the_golden_weeks_come_out_exactly() {
    let (Some(csv), Some(golden)) = (beside("campaign_days.csv"), beside("kpi_golden.json")) else { return };
    let (rows, golden) = (rows(&csv), serde_json::from_str::<Value>(&golden).unwrap());
    let own: Vec<Day> = rows.iter().filter(|row| row.campaign == 1).map(|row| row.day).collect();
    let days = Days { first: own[0], last: *own.last().unwrap() };
    let week = |days: &Days| {
        let figures = sum(&rows, *days, |row| row.campaign == 1);
        let kpis = Kpis::of(&figures, Currency::USD);
        json!({"date": Granularity::Weekly.label(days.first).to_string(), "spend": kpis.spend, "revenue": kpis.revenue,
            "impressions": kpis.impressions, "clicks": kpis.clicks, "conversions": conversions(figures.conversions_milli)})
    };
    let weeks: Vec<Value> = buckets(Granularity::Weekly, days).iter().map(week).collect();
    assert_eq!(Value::from(weeks), golden["weekly_campaign_1"]);
}

#[test]
fn a_small_case_by_hand() {
    let day = |number: u64| Figures {
        impressions: 1000 * number,
        clicks: 30,
        conversions_milli: 1500,
        spend: 1000 + number,
        revenue: 3 * MILLI,
    };
    let (now, before) = ([1, 2].map(day).into_iter().sum(), day(1));
    let expected = json!({
        "total_spend": 20.03, "total_revenue": 60.0, "total_impressions": 3000, "total_clicks": 60, "total_conversions": 3,
        "avg_roas": 2.9955, "avg_ctr": 2.0, "avg_cpc": 0.3338, "avg_cpm": 6.6767, "avg_cpa": 6.6767,
    });
    assert_eq!(shown(&now), expected);
    assert_eq!(changes(&now, &before), json!({"spend_change": 100.1, "revenue_change": 100.0, "roas_change": 0.0}));
}
