//! The target as an OpenRTB 2.6 bidder: bids on one of the impressions, or none, late or broken answers on demand.

use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;
use serde_json::json;

use super::auctions::Auctions;
use super::behaviour::unit;

/// What the bidder reads of a bid request; everything else is ignored.
#[derive(Deserialize)]
struct BidRequest {
    id: String,
    imp: Vec<Imp>,
    #[serde(default)]
    cur: Vec<String>,
}

#[derive(Deserialize)]
struct Imp {
    id: String,
    #[serde(default)]
    bidfloor: f64,
    #[serde(default)]
    bidfloorcur: Option<String>,
    banner: Option<Banner>,
    video: Option<Video>,
    native: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Banner {
    w: Option<u32>,
    h: Option<u32>,
    #[serde(default)]
    format: Vec<Format>,
}

#[derive(Deserialize)]
struct Format {
    w: Option<u32>,
    h: Option<u32>,
}

#[derive(Deserialize)]
struct Video {
    w: Option<u32>,
    h: Option<u32>,
}

/// How the bidder behaves, from the query of its URL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    /// Chance of no bid.
    no_bid: f64,
    /// Chance of an answer that comes late, and how late.
    slow: f64,
    slow_for: Duration,
    /// Chance of an answer that breaks the standard.
    invalid: f64,
    /// Bids in an answer, each below the one before.
    bids: u32,
}

impl Manner {
    pub(super) fn read(query: &str, no_bid: f64) -> Self {
        let field = |name: &str| {
            let value = query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse::<f64>().ok()).filter(|value| value.is_finite() && *value >= 0.0)
        };
        let slow_for = field("slow_ms").unwrap_or(500.0).min(60_000.0);
        let bids = query.split('&').find_map(|field| field.strip_prefix("bids=")).and_then(|value| value.parse().ok());
        Self {
            no_bid: field("no_bid").unwrap_or(no_bid),
            slow: field("slow").unwrap_or(0.0),
            slow_for: Duration::from_secs_f64(slow_for / 1000.0),
            invalid: field("invalid").unwrap_or(0.0),
            bids: bids.unwrap_or(1).clamp(1, 8),
        }
    }
}

/// Writes the whole HTTP answer to a bid request: 200 with bids, 204 without, 400 for anything else. Comes back with
/// what it counts and how long it waits.
pub(super) fn answer(
    body: &[u8],
    manner: &Manner,
    host: &str,
    rng: &mut Xoshiro256PlusPlus,
    out: &mut Vec<u8>,
) -> (Auctions, Duration) {
    let mut counts = Auctions::default();
    let request = serde_json::from_slice::<BidRequest>(body);
    let Some((request, imp)) = request.as_ref().ok().and_then(|request| Some((request, pick(request, rng)?))) else {
        out.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return (counts, Duration::ZERO);
    };
    let [none, late, wrong, raise] = [(); 4].map(|()| unit(rng));
    counts.requests = 1;
    if none < manner.no_bid {
        counts.no_bids = 1;
        out.extend_from_slice(b"HTTP/1.1 204 No Content\r\nx-openrtb-version: 2.6\r\n\r\n");
    } else if wrong < manner.invalid {
        counts.invalid = 1;
        write_json(&broken(request, imp, raise, host), out);
    } else {
        counts.bids = u64::from(manner.bids);
        write_json(&response(request, imp, manner.bids, raise, host).to_string(), out);
    }
    if late < manner.slow {
        counts.slow = 1;
        return (counts, manner.slow_for);
    }
    (counts, Duration::ZERO)
}

/// One impression of the request.
fn pick<'r>(request: &'r BidRequest, rng: &mut Xoshiro256PlusPlus) -> Option<&'r Imp> {
    let chance = unit(rng);
    let place = (0_u32..).zip(&request.imp).find(|(place, _)| f64::from(place + 1) > chance * request.imp.len() as f64);
    place.map(|(_, imp)| imp)
}

/// An answer that breaks the standard in one of five ways.
fn broken(request: &BidRequest, imp: &Imp, raise: f64, host: &str) -> String {
    let mut response = response(request, imp, 1, raise, host);
    let mut set = |path: &str, value: serde_json::Value| {
        if let Some(member) = response.pointer_mut(path) {
            *member = value;
        }
    };
    match raise {
        ..0.2 => return "{\"id\": ".to_owned(),
        0.2..0.4 => set("/id", json!("another")),
        0.4..0.6 => set("/seatbid/0/bid/0/impid", json!("none")),
        0.6..0.8 => set("/seatbid/0/bid/0/price", json!(0)),
        _ => set("/cur", json!("XTS")),
    }
    response.to_string()
}

