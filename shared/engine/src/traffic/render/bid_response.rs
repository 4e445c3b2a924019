//! `OpenRTB` 2.6 bid responses (section 4.2): the highest bid of the auction.

use trafficlab_shared::model::content::AdFormat;

use super::creative;
use super::entry::quoted;
use super::json::{Object, push_whole};
use crate::traffic::auction::rtb::{BRANDS, PreparedRtb};
use crate::traffic::pack::AuctionRecord;
use crate::traffic::rng::{Domain, EntryKey, EntryRng};
use crate::traffic::visitor::Profile;

pub(super) fn write(
    out: &mut Vec<u8>,
    rtb: &PreparedRtb,
    auction: &AuctionRecord,
    profile: &Profile<'_>,
    key: EntryKey,
    id: &dyn Fn(&mut Vec<u8>),
) {
    let mut stream = EntryRng::new(key, Domain::Markup);
    let brand = stream.below32(BRANDS) + 1;
    let creative = stream.below32(9) + 1;
    let mut response = Object::begin(out);
    quoted(response.key("id"), |out| id(out));
    let mut seats = response.array("seatbid");
    let mut seat = seats.object();
    let mut bids = seat.array("bid");
    let mut bid = bids.object();
    bid.text("id", "1");
    let imp = PreparedRtb::imp_of(key, auction.seat, rtb.imps(key));
    quoted(bid.key("impid"), |out| push_whole(out, u64::from(imp) + 1));
    bid.decimal("price", u64::from(auction.bid_micros), 6);
    write_notices(&mut bid, auction.seat, &NOTICES);
    advert(&mut bid, brand, creative, auction.seat);
    creative::write(&mut bid, profile, profile.ad_size, brand);
    if let Some(deal) = auction.deal.checked_sub(1).and_then(|place| rtb.spec.deals.get(usize::from(place))) {
        bid.text("dealid", &deal.id);
    }
    bid.whole("mtype", markup_type(profile.ad_format));
    bid.end();
    bids.end();
    seat.text("seat", rtb.seat(auction.seat));
    seat.end();
    seats.end();
    quoted(response.key("bidid"), |out| id(out));
    response.text("cur", &rtb.spec.currency);
    response.end();
}

/// `Bid.mtype`.
pub(super) const fn markup_type(format: AdFormat) -> u64 {
    match format {
        AdFormat::Banner => 1,
        AdFormat::Video => 2,
        AdFormat::Audio => 3,
        AdFormat::Native => 4,
    }
}

/// Win, billing and loss notices, with the macros that an exchange fills in (section 4.4).
const NOTICES: [(&str, &str); 3] = [
    ("nurl", "/win?id=${AUCTION_ID}&price=${AUCTION_PRICE}&cur=${AUCTION_CURRENCY}&min=${AUCTION_MIN_TO_WIN}"),
    ("burl", "/bill?id=${AUCTION_ID}&imp=${AUCTION_IMP_ID}&price=${AUCTION_PRICE}&ts=${AUCTION_IMP_TS}"),
    ("lurl", "/loss?id=${AUCTION_ID}&reason=${AUCTION_LOSS}&min=${AUCTION_MIN_TO_WIN}"),
];

/// Writes the members of `notices`, each a path behind the seat's host.
pub(super) fn write_notices(bid: &mut Object<'_>, seat: u8, notices: &[(&'static str, &str); 3]) {
    for (key, tail) in *notices {
        quoted(bid.key(key), |out| {
            push_host(out, seat);
            out.extend_from_slice(tail.as_bytes());
        });
    }
}

pub(super) fn push_host(out: &mut Vec<u8>, seat: u8) {
    out.extend_from_slice(b"https://bidder-");
    push_whole(out, u64::from(seat) + 1);
    out.extend_from_slice(b".example");
}

fn advert(bid: &mut Object<'_>, brand: u32, creative: u32, seat: u8) {
    let numbered = |out: &mut Vec<u8>, head: &str, number: u32| {
        out.extend_from_slice(head.as_bytes());
        push_whole(out, u64::from(number));
    };
    quoted(bid.key("adid"), |out| numbered(out, "ad-", brand * 10 + creative));
    let list = bid.key("adomain");
    list.push(b'[');
    quoted(list, |out| {
        numbered(out, "brand-", brand);
        out.extend_from_slice(b".example");
    });
    list.push(b']');
    quoted(bid.key("cid"), |out| numbered(out, "campaign-", u32::from(seat) * 100 + brand));
    quoted(bid.key("crid"), |out| numbered(out, "creative-", brand * 10 + creative));
    bid.raw("cat", br#"["IAB22"]"#);
}
