//! Simulated exchanges follow their specification, and version 1 is fixed by a golden file.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, ContentSpec};

use super::*;
use crate::traffic::pack::AuctionOutcome;
use crate::traffic::render::{EntryContext, EntryRow, write_json};

const DRAWS: u32 = 20_000;

fn content(rtb: &Value, config: &Value) -> Content {
    let spec = ContentSpec::parse(&ContentInput {
        rtb_config: Some(rtb),
        config: Some(config),
        rtb_by_default: true,
        ..ContentInput::default()
    });
    Content::new(&spec.unwrap()).unwrap()
}

fn key(k: u32) -> EntryKey {
    EntryKey { seed: 3, shard: 0, slot: 1, k }
}

fn entries(content: &Content) -> Vec<PackedEntry> {
    (0..DRAWS).map(|k| simulate(content, key(k))).collect()
}

fn share(entries: &[PackedEntry], is: impl Fn(&PackedEntry) -> bool) -> f64 {
    let count = entries.iter().filter(|entry| is(entry)).count();
    cast::float(u64::from(cast::length(count))) / f64::from(DRAWS)
}

#[test]
fn errors_status_codes_and_timeouts_follow_the_specification() {
    let config = json!({"error_rate": 0.1, "status_codes": {"200": 3, "503": 1}, "timeout_ms": 100,
        "latency": {"distribution": "uniform", "min_ms": 0, "max_ms": 200}, "server_time": 0});
    let all = entries(&content(&json!({"enabled": false}), &config));
    // Half of what is not refused or reset takes longer than the time-out.
    assert!((share(&all, |entry| entry.error != ErrorKind::None) - 0.55).abs() < 0.02);
    assert!((share(&all, |entry| entry.status == 200) - 0.45 * 0.75).abs() < 0.02);
    for entry in all {
        assert_eq!(entry.success, entry.status == 200);
        assert_eq!(entry.status == 0, entry.error != ErrorKind::None);
        assert!(entry.response_us <= 100_000 && entry.auction.is_none());
        assert_eq!(entry.error == ErrorKind::Timeout, entry.response_us == 100_000 && entry.status == 0);
    }
}

#[test]
fn the_auction_follows_the_specification() {
    let rtb = json!({"bidders": 1, "bid_rate": 0.5, "floor": 1, "auction_type": "second_price",
        "bid_price": {"distribution": "uniform", "min": 0, "max": 2}});
    let all = entries(&content(&rtb, &json!({"error_rate": 0, "status_codes": [200]})));
    let outcome = |entry: &PackedEntry| entry.auction.unwrap().outcome;
    assert!((share(&all, |entry| outcome(entry) == AuctionOutcome::NoBid) - 0.5).abs() < 0.02);
    assert!((share(&all, |entry| outcome(entry) == AuctionOutcome::Lost) - 0.25).abs() < 0.02);
    for auction in all.iter().filter_map(|entry| entry.auction) {
        // A single bidder pays the floor and a cent, or its bid when that is less.
        let expected = if auction.outcome.is_won() { auction.bid_micros.min(1_010_000) } else { 0 };
        assert_eq!(auction.price_micros, expected);
        assert_eq!(auction.bids == 0, auction.outcome == AuctionOutcome::NoBid);
    }
}

#[test]
fn deals_set_floor_and_price() {
    let rtb = json!({"bidders": ["alpha", "beta"], "bid_rate": 1, "floor": 0.1, "bid_price": 2,
        "deals": [{"id": "fixed", "at": 3, "bid_floor": 5, "rate": 0.3, "wseat": ["beta"]}]});
    let all = entries(&content(&rtb, &json!({"error_rate": 0, "status_codes": [200]})));
    let dealt = share(&all, |entry| entry.auction.unwrap().deal == 1);
    assert!((dealt - 0.3).abs() < 0.02, "{dealt}");
    for auction in all.iter().filter_map(|entry| entry.auction) {
        let expected = if auction.deal == 1 { (1, 5_000_000) } else { (auction.seat, 2_000_000) };
        assert_eq!((auction.seat, auction.price_micros), expected);
    }
    // Equal open bids are won by either seat alike.
    let alpha = share(&all, |entry| entry.auction.unwrap().seat == 0);
    assert!((alpha - 0.35).abs() < 0.02, "{alpha}");
}

