//! The target as an OpenRTB 2.6 bidder: one bid on the first impression, or none.

use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;
use serde_json::json;

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

/// Writes the whole HTTP answer to a bid request: 200 with a bid, 204 without one, 400 for anything else.
pub(super) fn answer(body: &[u8], no_bid: f64, rng: &mut Xoshiro256PlusPlus, out: &mut Vec<u8>) {
    let request = serde_json::from_slice::<BidRequest>(body);
    let (chance, raise) = (unit(rng), unit(rng));
    match request.as_ref().map(|request| (request, request.imp.first())) {
        Ok((_, Some(_))) if chance < no_bid => {
            out.extend_from_slice(b"HTTP/1.1 204 No Content\r\nx-openrtb-version: 2.6\r\n\r\n")
        }
        Ok((request, Some(imp))) => write_bid(request, imp, raise, out),
        _ => out.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    }
}

fn write_bid(request: &BidRequest, imp: &Imp, raise: f64, out: &mut Vec<u8>) {
    let currency = imp.bidfloorcur.as_ref().or_else(|| request.cur.first()).map_or("USD", String::as_str);
    // Rounded up to a hundredth, so that the floor holds whatever its decimals are.
    let price = ((imp.bidfloor.max(0.01) * (1.0 + raise)) * 100.0).ceil() / 100.0;
    let mut bid = json!({
        "id": format!("{}-1", request.id), "impid": imp.id, "price": price, "adid": "house-1", "adomain": ["advertiser.example"],
        "cid": "campaign-1", "crid": "creative-1", "cat": ["IAB1"], "adm": markup(imp), "mtype": markup_type(imp),
        "nurl": "http://127.0.0.1/win?price=${AUCTION_PRICE}",
    });
    if let (Some((w, h)), Some(fields)) = (size(imp), bid.as_object_mut()) {
        fields.insert("w".into(), w.into());
        fields.insert("h".into(), h.into());
    }
    let response = json!({
        "id": request.id, "bidid": format!("{}-r", request.id), "cur": currency,
        "seatbid": [{ "seat": "house", "bid": [bid] }],
    });
    let body = response.to_string();
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
        answer(body.as_bytes(), no_bid, &mut Xoshiro256PlusPlus::seed_from_u64(3), &mut out);
        String::from_utf8(out).unwrap()
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
