//! The parts of a bid response (section 4.2) that decide anything; types are held strictly, the rest is let be.

use std::borrow::Cow;

use serde::Deserialize;

/// A whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(default, borrow)]
    pub(super) seatbid: Vec<SeatBid<'a>>,
    #[serde(default, borrow)]
    pub(super) bidid: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) cur: Option<Cow<'a, str>>,
    #[serde(default, rename = "nbr")]
    _nbr: Option<i64>,
}

/// The bids of one seat.
#[derive(Debug, Deserialize)]
pub(super) struct SeatBid<'a> {
    #[serde(borrow)]
    pub(super) bid: Vec<BidIn<'a>>,
    #[serde(default, borrow)]
    pub(super) seat: Option<Cow<'a, str>>,
}

/// One bid.
#[derive(Debug, Deserialize)]
pub(super) struct BidIn<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) impid: Cow<'a, str>,
    pub(super) price: f64,
    #[serde(default, borrow)]
    pub(super) nurl: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) burl: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) lurl: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    pub(super) adid: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) adomain: Vec<String>,
    #[serde(default)]
    pub(super) cat: Vec<String>,
    #[serde(default, borrow)]
    pub(super) dealid: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) w: Option<u32>,
    #[serde(default)]
    pub(super) h: Option<u32>,
    #[serde(default)]
    pub(super) mtype: Option<u8>,
}

impl<'a> Response<'a> {
    /// The answer to the request `id` in `currency`; none when it is something else.
    pub(super) fn read(body: &'a [u8], id: &str, currency: &str) -> Option<Self> {
        let response: Self = serde_json::from_slice(body).ok()?;
        // An answer that names no currency is in dollars.
        let own = response.cur.as_deref().unwrap_or("USD");
        let fits = response.seatbid.is_empty() || own == currency;
        (response.id == id && fits).then_some(response)
    }
}
