//! Rendered entries are valid, complete and agree with what was stored.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, ContentSpec};
use trafficlab_shared::model::error_kind::ErrorKind;

use super::*;
use crate::traffic::pack::{AuctionRecord, EntryMode};
use crate::traffic::simulate::simulate;

const CONTEXT: EntryContext<'static> = EntryContext {
    campaign_id: "camp \"1\"\n",
    run_id: "run-1",
    worker_id: "=worker,\"x\"",
    seed: 77,
    shard: 3,
    method: "GET",
    url: None,
};

fn content(rtb: &Value) -> Content {
    let geo = json!(["US", "DE", "Brazil", "JP", "KE", "Tuvalu"]);
    let profiles = json!(["shopper", {"name": "naïve \"quoted\" \\ user", "age_range": "25-34", "languages": ["en-GB"], "interests": ["a\"b"]}]);
    let spec = ContentSpec::parse(&ContentInput {
        geo_locations: Some(&geo),
        user_profiles: Some(&profiles),
        rtb_config: Some(rtb),
        rtb_by_default: true,
        ..ContentInput::default()
    });
    Content::new(&spec.unwrap()).unwrap()
}

fn rtb() -> Value {
    json!({"auction_type": 2, "bidders": 3, "floor": 0.75, "currency": "EUR", "inventory": {"site": 4, "app": 4, "dooh": 1},
        "ad_formats": ["banner", "video", "audio", "native"],
        "deals": [{"id": "deal-1", "rate": 0.2, "bid_floor": 2}, {"id": "deal-2", "at": 3, "rate": 0.1, "bid_floor": 3, "wseat": ["seat-02"]}]})
}

fn entry_of(content: &Content, k: u32) -> PackedEntry {
    simulate(content, EntryKey { seed: CONTEXT.seed, shard: CONTEXT.shard, slot: 4, k })
}

fn row<'a>(content: &'a Content, context: &'a EntryContext<'a>, entry: &'a PackedEntry) -> EntryRow<'a> {
    EntryRow { content, context, sequence: 9, scheduled_ns: 1_767_225_599_999_999_000, entry, blob: None }
}

fn json_of(row: &EntryRow<'_>) -> Value {
    let mut out = Vec::new();
    write_json(&mut out, row);
    serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
}

#[test]
fn every_documented_field_is_there_and_agrees_with_the_stored_entry() {
    let content = content(&rtb());
    for k in 0..500 {
        let packed = entry_of(&content, k);
        let value = json_of(&row(&content, &CONTEXT, &packed));
        for field in [
            "id",
            "campaign_id",
            "run_id",
            "sequence",
            "timestamp",
            "scheduled_at",
            "mode",
            "method",
            "url",
            "status_code",
            "success",
            "response_time_ms",
            "service_time_ms",
            "error",
            "geo_location",
            "country",
            "region",
            "city",
            "device_model",
            "device_type",
            "os",
            "browser",
            "user_agent",
            "ip_address",
            "ad_format",
            "user_profile",
            "rtb",
            "worker_id",
        ] {
            assert!(value.get(field).is_some(), "{field}");
        }
        assert_eq!(value["id"], format!("run-1-3-4-{k}"));
        assert_eq!(value["campaign_id"], CONTEXT.campaign_id);
        assert_eq!(value["scheduled_at"], "2025-12-31T23:59:59.999999Z");
        assert_eq!(value["status_code"], packed.status);
        assert_eq!(value["success"], packed.success);
        let milliseconds = value["response_time_ms"].as_f64().unwrap();
        assert!((milliseconds * 1_000.0 - f64::from(packed.response_us)).abs() < 1e-3);
        assert_eq!(value["rtb"].is_null(), packed.auction.is_none());
        assert_eq!(value["error"].is_null(), packed.error == ErrorKind::None);
    }
}

/// Entries that had an auction, with what was rendered of them.
fn auctioned(content: &Content, count: u32) -> Vec<(AuctionRecord, Value)> {
    let shown = |k| {
        let packed = entry_of(content, k);
        packed.auction.map(|record| (record, json_of(&row(content, &CONTEXT, &packed))))
    };
    (0..count).filter_map(shown).collect()
}

#[test]
fn the_bid_request_is_that_of_the_visitor() {
    let mut formats = std::collections::BTreeSet::new();
    for (_, value) in auctioned(&content(&rtb()), 1_000) {
        let request = &value["rtb"]["bid_request"];
        let format = value["ad_format"].as_str().unwrap();
        formats.insert(format.to_owned());
        assert!(request["imp"][0].get(format).is_some());
        assert_eq!(request["test"], 1);
        assert_eq!(request["device"]["ua"], value["user_agent"]);
        let address = request["device"].get("ip").or_else(|| request["device"].get("ipv6"));
        assert_eq!(address, Some(&value["ip_address"]));
        assert_eq!(request["imp"][0]["pmp"]["deals"].as_array().unwrap().len(), 2);
    }
    assert_eq!(formats.len(), 4);
}

