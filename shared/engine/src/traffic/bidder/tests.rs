//! What a real bidder may answer, and what becomes of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, ContentSpec};

use super::*;
use crate::traffic::pack::{AuctionOutcome, EntryMode, PackedEntry};
use crate::traffic::render::{EntryContext, EntryRow, write_bid_request, write_csv, write_json};

const KEY: EntryKey = EntryKey { seed: 3, shard: 0, slot: 1, k: 2 };
const ID: &str = "run-0-1-2";
const CONTEXT: EntryContext<'static> =
    EntryContext { campaign_id: "c", run_id: "run", worker_id: "w", seed: 3, shard: 0, method: "POST", url: None };

fn content(extra: &Value) -> Content {
    let mut rtb = json!({"endpoint": "http://127.0.0.1:9/bid", "ad_formats": ["banner"], "floor": 0.85, "imps": 1});
    for (key, value) in extra.as_object().unwrap() {
        rtb[key] = value.clone();
    }
    let spec = ContentSpec::parse(&ContentInput { rtb_config: Some(&rtb), ..ContentInput::default() });
    Content::new(&spec.unwrap()).unwrap()
}

fn ask(content: &Content, body: Option<&[u8]>) -> Verdict {
    judge(&Question { content, key: KEY, id: ID, now_ms: 1_700_000_000_000 }, body).unwrap()
}

fn bid(extra: &Value) -> Value {
    let mut bid = json!({"id": "b", "impid": "1", "price": 1.0, "adid": "a 1",
        "nurl": "http://127.0.0.1/w?p=${AUCTION_PRICE}&m=${AUCTION_MIN_TO_WIN}&s=${AUCTION_SEAT_ID}&p64=${AUCTION_PRICE:B64}",
        "burl": "http://127.0.0.1/b?t=${AUCTION_IMP_TS}&i=${AUCTION_ID}",
        "lurl": "http://127.0.0.1/l?r=${AUCTION_LOSS}&m=${AUCTION_MIN_TO_WIN}"});
    for (key, value) in extra.as_object().unwrap() {
        bid[key] = value.clone();
    }
    bid
}

fn answer(bids: &[Value]) -> Vec<u8> {
    json!({"id": ID, "cur": "USD", "bidid": "x", "seatbid": [{"seat": "house", "bid": bids}]}).to_string().into_bytes()
}

fn urls(verdict: &Verdict) -> Vec<(NoticeKind, &str)> {
    verdict.notices.iter().map(|notice| (notice.kind, notice.url.as_str())).collect()
}

/// Section 4.4.1 of the standard: floor 0.85; bids 1.00, 0.90, 0.80.
#[test]
fn the_bids_are_auctioned_and_everyone_is_told() {
    let prices = [0.8, 1.0, 0.9].map(|price| bid(&json!({"price": price})));
    let verdict = ask(&content(&json!({"auction_type": 2})), Some(&answer(&prices)));
    assert_eq!(
        (verdict.auction.bids, verdict.auction.price_micros, verdict.auction.bid_micros),
        (3, 910_000, 1_000_000)
    );
    assert!(verdict.auction.outcome.is_won() && is_real(&verdict.auction) && !verdict.invalid);
    let expected = [
        (NoticeKind::Loss, "http://127.0.0.1/l?r=100&m=0.91"),
        (NoticeKind::Win, "http://127.0.0.1/w?p=0.91&m=0.9&s=house&p64=MC45MQ"),
        (NoticeKind::Bill, "http://127.0.0.1/b?t=1700000000000&i=run-0-1-2"),
        (NoticeKind::Loss, "http://127.0.0.1/l?r=102&m=0.91"),
    ];
    assert_eq!(urls(&verdict), expected);
    let silent = content(&json!({"notify": false}));
    assert!(ask(&silent, Some(&answer(&prices))).notices.is_empty());
    let (header, body) = Stored::read(verdict.stored.as_deref().unwrap()).unwrap();
    assert_eq!((header.winner.as_deref(), header.losses.as_slice()), (Some("house"), [100, 0, 102].as_slice()));
    assert_eq!(body, answer(&prices));
}

