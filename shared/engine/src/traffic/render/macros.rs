//! The substitution macros of `OpenRTB` 2.6, section 4.4, in notice URLs and markup.

use super::json::{push_decimal, push_whole};

/// What the macros are replaced by; prices are micros per thousand. What is not known is left empty, as the standard says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MacroValues<'a> {
    /// `BidRequest.id`.
    pub auction_id: &'a str,
    /// `BidResponse.bidid`.
    pub bid_id: &'a str,
    /// `Imp.id`.
    pub imp_id: &'a str,
    /// `SeatBid.seat`.
    pub seat_id: &'a str,
    /// `Bid.adid`.
    pub ad_id: &'a str,
    /// Clearing price.
    pub price: Option<u32>,
    /// Price that was bid, for the market bid ratio.
    pub bid_price: Option<u32>,
    /// Currency of the bid.
    pub currency: &'a str,
    /// Loss reason.
    pub loss: Option<u32>,
    /// Least bid to win.
    pub min_to_win: Option<u32>,
    /// Impressions won, in thousandths.
    pub multiplier: Option<u32>,
    /// Moment of the impression, in milliseconds since 1970.
    pub imp_ts: Option<u64>,
    /// Discount in thousandths of a per cent.
    pub discount_pct: Option<u32>,
    /// Discount.
    pub discount_cpm: Option<u32>,
}

/// Digits after the point of micros, and of the thousandths that some macros use.
const MICROS: u32 = 6;
const THOUSANDTHS: u32 = 3;

/// A text that has grown beyond this is not finished: no URL is as long, and a bidder chooses both the template and some
/// of the values.
const MAX_EXPANDED: usize = 16 * 1024;

