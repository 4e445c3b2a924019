//! Generated documents of every kind against the tables of the standard: ours, and its validator where it is at hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::path::PathBuf;
use std::process::Command;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, ContentSpec};

use super::*;
use crate::traffic::openrtb::{Coverage, check_request, check_response};
use crate::traffic::simulate::simulate;

const CONTEXT: EntryContext<'static> =
    EntryContext { campaign_id: "c", run_id: "r", worker_id: "w", seed: 5, shard: 1, method: "GET", url: None };

fn content(rtb: &Value) -> Content {
    let geo = json!(["US", "DE", "FR", "Brazil", "JP"]);
    let profiles =
        json!(["shopper", {"name": "tourist", "languages": ["pt-BR"], "age_range": "25-34", "interests": ["sea"]}]);
    let spec = ContentSpec::parse(&ContentInput {
        geo_locations: Some(&geo),
        user_profiles: Some(&profiles),
        rtb_config: Some(rtb),
        rtb_by_default: true,
        ..ContentInput::default()
    });
    Content::new(&spec.unwrap()).unwrap()
}

/// Everything that can be asked for at once.
fn rich() -> Value {
    json!({
        "auction_type": 2, "bidders": 4, "floor": 0.75, "imps": 3, "floors": {"video": 2.0, "audio": 1.0},
        "badv": ["brand-7.example"], "bcat": ["IAB7", "IAB26"], "ad_formats": ["banner", "video", "audio", "native"],
        "inventory": {"site": 4, "app": 4, "dooh": 1},
        "deals": [
            {"id": "deal-1", "rate": 0.2, "bid_floor": 2, "guaranteed": true, "priority": 2, "wadomain": ["brand-1.example"]},
            {"id": "deal-2", "at": 3, "rate": 0.1, "bid_floor": 3, "wseat": ["seat-02"]},
        ],
    })
}

#[derive(serde::Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    rtb: Rtb<'a>,
}

#[derive(serde::Deserialize)]
struct Rtb<'a> {
    #[serde(borrow)]
    bid_request: &'a RawValue,
    #[serde(borrow)]
    bid_response: Option<&'a RawValue>,
}

/// Requests with their responses, or `null`, of so many entries that had an auction.
fn texts(rtb: &Value, count: u32) -> Vec<(String, String)> {
    let content = content(rtb);
    let one = |k| {
        let entry = simulate(&content, EntryKey { seed: CONTEXT.seed, shard: CONTEXT.shard, slot: k / 100, k });
        entry.auction?;
        let mut out = Vec::new();
        let row =
            EntryRow { content: &content, context: &CONTEXT, sequence: 1, scheduled_ns: 1, entry: &entry, blob: None };
        write_json(&mut out, &row);
        let Rtb { bid_request, bid_response } = serde_json::from_slice::<Shown<'_>>(&out).unwrap().rtb;
        Some((bid_request.get().to_owned(), bid_response.map_or("null", RawValue::get).to_owned()))
    };
    (0..count).filter_map(one).collect()
}

fn documents(rtb: &Value, count: u32) -> impl Iterator<Item = (Value, Value)> {
    let value = |text: String| serde_json::from_str(&text).unwrap();
    texts(rtb, count).into_iter().map(move |(request, response)| (value(request), value(response)))
}

fn kinds() -> [Value; 6] {
    [
        rich(),
        json!({}),
        json!({"profile": "basic", "imps": 2}),
        json!({"inventory": {"dooh": 1}, "ad_formats": ["video", "banner"]}),
        json!({"wseat": ["seat-01"], "private_auction": true, "deals": [{"id": "d", "rate": 0.5}]}),
        json!({"ad_formats": ["audio", "native"], "inventory": {"app": 1}, "bid_rate": 0.1}),
    ]
}

/// Every document of every kind is right, and together they use nearly all that the standard has.
#[test]
fn all_kinds_are_valid_and_use_most_attributes() {
    let mut coverage = Coverage::default();
    let mut seen = 0;
    for (rtb, count) in kinds().iter().zip([5_000, 1_200, 1_100, 1_200, 1_100, 1_200]) {
        for (request, response) in documents(rtb, count) {
            let mut faults = check_request(&request, &mut coverage);
            if !response.is_null() {
                faults.extend(check_response(&response, &request, &mut coverage));
            }
            assert!(faults.is_empty(), "{faults:?} in {request} {response}");
            seen += 1;
        }
    }
    assert!(seen > 10_000, "{seen}");
    let (used, all) = coverage.counts();
    assert!(used * 100 >= all * 95, "{used} of {all}; not {:?}", coverage.missing());
}