#[test]
fn answers_that_are_none() {
    let content = content(&json!({}));
    for body in ["", "{", "[]", r#"{"id":"other","seatbid":[]}"#, r#"{"id":7}"#] {
        let verdict = ask(&content, Some(body.as_bytes()));
        assert!(verdict.invalid && verdict.invalid_bids == 1, "{body}");
        assert_eq!((verdict.auction.outcome, verdict.auction.bids), (AuctionOutcome::NoBid, 0));
    }
    let euros = json!({"id": ID, "cur": "EUR", "seatbid": [{"bid": [bid(&json!({}))]}]}).to_string();
    assert!(ask(&content, Some(euros.as_bytes())).invalid);
    for body in [json!({}), json!({"id": ID}), json!({"id": ID, "nbr": 2}), json!({"id": ID, "seatbid": []})] {
        let verdict = ask(&content, Some(body.to_string().as_bytes()));
        assert!(!verdict.invalid && verdict.auction.outcome == AuctionOutcome::NoBid, "{body}");
    }
    let verdict = ask(&content, None);
    assert_eq!((verdict.invalid, verdict.stored, verdict.auction), (false, None, AuctionRecord::default()));
}

/// The loss reason of a bid that breaks one rule, and whether it counts as invalid.
#[test]
fn every_rule_has_its_reason() {
    let rules = json!({"wseat": ["house"], "badv": ["bad.example"], "bcat": ["IAB7"],
        "deals": [{"id": "d", "bid_floor": 0.5, "wseat": ["other"]}, {"id": "e", "bid_floor": 2.0, "wadomain": ["good.example"]}]});
    let cases = [
        (json!({"impid": "2"}), 3, true),
        (json!({"impid": "x"}), 3, true),
        (json!({"impid": "01"}), 3, true),
        (json!({"id": ""}), 3, true),
        (json!({"price": 0}), 9, true),
        (json!({"price": -1.5}), 9, true),
        (json!({"price": 5_000}), 9, true),
        (json!({"price": 0.849}), 100, false),
        (json!({"dealid": "nope"}), 4, false),
        (json!({"dealid": "d"}), 213, false),
        (json!({"dealid": "e"}), 213, false),
        (json!({"dealid": "e", "adomain": ["www.good.example"]}), 101, false),
        (json!({"adomain": ["shop.bad.example"]}), 205, false),
        (json!({"cat": ["IAB7-3"]}), 209, false),
        (json!({"mtype": 2}), 204, false),
        (json!({"w": 7, "h": 7}), 203, false),
        (json!({"w": 304, "h": 171}), 203, false),
    ];
    for (extra, code, invalid) in cases {
        let verdict = ask(&content(&rules), Some(&answer(&[bid(&extra)])));
        let (header, _) = Stored::read(verdict.stored.as_deref().unwrap()).unwrap();
        assert_eq!((header.losses.as_slice(), verdict.invalid), ([code].as_slice(), invalid), "{extra}");
        assert!(verdict.notices[0].url.contains(&format!("r={code}&")), "{:?}", verdict.notices);
        assert_eq!(verdict.auction.outcome, AuctionOutcome::Lost, "{extra}");
    }
    let fine = ask(&content(&rules), Some(&answer(&[bid(&json!({"adomain": ["notbad.example"], "cat": ["IAB70"]}))])));
    assert!(fine.auction.outcome.is_won());
    // The flexible shape of 16:9 that requests of sites offer.
    let site = content(&json!({"inventory": {"site": 1}}));
    assert!(ask(&site, Some(&answer(&[bid(&json!({"w": 640, "h": 360}))]))).auction.outcome.is_won());
    let stranger = ask(&content(&json!({"wseat": ["else"]})), Some(&answer(&[bid(&json!({}))])));
    assert!(stranger.notices[0].url.contains("r=104&"), "{:?}", stranger.notices);
    let private = ask(&content(&json!({"private_auction": true})), Some(&answer(&[bid(&json!({}))])));
    assert!(private.notices[0].url.contains("r=4&"), "{:?}", private.notices);
}