#[test]
fn clicks_and_conversions_follow_the_profile() {
    for (click, conversion, expected) in [
        (0.0, 1.0, AuctionOutcome::Impression),
        (1.0, 0.0, AuctionOutcome::Click),
        (1.0, 1.0, AuctionOutcome::Conversion),
    ] {
        let profiles = json!([{"name": "a", "click_probability": click, "conversion_probability": conversion}]);
        let spec = ContentSpec::parse(&ContentInput {
            user_profiles: Some(&profiles),
            rtb_by_default: true,
            ..ContentInput::default()
        });
        let content = Content::new(&spec.unwrap()).unwrap();
        let won: Vec<_> = (0..500)
            .filter_map(|k| simulate(&content, key(k)).auction)
            .filter(|auction| auction.outcome.is_won())
            .collect();
        assert!(won.len() > 300);
        assert!(won.iter().all(|auction| auction.outcome == expected));
    }
}

#[test]
fn any_seat_may_win() {
    let all = entries(&content(&json!({"bidders": 4, "bid_rate": 1}), &json!({})));
    for seat in 0..4 {
        let won =
            |entry: &PackedEntry| entry.auction.is_some_and(|auction| auction.outcome.is_won() && auction.seat == seat);
        assert!((share(&all, won) - 0.24).abs() < 0.03);
    }
}

/// FNV-1a, so that the golden file needs no hash of another crate.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What a campaign asks for beyond the defaults in each golden file.
fn extras(version: u16) -> Value {
    match version {
        1 => json!({}),
        _ => json!({
            "daily": {"start_hour": 7},
            "sessions": {"think_time": 3, "paths": [{"path": "/", "entry": true}, "/p/{{random_int:1,500}}?c={{city}}"]},
        }),
    }
}

/// One line per seed with the hash of 300 full entries, and its first entry in full.
fn golden(version: u16) -> String {
    let rtb = json!({"auction_type": 2, "deals": [{"id": "d", "rate": 0.2, "floor": 1}], "inventory": {"site": 5, "app": 5, "dooh": 1},
        "profile": "basic"});
    let geo = json!(["US", "DE", "JP", "BR", "KE"]);
    let spec = ContentSpec::parse(&ContentInput {
        rtb_config: Some(&rtb),
        geo_locations: Some(&geo),
        rtb_by_default: true,
        config: Some(&extras(version)),
        ..ContentInput::default()
    });
    let content = Content::new(&ContentSpec { content_version: version, ..spec.unwrap() }).unwrap();
    let mut text = String::new();
    for seed in 1..=10 {
        let context =
            EntryContext { campaign_id: "c", run_id: "r", worker_id: "w", seed, shard: 1, method: "GET", url: None };
        let mut all = Vec::new();
        for k in 0..300 {
            let key = EntryKey { seed, shard: 1, slot: 9, k };
            let row = EntryRow {
                content: &content,
                context: &context,
                sequence: u64::from(k),
                scheduled_ns: 1_000_000_000,
                entry: &simulate(&content, key),
                blob: None,
            };
            write_json(&mut all, &row);
            all.push(b'\n');
        }
        let first = all.split(|byte| *byte == b'\n').next().unwrap();
        writeln!(text, "{seed} {:016x}\n{}", fnv(&all), std::str::from_utf8(first).unwrap()).unwrap();
    }
    text
}

fn must_be_fixed(version: u16) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/content_v{version}.txt"));
    let found = golden(version);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// A content version never changes: what a reader makes again must be what the counters saw.
/// `UPDATE_GOLDEN=1` writes the file; only a new content version is a reason to.
#[test]
fn content_version_1_is_fixed() {
    must_be_fixed(1);
}

/// With sessions, pages and clocks.
#[test]
fn content_version_2_is_fixed() {
    must_be_fixed(2);
}
