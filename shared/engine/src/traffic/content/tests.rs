//! What the fields of a campaign ask for shows in the entries.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::HashMap;
use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, DeviceType};

use super::*;
use crate::traffic::visitor::{Place, Profile};

fn spec(body: &Value) -> ContentSpec {
    ContentSpec::parse(&ContentInput {
        geo_locations: body.get("geo_locations"),
        user_profiles: body.get("user_profiles"),
        rtb_config: body.get("rtb_config"),
        config: body.get("config"),
        rtb_by_default: true,
    })
    .unwrap()
}

fn content(body: &Value) -> Content {
    Content::new(&spec(body)).unwrap()
}

fn key(k: u32) -> EntryKey {
    EntryKey { seed: 11, shard: 2, slot: 5, k }
}

/// Shares of what `name` says over some thousand visitors.
fn shares(content: &Content, name: impl Fn(&Profile<'_>) -> String) -> HashMap<String, f64> {
    const DRAWS: u32 = 20_000;
    let mut counts = HashMap::new();
    for k in 0..DRAWS {
        *counts.entry(name(&content.profile(key(k)))).or_insert(0.0) += 1.0 / f64::from(DRAWS);
    }
    counts
}

/// Five standard deviations of a share over the draws of [`shares`] are below 0.018.
fn near(share: Option<&f64>, expected: f64) -> bool {
    (share.copied().unwrap_or(0.0) - expected).abs() < 0.018
}

#[test]
fn weights_show_in_the_shares() {
    let content = content(&json!({
        "geo_locations": ["Germany", {"country": "Japan", "weight": 3}],
        "user_profiles": [{"name": "a", "weight": 1}, {"name": "b", "weight": 9}],
        "rtb_config": {"ad_formats": {"video": 1, "audio": 1}, "inventory": {"site": 1, "dooh": 1}},
    }));
    let countries = shares(&content, |profile| profile.country.iso2.to_owned());
    assert!(near(countries.get("DE"), 0.25) && near(countries.get("JP"), 0.75), "{countries:?}");
    assert_eq!(countries.len(), 2);
    let names = shares(&content, |profile| profile.user_profile.name.clone());
    assert!(near(names.get("a"), 0.1) && near(names.get("b"), 0.9), "{names:?}");
    let formats = shares(&content, |profile| profile.ad_format.as_str().to_owned());
    assert!(near(formats.get("video"), 0.5) && near(formats.get("audio"), 0.5), "{formats:?}");
    let places = shares(&content, |profile| format!("{:?}", profile.client.surface));
    assert!(near(places.get("Site"), 0.5) && near(places.get("Dooh"), 0.5), "{places:?}");
}

/// Pearson's statistic of what was drawn against the weights.
fn chi_square(drawn: &HashMap<String, f64>, weights: &[(&str, f64)], draws: f64) -> f64 {
    let all: f64 = weights.iter().map(|pair| pair.1).sum();
    let term = |(name, weight): &(&str, f64)| {
        let (expected, found) = (weight / all * draws, drawn.get(*name).copied().unwrap_or(0.0) * draws);
        (found - expected) * (found - expected) / expected
    };
    weights.iter().map(term).sum()
}

#[test]
fn countries_and_profiles_pass_a_chi_square_test() {
    let countries = [("US", 40.0), ("DE", 20.0), ("IN", 15.0), ("BR", 10.0), ("JP", 8.0), ("KE", 5.0), ("TV", 2.0)];
    let profiles = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 10.0), ("e", 0.5)];
    let weighed = |key: &str, pairs: &[(&str, f64)]| -> Value {
        pairs.iter().map(|(name, weight)| json!({key: name, "weight": weight})).collect()
    };
    for config in [json!({}), json!({"sessions": {"pages": 1}})] {
        let content = content(&json!({
            "geo_locations": weighed("country", &countries),
            "user_profiles": weighed("name", &profiles),
            "config": config,
        }));
        let drawn = shares(&content, |profile| profile.country.iso2.to_owned());
        // One chance in a thousand with six degrees of freedom, and with four.
        assert!(chi_square(&drawn, &countries, 20_000.0) < 22.5, "{drawn:?}");
        let drawn = shares(&content, |profile| profile.user_profile.name.clone());
        assert!(chi_square(&drawn, &profiles, 20_000.0) < 18.5, "{drawn:?}");
    }
}

