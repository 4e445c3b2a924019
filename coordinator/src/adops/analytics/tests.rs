//! Questions over campaigns made by hand, and against a naive model.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use trafficlab_engine::ads::bucket::Granularity;
use trafficlab_engine::ads::compare::Earlier;
use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::exchange::Exchange;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::breakdown::{By, Row, campaigns, labels, platforms};
use super::cohorts::cohorts;
use super::ground::{Ground, Scope};
use super::overview::overview;
use super::pacing::{Unknown, paces};
use super::timeline::timeline;
use crate::adops::book::Entry;
use crate::adops::campaign::{Campaign, Platform, Status};
use crate::adops::campaigns::samples::{entry, sample};
use crate::adops::tenant::Tenant;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn days(first: &str, last: &str) -> Days {
    Days { first: day(first), last: day(last) }
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn spend(spend: u64) -> Figures {
    Figures { spend, revenue: spend * 2, impressions: 10, clicks: 1, ..Figures::default() }
}

fn of(campaign: Campaign, real: &[(&str, Figures)]) -> Arc<Entry> {
    let series = real.iter().map(|(text, figures)| (day(text), *figures)).collect();
    Arc::new(Entry { real: Arc::new(series), ..entry(campaign) })
}

fn ground(entries: Vec<Arc<Entry>>, days: Days) -> Ground {
    let rates = BTreeMap::from([("EUR".to_owned(), 0.5)]);
    Ground {
        entries,
        scope: Scope { days, platform: None, label: None, campaigns: None, synthetic: false },
        currency: Currency::USD,
        exchange: Arc::new(Exchange::new("USD", &rates)),
    }
}

/// Dollars at Google, euros (two dollars each) and pounds (without a rate) at Meta, and one without figures in June.
fn mixed() -> Ground {
    let labelled = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let google = Campaign { platform: Platform::Google, labels: labelled(&["a", "b"]), ..sample(1, "Zoo") };
    let euros = Campaign { currency: currency("EUR"), labels: labelled(&["b"]), ..sample(2, "apple") };
    let pounds = Campaign { currency: currency("GBP"), ..sample(3, "Book") };
    let june = [("2024-06-01", spend(100)), ("2024-06-03", spend(0))];
    let entries = vec![
        of(google, &june),
        of(euros, &june),
        of(pounds, &[("2024-06-02", spend(7))]),
        of(sample(4, "May"), &[("2024-05-31", spend(50))]),
    ];
    ground(entries, days("2024-06-01", "2024-06-30"))
}

#[test]
fn currencies_are_turned_or_kept_apart() {
    let found = overview(&mixed(), Some(Earlier::Period));
    assert_eq!(found.earlier, Some(days("2024-05-02", "2024-05-31")));
    assert_eq!((found.total.now.spend, found.total.now.impressions), (100 + 200, 40));
    assert_eq!(found.total.before.unwrap().spend, 50);
    assert_eq!(found.total.changes().unwrap().spend, Some(500.0));
    let [pounds] = found.rest.as_slice() else { panic!("{:?}", found.rest) };
    assert_eq!((pounds.currency.code(), pounds.now.spend, pounds.changes().unwrap().spend), ("GBP", 7, None));
    assert_eq!(overview(&mixed(), None).total.changes(), None);
}

#[test]
fn rows_count_campaigns_with_figures_on_one_of_the_days() {
    let row = |row: &Row<Platform>| (row.key, row.currency.to_string(), row.campaigns, row.figures.spend);
    let shown: Vec<_> = platforms(&mixed()).iter().map(row).collect();
    let (google, meta) = (Platform::Google, Platform::Meta);
    assert_eq!(shown, [(google, "USD".into(), 1, 100), (meta, "GBP".into(), 1, 7), (meta, "USD".into(), 1, 200)]);
    let shown: Vec<_> =
        labels(&mixed()).iter().map(|row| (row.key.clone(), row.campaigns, row.figures.spend)).collect();
    assert_eq!(shown, [("a".to_owned(), 1, 100), ("b".to_owned(), 2, 300)]);
    let mut ground = mixed();
    ground.scope.days = days("2024-06-03", "2024-06-03");
    assert_eq!(platforms(&ground).len(), 2, "a day of zeros is a day with figures");
}

#[test]
fn campaigns_are_ordered_and_those_without_a_value_come_last() {
    let order = |by, descending| {
        let rows = campaigns(&mixed(), by, descending);
        rows.iter().map(|row| row.key.campaign.id.get()).collect::<Vec<_>>()
    };
    assert_eq!((order(By::Spend, true), order(By::Spend, false)), (vec![2, 1, 3], vec![1, 2, 3]));
    assert_eq!((order(By::Name, false), order(By::Name, true)), (vec![2, 3, 1], vec![1, 3, 2]));
    assert_eq!(order(By::Impressions, true), [1, 2, 3], "equal ones by id");
    assert_eq!(order(By::Cpa, true), [1, 2, 3], "nobody has conversions");
}

#[test]
fn missing_days_are_zeros_and_buckets_are_cut_at_the_edges() {
    let mut ground = mixed();
    ground.scope.days = days("2024-05-31", "2024-06-03");
    let point =
        |point: &super::timeline::Point| (point.date.to_string(), point.currency.to_string(), point.figures.spend);
    let daily: Vec<_> = timeline(&ground, Granularity::Daily).iter().map(point).collect();
    let dollars: Vec<u64> =
        daily.iter().filter(|(_, currency, _)| currency == "USD").map(|(.., spend)| *spend).collect();
    let pounds: Vec<u64> =
        daily.iter().filter(|(_, currency, _)| currency == "GBP").map(|(.., spend)| *spend).collect();
    assert_eq!((dollars, pounds), (vec![50, 300, 0, 0], vec![0, 0, 7, 0]));
    let weekly: Vec<_> = timeline(&ground, Granularity::Weekly).iter().map(point).collect();
    assert_eq!(weekly[0], ("2024-05-27".to_owned(), "USD".to_owned(), 350));
    assert_eq!(weekly[1], ("2024-06-03".to_owned(), "USD".to_owned(), 0));
}

#[test]
fn synthetic_figures_count_when_they_are_asked_for() {
    let mut ground = mixed();
    let made = [(day("2024-06-02"), spend(1000))].into_iter().collect();
    let both = Entry { synthetic: Arc::new(made), ..Entry::clone(&ground.entries[0]) };
    ground.entries[0] = Arc::new(both);
    assert_eq!(overview(&ground, None).total.now.spend, 300);
    ground.scope.synthetic = true;
    assert_eq!(overview(&ground, None).total.now.spend, 1300);
    assert_eq!(platforms(&ground)[0].figures.spend, 1100);
}

#[test]
fn cohorts_are_by_the_week_of_the_first_figures() {
    let mut ground = mixed();
    ground.scope.days = days("2024-05-27", "2024-06-09");
    let rows: Vec<_> = cohorts(&ground, Granularity::Weekly)
        .iter()
        .map(|row| {
            let spent: Vec<u64> = row.intervals.iter().map(|figures| figures.spend).collect();
            (row.cohort.to_string(), row.currency.to_string(), row.campaigns, spent)
        })
        .collect();
    let week = || "2024-05-27".to_owned();
    assert_eq!(rows, [(week(), "USD".to_owned(), 3, vec![350, 0]), (week(), "GBP".to_owned(), 1, vec![7, 0])]);
    ground.scope.days = days("2024-06-01", "2024-06-09");
    let began: u64 = cohorts(&ground, Granularity::Monthly).iter().map(|row| row.campaigns).sum();
    assert_eq!(began, 3, "the campaign of May began before");
}

fn tenant(timezone: &str) -> Tenant {
    Tenant {
        name: "Acme".to_owned(),
        timezone: timezone.to_owned(),
        currency: Currency::USD,
        created_ns: 0,
        keep_personal_days: None,
    }
}

fn at(moment: &str) -> u64 {
    u64::try_from(moment.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
}

#[test]
fn budgets_are_paced_over_the_tenants_month() {
    let running = |id, daily_budget: Option<u64>, code: &str| Campaign {
        status: Status::Active,
        daily_budget,
        currency: currency(code),
        start: Some(day("2024-06-01")),
        ..sample(id, "x")
    };
    let each: Vec<(String, Figures)> =
        days("2024-06-01", "2024-06-10").each().map(|day| (day.to_string(), spend(100))).collect();
    let each: Vec<(&str, Figures)> = each.iter().map(|(text, figures)| (text.as_str(), *figures)).collect();
    let entries = vec![
        of(running(1, Some(100), "USD"), &each),
        of(running(2, Some(50), "EUR"), &each),
        of(running(3, Some(200), "GBP"), &each),
        of(running(4, None, "USD"), &each),
        of(Campaign { start: Some(day("2024-06-20")), ..running(5, Some(9), "USD") }, &[]),
        of(Campaign { status: Status::Draft, ..running(6, Some(9), "USD") }, &each),
        of(
            Campaign { end: Some(day("2024-05-31")), start: None, ..running(7, Some(9), "USD") },
            &[("2024-05-01", spend(1))],
        ),
    ];
    let ground = ground(entries, days("2024-06-01", "2024-06-30"));
    // Checklist 92: at noon of the tenth in UTC it is the eleventh on the Chatham Islands.
    let found = paces(&ground, &tenant("Pacific/Chatham"), true, at("2024-06-10T12:00:00Z"));
    assert_eq!(found.as_of, day("2024-06-10"));
    let item =
        |item: &super::pacing::Item| (item.entry.campaign.id.get(), item.pacing.map(|pacing| pacing.pace().as_str()));
    let items: Vec<_> = found.items.iter().map(item).collect();
    assert_eq!(items, [(1, Ok("on")), (2, Ok("over")), (3, Ok("under")), (5, Err(Unknown::NotBegun))]);
    assert_eq!((found.total.planned, found.total.spent), (3000 + 2 * 1500, 1000 + 2 * 1000));
    assert_eq!((found.rest.len(), found.rest[0].1.planned), (1, 6000));
    let before = paces(&ground, &tenant("UTC"), true, at("2024-06-10T12:00:00Z"));
    assert_eq!((before.as_of, before.total.spent), (day("2024-06-09"), 900 + 2 * 900));
    let flights = paces(&ground, &tenant("UTC"), false, at("2024-06-10T12:00:00Z"));
    let unknown: Vec<_> = flights.items.iter().map(|item| item.pacing.map(|_| ())).collect();
    assert_eq!(unknown, [Err(Unknown::NoEnd), Err(Unknown::NoEnd), Err(Unknown::NoEnd), Err(Unknown::NoEnd), Ok(())]);
}

/// Campaigns with their days: platform, currency, and a figure for each day that has one.
fn many() -> impl Strategy<Value = Vec<(usize, usize, BTreeMap<i32, u32>)>> {
    prop::collection::vec(
        (0..5_usize, 0..3_usize, prop::collection::btree_map(19_000..19_100_i32, any::<u32>(), 0..20)),
        0..12,
    )
}

fn made(many: &[(usize, usize, BTreeMap<i32, u32>)], days: Days) -> Ground {
    let codes = ["USD", "EUR", "GBP"];
    let entry = |(id, (platform, code, figures)): (u64, &(usize, usize, BTreeMap<i32, u32>))| {
        let campaign =
            Campaign { platform: Platform::ALL[*platform], currency: currency(codes[*code]), ..sample(id, "x") };
        let series = figures.iter().map(|(day, value)| (Day(*day), spend(u64::from(*value)))).collect();
        Arc::new(Entry { real: Arc::new(series), ..entry(campaign) })
    };
    ground((1..).zip(many).map(entry).collect(), days)
}

proptest! {
    #[test]
    fn every_question_adds_up_to_the_same(many in many(), first in 18_990..19_090_i32, len in 1..110_i32) {
        let range = Days { first: Day(first), last: Day(first + len - 1) };
        let ground = made(&many, range);
        let naive = |code: usize| -> u64 {
            let of_days = |figures: &BTreeMap<i32, u32>| -> u64 {
                figures.iter().filter(|(day, _)| range.contains(Day(**day))).map(|(_, value)| u64::from(*value)).sum()
            };
            many.iter().filter(|campaign| campaign.1 == code).map(|campaign| of_days(&campaign.2)).sum()
        };
        // A euro is two dollars, so nothing is rounded.
        let (dollars, pounds) = (naive(0) + 2 * naive(1), naive(2));
        let found = overview(&ground, None);
        prop_assert_eq!(found.total.now.spend, dollars);
        prop_assert_eq!(found.rest.iter().map(|sums| sums.now.spend).sum::<u64>(), pounds);
        let rows = platforms(&ground);
        let sum = |code: &str| rows.iter().filter(|row| row.currency.code() == code).map(|row| row.figures.spend).sum::<u64>();
        prop_assert_eq!((sum("USD"), sum("GBP")), (dollars, pounds));
        for granularity in Granularity::ALL {
            let points = timeline(&ground, granularity);
            let sum = |code: &str| points.iter().filter(|point| point.currency.code() == code).map(|point| point.figures.spend).sum::<u64>();
            prop_assert_eq!((sum("USD"), sum("GBP")), (dollars, pounds));
        }
        let with_figures = many.iter().filter(|campaign| campaign.2.keys().any(|day| range.contains(Day(*day)))).count();
        prop_assert_eq!(campaigns(&ground, By::Roas, true).len(), with_figures);
        let mut turned = ground.clone();
        turned.entries.reverse();
        prop_assert_eq!(overview(&turned, Some(Earlier::Year)), overview(&ground, Some(Earlier::Year)));
    }
}