/// Floors of their own count for the figures of a lost auction, and an answer that is too long is none.
#[test]
fn a_lost_auction_shows_the_floor_that_it_missed() {
    let content = content(&json!({"floors": {"banner": 3.0}}));
    let header = |body: &[u8]| {
        let verdict = ask(&content, Some(body));
        (Stored::read(verdict.stored.as_deref().unwrap()).unwrap().0, verdict.invalid)
    };
    let (low, _) = header(&answer(&[bid(&json!({"price": 2.0}))]));
    assert_eq!((low.floor, low.min_to_win, low.losses.as_slice()), (3_000_000, 3_000_000, [100].as_slice()));
    assert_eq!(header(&answer(&[])).0.floor, 3_000_000);
    let mut long = answer(&[bid(&json!({"price": 4.0}))]);
    assert_eq!((header(&long).0.winner.as_deref(), header(&long).1), (Some("house"), false));
    long.resize(MAX_ANSWER + 1, b' ');
    assert_eq!((header(&long).0.winner, header(&long).1), (None, true));
}

/// Whatever users and bidders write, no URL grows without limit.
#[test]
fn long_names_are_not_multiplied_by_long_notices() {
    let hostile =
        bid(&json!({"lurl": format!("http://127.0.0.1/{}", "${AUCTION_SEAT_ID}".repeat(5_000)), "price": 0.1}));
    let body = json!({"id": ID, "seatbid": [{"seat": "s".repeat(50_000), "bid": [hostile]}]}).to_string();
    let verdict = ask(&content(&json!({})), Some(body.as_bytes()));
    assert!((1..200_000).contains(&verdict.notices[0].url.len()), "{}", verdict.notices[0].url.len());
}

#[test]
fn rivals_bid_only_when_there_are_some() {
    let alone = ask(&content(&json!({})), None);
    assert_eq!(alone.auction.bids, 0);
    let rivals = content(&json!({"bidders": 3, "bid_rate": 1, "bid_price": 2.5}));
    let lost = ask(&rivals, Some(&answer(&[bid(&json!({}))])));
    assert!(lost.auction.bids == 4 && lost.auction.outcome.is_won() && !is_real(&lost.auction));
    assert_eq!(urls(&lost)[0].1, "http://127.0.0.1/l?r=102&m=2.5");
    let won = ask(&rivals, Some(&answer(&[bid(&json!({"price": 3}))])));
    assert!(is_real(&won.auction));
}

/// A bid for a further impression, which has a lower floor, shows that floor in both formats.
#[test]
fn the_floor_is_that_of_the_impression_bid_for() {
    let content = content(&json!({"imps": 8, "profile": "basic", "floor": 2.0}));
    let k = (0..100).find(|k| content.rtb.as_ref().unwrap().imps(EntryKey { k: *k, ..KEY }) > 1).unwrap();
    let question = Question { content: &content, key: EntryKey { k, ..KEY }, id: ID, now_ms: 1 };
    let verdict = judge(&question, Some(&answer(&[bid(&json!({"impid": "2", "price": 1.7}))]))).unwrap();
    let auction = Some(verdict.auction);
    let entry = PackedEntry { slot: 1, k, mode: EntryMode::Http, auction, ..PackedEntry::default() };
    let blob = verdict.stored.as_deref();
    let row = EntryRow { content: &content, context: &CONTEXT, sequence: 1, scheduled_ns: 0, entry: &entry, blob };
    let (mut json, mut csv) = (Vec::new(), Vec::new());
    write_json(&mut json, &row);
    write_csv(&mut csv, &row);
    let shown = serde_json::from_slice::<Value>(&json).unwrap();
    assert_eq!((&shown["rtb"]["auction"]["floor"], &shown["rtb"]["auction"]["winner"]), (&json!(1.6), &json!("house")));
    assert!(String::from_utf8(csv).unwrap().ends_with(",1.7,USD,1.6,w\r\n"));
}