fn response(request: &BidRequest, imp: &Imp, bids: u32, raise: f64, host: &str) -> serde_json::Value {
    let currency = imp.bidfloorcur.as_ref().or_else(|| request.cur.first()).map_or("USD", String::as_str);
    let bid = |number: u32| {
        // Rounded up to a hundredth, so that the floor holds whatever its decimals are; the first is the highest.
        let cents = (imp.bidfloor.max(0.01) * (1.0 + raise) * 100.0).ceil() + f64::from(bids - number);
        let price = cents / 100.0;
        let notice = |kind: &str, tail: &str| format!("http://{host}/notice/{kind}?id=${{AUCTION_ID}}{tail}");
        let mut bid = json!({
            "id": format!("{}-{number}", request.id), "impid": imp.id, "price": price, "adid": "house-1",
            "adomain": ["advertiser.example"], "cid": "campaign-1", "crid": "creative-1", "cat": ["IAB1"],
            "adm": markup(imp), "mtype": markup_type(imp),
            "nurl": notice("win", "&price=${AUCTION_PRICE}&min=${AUCTION_MIN_TO_WIN}&cur=${AUCTION_CURRENCY}"),
            "burl": notice("bill", "&price=${AUCTION_PRICE:B64}&imp=${AUCTION_IMP_ID}&ts=${AUCTION_IMP_TS}"),
            "lurl": notice("loss", "&reason=${AUCTION_LOSS}&min=${AUCTION_MIN_TO_WIN}"),
        });
        if let (Some((w, h)), Some(fields)) = (size(imp), bid.as_object_mut()) {
            fields.insert("w".into(), w.into());
            fields.insert("h".into(), h.into());
        }
        bid
    };
    let bids: Vec<serde_json::Value> = (1..=bids).map(bid).collect();
    json!({
        "id": request.id, "bidid": format!("{}-r", request.id), "cur": currency,
        "seatbid": [{ "seat": "house", "bid": bids }],
    })
}

fn write_json(body: &str, out: &mut Vec<u8>) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-openrtb-version: 2.6\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body.as_bytes());
}

/// The creative's type as the standard numbers it: 1 banner, 2 video, 3 audio, 4 native.
const fn markup_type(imp: &Imp) -> u8 {
    match imp {
        Imp { banner: Some(_), .. } => 1,
        Imp { video: Some(_), .. } => 2,
        Imp { native: Some(_), .. } => 4,
        _ => 3,
    }
}

const fn markup(imp: &Imp) -> &'static str {
    match markup_type(imp) {
        1 => "<a href=\"https://advertiser.example/\">ad</a>",
        4 => "{\"native\":{\"ver\":\"1.2\",\"link\":{\"url\":\"https://advertiser.example/\"},\"assets\":[]}}",
        _ => "<VAST version=\"4.2\"></VAST>",
    }
}

fn size(imp: &Imp) -> Option<(u32, u32)> {
    let banner = imp.banner.as_ref().and_then(|banner| {
        let fixed = banner.w.zip(banner.h);
        fixed.or_else(|| banner.format.first().and_then(|format| format.w.zip(format.h)))
    });
    banner.or_else(|| imp.video.as_ref().and_then(|video| video.w.zip(video.h)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    fn ask(body: &str, no_bid: f64) -> String {
        let mut out = Vec::new();
        answer(body.as_bytes(), &Manner::read("", no_bid), "h:1", &mut Xoshiro256PlusPlus::seed_from_u64(3), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn late_broken_and_several_bids_on_demand() {
        let request = br#"{"id":"q","imp":[{"id":"1","bidfloor":1}]}"#;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let mut total = Auctions::default();
        let manner = Manner::read("no_bid=0.2&slow=0.3&slow_ms=50&invalid=0.5&bids=3", 0.0);
        for _ in 0..200 {
            let mut out = Vec::new();
            let (counts, wait) = answer(request, &manner, "h:1", &mut rng, &mut out);
            assert_eq!(wait.as_millis(), if counts.slow == 1 { 50 } else { 0 });
            assert_eq!(counts.no_bids == 1, out.starts_with(b"HTTP/1.1 204"));
            let text = String::from_utf8(out).unwrap();
            assert_eq!(counts.bids, text.matches("/notice/loss?id=").count() as u64 * (1 - counts.invalid));
            total.add(&counts);
        }
        assert!(total.no_bids > 20 && total.slow > 30 && total.invalid > 50 && total.bids > 100, "{total:?}");
    }

    #[test]
    fn a_bid_answers_its_impression_above_the_floor() {
        let request = r#"{"id":"q","imp":[{"id":"1","bidfloor":1.234,"bidfloorcur":"EUR","banner":{"format":[{"w":300,"h":250}]}}]}"#;
        let text = ask(request, 0.0);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("x-openrtb-version: 2.6"));
        let response: serde_json::Value = serde_json::from_str(body).unwrap();
        let bid = &response["seatbid"][0]["bid"][0];
        assert_eq!(
            (&response["id"], &response["cur"], &bid["impid"], &bid["w"]),
            (&json!("q"), &json!("EUR"), &json!("1"), &json!(300))
        );
        assert!(bid["price"].as_f64().unwrap() >= 1.234);
    }

    #[test]
    fn no_bid_and_nonsense() {
        assert!(ask(r#"{"id":"q","imp":[{"id":"1"}]}"#, 1.0).starts_with("HTTP/1.1 204"));
        for body in ["", "{", "{}", r#"{"id":"q","imp":[]}"#] {
            assert!(ask(body, 0.0).starts_with("HTTP/1.1 400"), "{body}");
        }
    }
}