/// Appends `template` with its macros replaced. `:B64` asks for Base64 (RFC 4648, section 5, without padding);
/// macros and encodings that nobody agreed on stay as they are.
pub fn expand_macros(out: &mut Vec<u8>, template: &str, values: &MacroValues<'_>) {
    let begin = out.len();
    let mut rest = template;
    while let Some((plain, tail)) = rest.split_once("${") {
        if out.len() - begin > MAX_EXPANDED {
            return;
        }
        out.extend_from_slice(plain.as_bytes());
        let Some((inside, after)) = tail.split_once('}') else {
            out.extend_from_slice(b"${");
            rest = tail;
            break;
        };
        let (name, encoding) = inside.split_once(':').unwrap_or((inside, ""));
        let start = out.len();
        match (push_value(out, name, values), encoding) {
            (true, "") => {}
            (true, "B64") => {
                let value = out.split_off(start);
                push_base64(out, &value);
            }
            _ => {
                out.truncate(start);
                for part in ["${", inside, "}"] {
                    out.extend_from_slice(part.as_bytes());
                }
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
}

/// False when there is no such macro.
fn push_value(out: &mut Vec<u8>, name: &str, values: &MacroValues<'_>) -> bool {
    let decimal = |out: &mut Vec<u8>, value: Option<u32>, places| {
        if let Some(value) = value {
            push_decimal(out, u64::from(value), places);
        }
    };
    match name {
        "AUCTION_ID" => out.extend_from_slice(values.auction_id.as_bytes()),
        "AUCTION_BID_ID" => out.extend_from_slice(values.bid_id.as_bytes()),
        "AUCTION_IMP_ID" => out.extend_from_slice(values.imp_id.as_bytes()),
        "AUCTION_SEAT_ID" => out.extend_from_slice(values.seat_id.as_bytes()),
        "AUCTION_AD_ID" => out.extend_from_slice(values.ad_id.as_bytes()),
        "AUCTION_CURRENCY" => out.extend_from_slice(values.currency.as_bytes()),
        "AUCTION_PRICE" => decimal(out, values.price, MICROS),
        "AUCTION_MIN_TO_WIN" => decimal(out, values.min_to_win, MICROS),
        "AUCTION_DISCOUNT_CPM" => decimal(out, values.discount_cpm, MICROS),
        "AUCTION_DISCOUNT_PCT" => decimal(out, values.discount_pct, THOUSANDTHS),
        "AUCTION_MULTIPLIER" => decimal(out, values.multiplier, THOUSANDTHS),
        "AUCTION_LOSS" => decimal(out, values.loss, 0),
        "AUCTION_MBR" => {
            if let (Some(price), Some(bid)) = (values.price, values.bid_price.filter(|bid| *bid > 0)) {
                push_decimal(out, u64::from(price) * 1_000_000 / u64::from(bid), MICROS);
            }
        }
        "AUCTION_IMP_TS" => {
            if let Some(moment) = values.imp_ts {
                push_whole(out, moment);
            }
        }
        _ => return false,
    }
    true
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for group in bytes.chunks(3) {
        let mut word = 0u32;
        for place in 0..3 {
            word = (word << 8) | u32::from(group.get(place).copied().unwrap_or(0));
        }
        for place in 0..=group.len() {
            let letter = (word >> (18 - 6 * place)) & 63;
            out.extend(LETTERS.get(crate::traffic::cast::index(letter)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const VALUES: MacroValues<'static> = MacroValues {
        auction_id: "a1",
        bid_id: "b1",
        imp_id: "1",
        seat_id: "s1",
        ad_id: "ad1",
        price: Some(910_000),
        bid_price: Some(1_000_000),
        currency: "USD",
        loss: Some(102),
        min_to_win: Some(900_000),
        multiplier: Some(12_500),
        imp_ts: Some(1_700_000_000_123),
        discount_pct: Some(2_500),
        discount_cpm: Some(30_000),
    };

    fn expand(template: &str, values: &MacroValues<'_>) -> String {
        let mut out = Vec::new();
        expand_macros(&mut out, template, values);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_fourteen() {
        for (name, expected) in [
            ("ID", "a1"),
            ("BID_ID", "b1"),
            ("IMP_ID", "1"),
            ("SEAT_ID", "s1"),
            ("AD_ID", "ad1"),
            ("PRICE", "0.91"),
            ("CURRENCY", "USD"),
            ("MBR", "0.91"),
            ("LOSS", "102"),
            ("MIN_TO_WIN", "0.9"),
            ("MULTIPLIER", "12.5"),
            ("IMP_TS", "1700000000123"),
            ("DISCOUNT_PCT", "2.5"),
            ("DISCOUNT_CPM", "0.03"),
        ] {
            let template = format!("https://x.example/?v=${{AUCTION_{name}}}&z");
            assert_eq!(expand(&template, &VALUES), format!("https://x.example/?v={expected}&z"));
            if !expected.chars().any(char::is_alphabetic) {
                assert_eq!(expand(&template, &MacroValues::default()), "https://x.example/?v=&z", "{name}");
            }
        }
    }

    #[test]
    fn long_values_in_long_templates_are_not_multiplied() {
        let seat = "s".repeat(10_000);
        let values = MacroValues { seat_id: &seat, ..VALUES };
        let expanded = expand(&"${AUCTION_SEAT_ID}".repeat(5_000), &values);
        assert!((MAX_EXPANDED..3 * MAX_EXPANDED).contains(&expanded.len()), "{}", expanded.len());
    }

    #[test]
    fn encodings_and_what_is_left_alone() {
        assert_eq!(expand("${AUCTION_PRICE:B64}", &VALUES), "MC45MQ");
        assert_eq!(expand("${AUCTION_CURRENCY:B64}|${AUCTION_ID:B64}", &VALUES), "VVNE|YTE");
        for untouched in ["${AUCTION_PRICE:ROT13}", "${OTHER}", "$ {x} ${", "plain", "${AUCTION_ID"] {
            assert_eq!(expand(untouched, &VALUES), untouched);
        }
    }
}