/// The same with the validator that belongs to the standard's tables.
#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn the_validator_of_the_tables_agrees() {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/openrtb/validate.py");
    if !script.exists() {
        eprintln!("skipped: the validator is not beside this tree");
        return;
    }
    let (mut lines, mut requests) = (String::new(), 0);
    for rtb in kinds() {
        for (request, response) in texts(&rtb, 1_800) {
            requests += 1;
            for document in [request, response].into_iter().filter(|document| document != "null") {
                lines.push_str(&document);
                lines.push('\n');
            }
        }
    }
    assert!(requests > 10_000, "{requests}");
    let file = std::env::temp_dir().join(format!("trafficlab-openrtb-{}.ndjson", std::process::id()));
    std::fs::write(&file, lines).unwrap();
    let output = Command::new("python3").arg(script).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", said.lines().take(10).collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_impressions_of_a_request_have_their_own_floors() {
    let mut counts = [0; 4];
    for (request, _) in documents(&rich(), 600) {
        let imps = request["imp"].as_array().unwrap();
        counts[imps.len()] += 1;
        let floors: Vec<f64> = imps.iter().map(|imp| imp["bidfloor"].as_f64().unwrap()).collect();
        assert!(floors.is_sorted_by(|one, next| one > next), "{floors:?}");
        let video = imps[0].get("video").is_some();
        assert_eq!(video, (floors[0] - 2.0).abs() < 1e-9, "{request}");
    }
    assert!(counts[0] == 0 && counts.iter().skip(1).all(|count| *count > 120), "{counts:?}");
}

#[test]
fn blocked_brands_and_strangers_to_a_private_auction_never_win() {
    let blocked: Vec<String> = (1..=40).map(|brand| format!("brand-{brand}.example")).collect();
    let rtb = json!({"bid_rate": 1, "badv": blocked, "floor": 0.01});
    let content = content(&rtb);
    let mut reasons = std::collections::BTreeMap::new();
    for k in 0..500 {
        let entry = simulate(&content, EntryKey { seed: 5, shard: 1, slot: 0, k });
        let mut out = Vec::new();
        let row =
            EntryRow { content: &content, context: &CONTEXT, sequence: 1, scheduled_ns: 1, entry: &entry, blob: None };
        write_json(&mut out, &row);
        let value: Value = serde_json::from_slice(&out).unwrap();
        let auction = &value["rtb"]["auction"];
        for reason in auction["loss_reasons"].as_array().into_iter().flatten() {
            *reasons.entry(reason.as_u64().unwrap()).or_insert(0) += 1;
        }
        if auction["winner"].is_string() {
            let domain = value["rtb"]["bid_response"]["seatbid"][0]["bid"][0]["adomain"][0].as_str().unwrap();
            assert!(!blocked.iter().any(|blocked| blocked == domain), "{value}");
            assert!(auction["notices"]["nurl"].as_str().unwrap().contains("price="), "{auction}");
            assert!(!auction["notices"].to_string().contains("${"), "{auction}");
            // What the bid asked to be told, as far as both say it in plain text.
            let bid = &value["rtb"]["bid_response"]["seatbid"][0]["bid"][0];
            let told = auction["notices"]["nurl"].as_str().unwrap();
            for part in
                [format!("ad={}", bid["adid"].as_str().unwrap()), format!("price={}", auction["clearing_price"])]
            {
                assert!(told.contains(&part), "{part} in {told}");
            }
            let macros = bid.to_string().matches("${AUCTION_").count();
            assert!(macros >= 18, "{macros} in {bid}");
        }
    }
    assert!(reasons.get(&205).is_some_and(|count| *count > 500), "{reasons:?}");
    let private = json!({"bid_rate": 1, "private_auction": true, "deals": [{"id": "d", "rate": 0.1, "bid_floor": 1}]});
    for (_, response) in documents(&private, 300) {
        let bids = response["seatbid"].as_array().map_or(0, Vec::len);
        assert_eq!(bids, 5);
    }
}

/// Full documents are made again on read, so they stay as they are. `UPDATE_GOLDEN=1` writes the file; only a new
/// content version is a reason to.
#[test]
fn full_documents_are_fixed() {
    let fnv = |text: &str| {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let all = texts(&rich(), 400);
    let mut found = String::new();
    for part in all.chunks(40) {
        let text: String = part.iter().flat_map(|(request, response)| [request.as_str(), response]).collect();
        found.push_str(&format!("{:016x}\n", fnv(&text)));
    }
    for (request, response) in all.iter().take(8) {
        found.push_str(&format!("{request}\n{response}\n"));
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/openrtb_v2.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