#[test]
fn the_bid_response_agrees_with_the_auction() {
    let (mut lost, mut dealt) = (0, 0);
    for (record, value) in auctioned(&content(&rtb()), 3_000) {
        let (response, auction) = (&value["rtb"]["bid_response"], &value["rtb"]["auction"]);
        assert_eq!(auction["outcome"], record.outcome.as_str());
        let reason = response.get("nbr").is_some();
        assert_eq!(response.is_null() || reason, record.bids == 0);
        assert_eq!(auction["winner"].is_null(), !record.outcome.is_won());
        if record.bids == 0 {
            continue;
        }
        assert_eq!(response["id"], value["rtb"]["bid_request"]["id"]);
        check_bid(&record, &response["seatbid"][0], auction);
        lost += i32::from(!record.outcome.is_won());
        dealt += i32::from(record.deal > 0);
    }
    assert!(lost > 50 && dealt > 200, "{lost} {dealt}");
}

fn check_bid(record: &AuctionRecord, seat: &Value, auction: &Value) {
    let bid = &seat["bid"][0];
    let price = bid["price"].as_f64().unwrap();
    let floor = auction["floor"].as_f64().unwrap();
    assert!((price * 1e6 - f64::from(record.bid_micros)).abs() < 1e-3);
    if record.outcome.is_won() {
        assert_eq!(auction["winner"], seat["seat"]);
        let clearing = auction["clearing_price"].as_f64().unwrap();
        assert!(clearing >= floor && clearing <= price);
    } else {
        assert!(price < floor);
    }
    let deal = if record.deal > 0 { json!(format!("deal-{}", record.deal)) } else { Value::Null };
    assert_eq!((&bid["dealid"], &auction["deal"]), (&deal, &deal));
}

#[test]
fn real_requests_show_the_target_and_no_auction() {
    let content = content(&json!({"enabled": false}));
    let context = EntryContext { url: Some("http://127.0.0.1:9/a?b=\"c\""), method: "POST", ..CONTEXT };
    let packed = PackedEntry {
        mode: EntryMode::Http,
        error: ErrorKind::Timeout,
        response_us: 1_500_000,
        service_us: 1_000_000,
        ..PackedEntry::default()
    };
    let value = json_of(&row(&content, &context, &packed));
    assert_eq!(value["url"], "http://127.0.0.1:9/a?b=\"c\"");
    assert_eq!((value["mode"].as_str(), value["error"].as_str()), (Some("http"), Some("timeout")));
    assert_eq!((value["response_time_ms"].as_f64(), value["service_time_ms"].as_f64()), (Some(1_500.0), Some(1_000.0)));
    assert_eq!(value["timestamp"], "2026-01-01T00:00:01.499999Z");
    assert!(value["rtb"].is_null());
}

#[test]
fn a_request_for_a_real_bidder_is_that_of_the_entry() {
    let content = content(&rtb());
    let packed = entry_of(&content, 0);
    let shown = json_of(&row(&content, &CONTEXT, &packed));
    let key = EntryKey { seed: CONTEXT.seed, shard: CONTEXT.shard, slot: 4, k: 0 };
    let mut out = Vec::new();
    assert!(write_bid_request(&mut out, &content, key, "run-1-3-4-0"));
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), shown["rtb"]["bid_request"]);
}

/// Splits a row as RFC 4180 says.
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = row.trim_end_matches("\r\n").chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

#[test]
fn csv_rows_have_the_header_s_columns_and_the_json_s_values() {
    let content = content(&rtb());
    let header = cells(CSV_HEADER);
    for k in 0..200 {
        let packed = entry_of(&content, k);
        let row = row(&content, &CONTEXT, &packed);
        let value = json_of(&row);
        let mut out = Vec::new();
        write_csv(&mut out, &row);
        let text = String::from_utf8(out).unwrap();
        let found = cells(&text);
        assert_eq!(found.len(), header.len(), "{text}");
        for (name, cell) in header.iter().zip(&found) {
            match &value[name] {
                // A cell that begins like a formula is made harmless.
                Value::String(text) if text.starts_with('=') => {
                    assert_eq!(cell, &format!("'{text}"))
                }
                Value::String(text) => assert_eq!(cell, text),
                Value::Null => assert!(name.starts_with("rtb_") || cell.is_empty(), "{name}"),
                other => assert!(
                    (cell == &other.to_string()) || cell.parse::<f64>().ok() == other.as_f64(),
                    "{name} {cell} {other}"
                ),
            }
        }
    }
}
