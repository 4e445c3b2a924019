//! A real bidder end to end: its bids, refusals, late and broken answers, and the notices it hears.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Entries, Target};

fn session(endpoint: &str, seconds: f64, http_version: &str, rtb: Value) -> Value {
    let mut rtb_config = rtb;
    rtb_config["endpoint"] = json!(endpoint);
    json!({
        "requests_per_minute": 2400,
        "duration_minutes": seconds / 60.0,
        "rtb_config": rtb_config,
        "config": {"seed": 8, "http_version": http_version},
    })
}

fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {value}"))
}

/// Two campaigns at once: one whose bidder is sometimes silent and sometimes late, one over HTTP/2 whose bidder breaks
/// the standard.
#[tokio::test]
async fn bids_are_auctioned_told_and_stored() {
    let cluster = Cluster::with_workers(1).await;
    let api = &cluster.api;
    let (late, broken) = (Target::start(&[]).await, Target::start(&[]).await);
    let tardy = format!("{}/openrtb2/bid?no_bid=0.2&slow=0.1&slow_ms=4000&bids=2", late.url);
    let wrong = format!("{}/openrtb2/bid?no_bid=0.1&invalid=0.4", broken.url);
    let (first, _) = api.start(&session(&tardy, 4.0, "1.1", json!({"tmax": 1500, "floor": 0.4, "imps": 3}))).await;
    let (second, _) =
        api.start(&session(&wrong, 3.0, "2", json!({"tmax": 5000, "floor": 0.4, "auction_type": 2}))).await;
    for id in [&first, &second] {
        api.wait_for(id, "completed", Duration::from_secs(40)).await;
    }
    check_late(&api.stats(&first).await, &late.stats().await["auctions"]);
    let seen = broken.stats().await;
    check_broken(&api.stats(&second).await, &seen["auctions"]);
    assert!(number(&seen, "/http2_connections") > 0, "{seen}");
    check_entries(&Entries::read(api, &first).await.0);
    let monitor = api.get(&format!("/api/traffic/monitor/{first}")).await.expect(200);
    assert_eq!(monitor["data"]["rtb"], api.stats(&first).await["rtb"]);
}

fn check_late(stats: &Value, target: &Value) {
    let rtb = &stats["rtb"];
    assert_eq!(number(stats, "/total_requests"), 160);
    assert_eq!((number(rtb, "/requests"), number(rtb, "/bidder/requests")), (160, 160));
    assert_eq!(number(target, "/requests"), 160);
    let timeouts = number(rtb, "/bidder/bid_timeouts");
    assert_eq!(timeouts, number(target, "/slow"), "{stats} {target}");
    assert_eq!(number(stats, "/errors/timeout"), timeouts);
    assert!((4..40).contains(&timeouts) && number(target, "/no_bids") > 10, "{target}");
    // Two bids in each answer that came: the higher one wins, the other loses.
    let wins = number(rtb, "/bidder/wins");
    assert_eq!((number(rtb, "/bids"), number(rtb, "/impressions")), (2 * wins, wins));
    assert_eq!(number(rtb, "/no_bids") + wins, 160);
    for told in ["/wins", "/bills", "/losses"] {
        assert_eq!(number(target, told), wins, "{told} of {target}");
    }
    assert_eq!(number(rtb, "/bidder/notices_sent"), 3 * wins);
    assert_eq!((number(rtb, "/bidder/notices_failed"), number(rtb, "/bidder/notices_dropped")), (0, 0));
    assert_eq!(number(target, "/unmarked_notices"), 0);
}

fn check_broken(stats: &Value, target: &Value) {
    let rtb = &stats["rtb"];
    let invalid = number(rtb, "/bidder/invalid_bids");
    assert_eq!(invalid, number(target, "/invalid"), "{stats} {target}");
    assert_eq!(number(stats, "/errors/protocol"), invalid);
    assert!(invalid > 20, "{target}");
    let wins = number(rtb, "/bidder/wins");
    assert_eq!((number(target, "/bids"), number(target, "/wins")), (wins, wins));
    assert_eq!(number(rtb, "/no_bids") + number(rtb, "/lost") + wins, 120, "{rtb}");
    // Bids that break the standard and yet say where to complain are told why they lost.
    let told: u64 = ["/wins", "/bills", "/losses"].iter().map(|kind| number(target, kind)).sum();
    assert_eq!(number(rtb, "/bidder/notices_sent"), told);
}

