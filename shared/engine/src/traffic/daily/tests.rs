//! Countries and cities wake and sleep, and a day has the plain weights.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::HashMap;

use trafficlab_shared::model::content::{ContentSpec, GeoWeight};

use super::*;
use crate::traffic::content::Content;
use crate::traffic::rng::EntryKey;

fn content(places: &[(&str, f64)], start_utc_s: u64) -> Content {
    let geo = places.iter().map(|(iso2, weight)| GeoWeight { country: (*iso2).to_owned(), weight: *weight });
    let daily = Some(DailySpec { start_utc_s: Some(start_utc_s), hours: Vec::new() });
    Content::new(&ContentSpec { geo: geo.collect(), daily, ..ContentSpec::default() }).unwrap()
}

fn counts(
    content: &Content,
    slots: impl Iterator<Item = u32>,
    name: impl Fn(&crate::traffic::visitor::Profile<'_>) -> String,
) -> HashMap<String, f64> {
    let mut counts = HashMap::new();
    for slot in slots {
        let profile = content.profile(EntryKey { seed: 3, shard: 0, slot, k: 0 });
        *counts.entry(name(&profile)).or_insert(0.0) += 1.0;
    }
    counts
}

/// Pearson's statistic; with so many degrees of freedom it exceeds `limit` once in a thousand.
fn chi_square(counts: &HashMap<String, f64>, expected: &[(String, f64)]) -> f64 {
    let terms = expected.iter().map(|(name, expected)| {
        let off = counts.get(name).copied().unwrap_or(0.0) - expected;
        off * off / expected
    });
    terms.sum()
}

#[test]
fn a_day_has_the_plain_weights() {
    let content = content(&[("US", 5.0), ("DE", 3.0), ("JP", 1.0), ("IN", 1.0)], 0);
    let days = 86_400_u32;
    let found = counts(&content, 0..days, |profile| profile.country.iso2.to_owned());
    let expected = [("US", 0.5), ("DE", 0.3), ("JP", 0.1), ("IN", 0.1)];
    let expected: Vec<(String, f64)> =
        expected.iter().map(|(name, share)| ((*name).to_owned(), share * f64::from(days))).collect();
    // Three degrees of freedom.
    assert!(chi_square(&found, &expected) < 16.3, "{found:?}");
    let cities = counts(&content, 0..days, |profile| profile.city.name.to_owned());
    let us = trafficlab_shared::model::content::country::find("US").unwrap().index;
    let tables = Tables::of(1).unwrap();
    let weights = tables.city_weights(us);
    let all: f64 = weights.iter().sum();
    let expected: Vec<(String, f64)> = tables
        .cities_of(us)
        .iter()
        .zip(weights)
        .map(|(city, weight)| (city.name.to_owned(), weight / all * 0.5 * f64::from(days)))
        .collect();
    assert!(expected.len() < 40, "the limit below is for 39 degrees of freedom");
    assert!(chi_square(&cities, &expected) < 72.1, "{cities:?}");
}

#[test]
fn people_sleep_at_night() {
    // 19 h UTC is evening in Europe, four in the morning in Japan and noon at the west coast.
    let content = content(&[("DE", 1.0), ("JP", 1.0), ("US", 1.0)], 19 * 3_600);
    let evening = counts(&content, 0..3_600, |profile| profile.country.iso2.to_owned());
    assert!(evening["DE"] > 3.0 * evening["JP"] && evening["US"] > 2.0 * evening["JP"], "{evening:?}");
    // Nine hours later it is evening in no one's Europe.
    let night = counts(&content, 9 * 3_600..10 * 3_600, |profile| profile.country.iso2.to_owned());
    assert!(night["JP"] > 2.0 * night["DE"], "{night:?}");
}

#[test]
fn cities_of_one_country_follow_their_own_clocks() {
    let content = content(&[("US", 1.0)], 0);
    let at = |hour: u32| {
        let cities = counts(&content, hour * 3_600..(hour + 1) * 3_600, |profile| profile.city.name.to_owned());
        cities["New York"] / cities["Los Angeles"]
    };
    // Eleven h UTC: six in New York, three in Los Angeles. Six h UTC: one and ten in the evening.
    assert!(at(11) > 1.5 * at(6), "{} {}", at(11), at(6));
}

#[test]
fn hours_and_cities_fit_together() {
    let rows: Vec<u16> =
        trafficlab_shared::model::content::country::all().iter().map(|country| country.index).collect();
    let prepared =
        PreparedDaily::new(&DailySpec::default(), Tables::of(2).unwrap(), &rows, &vec![1.0; rows.len()]).unwrap();
    assert_eq!(prepared.hours.len(), HOURS);
    let mut cells: Vec<Cell> = [0, 330, -480, 765]
        .into_iter()
        .map(|offset| Cell { row: 0, share: 0.25, hours: awake(activity(), offset) })
        .collect();
    fit(&mut cells);
    for cell in &cells {
        assert!((cell.hours.iter().sum::<f64>() - 0.25).abs() < 1e-9);
    }
    for hour in 0..HOURS {
        let sum: f64 = cells.iter().map(|cell| cell.hours[hour]).sum();
        assert!((sum * 24.0 - 1.0).abs() < 1e-12, "{hour}");
    }
}

#[test]
fn the_hour_follows_the_slot() {
    let spec = DailySpec { start_utc_s: Some(23 * 3_600 + 3_599), hours: vec![1.0; HOURS] };
    let prepared = PreparedDaily::new(&spec, Tables::of(1).unwrap(), &[0], &[1.0]).unwrap();
    assert_eq!([0, 1, 3_601].map(|slot| prepared.hour(slot)), [23, 0, 1]);
}