/// What the entry shows: the answer as it came, on one line, or that it was cut off.
#[test]
fn entries_show_the_answer() {
    let content = content(&json!({}));
    let show = |body: &[u8]| {
        let verdict = ask(&content, Some(body));
        let entry = PackedEntry {
            slot: 1,
            k: 2,
            mode: EntryMode::Http,
            auction: Some(verdict.auction),
            ..PackedEntry::default()
        };
        let blob = verdict.stored.as_deref();
        let mut out = Vec::new();
        write_json(
            &mut out,
            &EntryRow { content: &content, context: &CONTEXT, sequence: 1, scheduled_ns: 0, entry: &entry, blob },
        );
        assert!(!out.contains(&b'\n'));
        serde_json::from_slice::<Value>(&out).unwrap()["rtb"].take()
    };
    let pretty =
        serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&answer(&[bid(&json!({}))])).unwrap()).unwrap();
    let shown = show(&pretty);
    assert_eq!(shown["bid_response"], serde_json::from_slice::<Value>(&pretty).unwrap());
    assert_eq!((&shown["auction"]["winner"], &shown["auction"]["bidder_won"]), (&json!("house"), &json!(true)));
    assert_eq!(shown["bid_response_bytes"], pretty.len());
    assert_eq!(shown["bid_request"]["id"], ID);
    let long = show(&answer(&[bid(&json!({"adm": "x".repeat(9_000)}))]));
    assert_eq!((&long["bid_response"], &long["bid_response_cut"]), (&Value::Null, &json!(true)));
    assert_eq!(long["bid_response_text"].as_str().unwrap().len(), MAX_STORED_BODY);
    assert_eq!(long["auction"]["winner"], "house");
    // What would spoil the entry around it is shown as a text.
    let deep = format!("{{\"id\":\"{ID}\",\"ext\":{}{}}}", "[".repeat(120), "]".repeat(120));
    for spoilt in
        [&b"<html>\n\xff"[..], b"{\"ext\":\"\xff\"}", b"{\"ext\":\"\\ud800\"}", b"{\"ext\":1e999}", deep.as_bytes()]
    {
        let shown = show(spoilt);
        assert_eq!((&shown["bid_response"], &shown["bid_response_cut"]), (&Value::Null, &json!(false)), "{spoilt:?}");
        assert!(shown["bid_response_text"].is_string());
    }
}

#[test]
fn the_request_that_is_sent_has_the_same_id() {
    let mut out = Vec::new();
    assert!(write_bid_request(&mut out, &content(&json!({})), KEY, ID));
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap()["id"], ID);
    // Categories are texts of the user's like all others.
    let odd = ["IAB7\u{301}", "a\"b\\c"];
    out.clear();
    assert!(write_bid_request(&mut out, &content(&json!({"bcat": odd})), KEY, ID));
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap()["bcat"], json!(odd));
}

proptest! {
    #[test]
    fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let verdict = ask(&content(&json!({})), Some(&bytes));
        prop_assert!(verdict.invalid);
    }

    #[test]
    fn any_damage_is_borne(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = answer(&[bid(&json!({}))]);
        let place = place.index(body.len());
        body[place] = byte;
        let verdict = ask(&content(&json!({})), Some(&body));
        prop_assert!(verdict.notices.len() <= 2);
        prop_assert!(verdict.stored.unwrap().len() < MAX_STORED_BODY);
    }
}