#[test]
fn restrictions_of_a_profile_hold() {
    let content = content(&json!({"user_profiles": [
        {"name": "apple", "device_models": ["iphone 15"], "languages": ["pt-BR"]},
        {"name": "desk", "device_types": ["desktop"], "browsers": ["firefox"]},
        {"name": "tv", "device_types": ["ctv"]},
        {"name": "tablets", "os": ["Android"], "device_types": ["tablet"]},
    ]}));
    for k in 0..3_000 {
        let profile = content.profile(key(k));
        let device = profile.client.device;
        match profile.user_profile.name.as_str() {
            "apple" => {
                assert!(device.model.starts_with("iPhone 15") && profile.language == "pt-BR")
            }
            "desk" => {
                assert!(device.class == DeviceType::Desktop && profile.client.browser == "Firefox")
            }
            "tv" => {
                assert!(device.class == DeviceType::Ctv && matches!(profile.place, Place::App(_)))
            }
            _ => assert!(device.os == "Android" && device.class == DeviceType::Tablet),
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let bad = spec(&json!({"user_profiles": [{"name": "a"}, {"name": "b", "os": ["Plan 9"]}]}));
    let error = Content::new(&bad).unwrap_err();
    assert_eq!(error.field(), "user_profiles[1]");
    let later = ContentSpec { content_version: 3, ..ContentSpec::default() };
    assert_eq!(Content::new(&later).unwrap_err(), ContentError::Version(3));
    let nowhere = ContentSpec { geo: Vec::new(), ..ContentSpec::default() };
    assert_eq!(Content::new(&nowhere).unwrap_err().field(), "geo_locations");
}

#[test]
fn the_visitor_does_not_depend_on_outcomes() {
    let plain = content(&json!({}));
    let other = content(&json!({"config": {"error_rate": 0.5}, "rtb_config": {"bidders": 1, "floor": 3}}));
    for k in 0..200 {
        assert_eq!(plain.profile(key(k)).user_id, other.profile(key(k)).user_id);
        assert_eq!(plain.dims(key(k)), other.dims(key(k)));
    }
}

#[test]
fn names_of_indices() {
    assert_eq!(geo_name(0), "United States");
    assert_eq!(device_name(0), "iPhone 16 Pro");
    assert_eq!(ad_format_name(1), "video");
    assert_eq!([geo_name(9_999), device_name(9_999), ad_format_name(99)], ["unknown"; 3]);
    assert_eq!(content(&json!({})).profile_name(2), Some("shopper"));
}

fn is_documentation(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [[192, 0, 2], [198, 51, 100], [203, 0, 113]].contains(&[a, b, c]) && (1..=254).contains(&d)
        }
        IpAddr::V6(ip) => ip.segments()[..2] == [0x2001, 0xdb8],
    }
}

proptest! {
    #[test]
    fn visitors_are_consistent(seed in any::<u64>(), shard in any::<u32>(), slot in any::<u32>(), k in any::<u32>()) {
        static CONTENT: std::sync::LazyLock<Content> = std::sync::LazyLock::new(|| content(&json!({
            "geo_locations": ["US", "BR", "IN", "GB", "TV", "ZW"],
            "rtb_config": {"inventory": {"site": 5, "app": 5, "dooh": 1}},
        })));
        let key = EntryKey { seed, shard, slot, k };
        let profile = CONTENT.profile(key);
        prop_assert_eq!(profile.dims, CONTENT.dims(key));
        prop_assert_eq!(profile.dims.geo_index, profile.country.index);
        prop_assert_eq!(profile.dims.device_index, profile.client.device.index);
        prop_assert!(is_documentation(profile.ip), "{}", profile.ip);
        prop_assert!(CONTENT.tables.cities_of(profile.country.index).contains(profile.city));
        prop_assert!((profile.latitude - profile.city.latitude).abs() <= 500);
        let agent = &profile.client.user_agent;
        prop_assert_eq!(profile.client.device.os == "iOS", agent.contains("iPhone"));
        match (profile.place, profile.client.device.class) {
            (Place::Dooh(_), class) => prop_assert_eq!(class, DeviceType::Dooh),
            (Place::Site(..), class) => prop_assert!(!matches!(class, DeviceType::Ctv | DeviceType::Dooh)),
            (Place::App(_), class) => prop_assert!(!matches!(class, DeviceType::Desktop | DeviceType::Dooh)),
        }
    }
}