/// An entry shows what the bidder answered, and an answer that came too late is not in it.
fn check_entries(entries: &[Value]) {
    let mut answered = 0;
    for entry in entries {
        let rtb = &entry["rtb"];
        assert_eq!((&rtb["bid_request"]["id"], &rtb["bid_request"]["test"]), (&entry["id"], &json!(1)));
        assert_eq!(entry["method"], "POST");
        let response = &rtb["bid_response"];
        if response.is_null() {
            assert!(entry["status_code"] == 204 || entry["error"] == "timeout", "{entry}");
            assert_eq!(rtb["auction"]["outcome"], "no_bid");
            continue;
        }
        answered += 1;
        assert_eq!((&response["id"], &response["seatbid"][0]["seat"]), (&entry["id"], &json!("house")));
        assert_eq!(response["seatbid"][0]["bid"].as_array().map(Vec::len), Some(2));
        let auction = &rtb["auction"];
        assert_eq!((&auction["winner"], &auction["bidder_won"]), (&json!("house"), &json!(true)));
        assert_eq!(auction["clearing_price"], response["seatbid"][0]["bid"][0]["price"]);
        assert_eq!(auction["loss_reasons"], json!([102]));
        let imps = rtb["bid_request"]["imp"].as_array().map_or(0, Vec::len);
        assert!((1..=3).contains(&imps) && rtb["bid_response_bytes"].as_u64() > Some(500), "{rtb}");
    }
    assert!(answered > 80, "{answered}");
}

#[tokio::test]
async fn an_endpoint_obeys_the_allow_list_and_mistakes_name_their_key() {
    let cluster = Cluster::with_workers(0).await;
    let refused = cluster.api.post("/api/sessions/", &json!({"rtb_config": {"endpoint": "http://10.1.2.3/bid"}})).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("target_not_allowed")), "{}", refused.text);
    assert_eq!(refused.body["details"][0]["field"], "rtb_config.endpoint", "{}", refused.text);
    assert!(refused.text.contains("10.1.2.3"), "{}", refused.text);
    // An endpoint is a target also where a campaign is made by starting it.
    let body = json!({"campaign_id": "x", "requests_per_minute": 1, "rtb_config": {"endpoint": "http://10.1.2.3/bid"}});
    assert_eq!(cluster.api.post("/api/traffic/generate", &body).await.status, 403);
    cluster
        .api
        .create(&json!({"rtb_config": {"endpoint": "http://10.1.2.3/bid"}, "config": {"mode": "simulate"}}))
        .await;
    // Notices count towards what one target may get: 30 000 requests a second may lead to four notices each.
    let fast = |notify: bool| {
        let rtb = json!({"endpoint": "http://127.0.0.1:9/bid", "notify": notify});
        json!({"campaign_id": format!("fast-{notify}"), "requests_per_minute": 30_000 * 60, "rtb_config": rtb})
    };
    let capped = cluster.api.post("/api/traffic/generate", &fast(true)).await;
    assert_eq!(capped.status, 409, "{}", capped.text);
    assert!(capped.text.contains("asks for 150000/s with 4 notices"), "{}", capped.text);
    cluster.api.post("/api/traffic/generate", &fast(false)).await.expect(200);
    for (rtb, field) in [
        (json!({"endpoint": "http://user@127.0.0.1/"}), "rtb_config.endpoint"),
        (json!({"endpoint": 7}), "rtb_config.endpoint"),
        (json!({"imps": 99}), "rtb_config.imps"),
        (json!({"deals": [{"id": "d", "priority": -1}]}), "rtb_config.deals[0].priority"),
    ] {
        let wrong = cluster.api.post("/api/sessions/", &json!({ "rtb_config": rtb })).await;
        assert_eq!(wrong.status, 400, "{}", wrong.text);
        assert_eq!(wrong.body["details"][0]["field"], field, "{}", wrong.text);
    }
}

/// `/test` shows the documents that an `rtb_config` leads to, checks them and draws the funnel.
#[tokio::test]
async fn the_trial_shows_an_auction_and_checks_it() {
    let cluster = Cluster::with_workers(0).await;
    let body = json!({
        "test_type": "generate_traffic_data", "count": 300, "seed": 4,
        "rtb_config": {"bidders": ["alpha", "beta"], "imps": 2, "floors": {"video": 3}, "auction_type": 2, "bid_rate": 1,
            "deals": [{"id": "deal-1", "rate": 0.5, "bid_floor": 1, "priority": 1}]},
    });
    let answer = cluster.api.post("/api/traffic/test", &body).await.expect(200);
    assert_eq!(answer["success"], true, "{}", answer["verification"]);
    let rtb = &answer["rtb"];
    assert_eq!((&rtb["validation"]["valid"], &rtb["validation"]["faults"]), (&json!(true), &json!([])));
    assert_eq!(rtb["bid_response"]["id"], rtb["bid_request"]["id"]);
    assert!(["alpha", "beta"].iter().any(|seat| rtb["auction"]["winner"] == *seat), "{rtb}");
    assert_eq!(rtb["funnel"]["requests"], rtb["validation"]["requests"]);
    assert!(number(rtb, "/funnel/impressions") > 100 && rtb["funnel"]["fill_rate"].as_f64() > Some(50.0), "{rtb}");
    let plain = json!({"test_type": "simulate_request", "rtb_config": {"enabled": false}});
    assert!(cluster.api.post("/api/traffic/test", &plain).await.expect(200)["rtb"].is_null());
}
