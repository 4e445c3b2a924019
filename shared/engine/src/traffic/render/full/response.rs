//! Bid responses of full requests: the bids of all seats, the best one first.

use trafficlab_shared::model::content::AdFormat;

use super::imp::first_size;
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::auction::{Auction, Bid};
use crate::traffic::cast;
use crate::traffic::render::bid_response::{markup_type, write_notices};
use crate::traffic::render::creative;
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::{Object, push_hex, push_whole};
use crate::traffic::rng::{EntryKey, mix};
use crate::traffic::visitor::{Place, Profile};

/// "Unmatched user": why a simulated bidder has nothing to say, when it says anything.
const NO_MATCH: u64 = 8;

/// Notices that use all fourteen macros, one of them encoded.
pub(in crate::traffic::render) const NOTICES: [(&str, &str); 3] = [
    (
        "nurl",
        "/win?id=${AUCTION_ID}&bid=${AUCTION_BID_ID}&imp=${AUCTION_IMP_ID}&seat=${AUCTION_SEAT_ID}&ad=${AUCTION_AD_ID}&price=${AUCTION_PRICE}&cur=${AUCTION_CURRENCY}&mbr=${AUCTION_MBR}&min=${AUCTION_MIN_TO_WIN}",
    ),
    (
        "burl",
        "/bill?id=${AUCTION_ID}&price=${AUCTION_PRICE:B64}&ts=${AUCTION_IMP_TS}&count=${AUCTION_MULTIPLIER}&discount=${AUCTION_DISCOUNT_PCT}&off=${AUCTION_DISCOUNT_CPM}",
    ),
    ("lurl", "/loss?id=${AUCTION_ID}&bid=${AUCTION_BID_ID}&reason=${AUCTION_LOSS}&min=${AUCTION_MIN_TO_WIN}"),
];

/// What a response is written from.
#[derive(Clone, Copy)]
pub(in crate::traffic::render) struct Reply<'a> {
    pub(in crate::traffic::render) rtb: &'a PreparedRtb,
    pub(in crate::traffic::render) profile: &'a Profile<'a>,
    pub(in crate::traffic::render) key: EntryKey,
    pub(in crate::traffic::render) id: &'a dyn Fn(&mut Vec<u8>),
}

/// The bids of the simulated seats, the winner or the best loser first.
pub(in crate::traffic::render) fn ordered_bids(
    rtb: &PreparedRtb,
    profile: &Profile<'_>,
    key: EntryKey,
) -> (Vec<Bid>, Auction) {
    let mut bids = rtb.bids(key, profile.ad_format);
    let mut auction = Auction::default();
    bids.iter().for_each(|bid| auction.add(*bid));
    let best = auction.clear().map(|clearing| clearing.winner).or_else(|| auction.rejected());
    bids.sort_by_key(|bid| Some(*bid) != best);
    (bids, auction)
}

/// Appends the response: the bids, or a reason for none, or `null` for an answer without a body.
pub(in crate::traffic::render) fn write(out: &mut Vec<u8>, reply: &Reply<'_>, bids: &[Bid]) {
    let silent = bids.is_empty() && reply.key.hash() & 1 == 0;
    if silent {
        out.extend_from_slice(b"null");
        return;
    }
    let mut response = Object::begin(out);
    quoted(response.key("id"), |out| (reply.id)(out));
    if bids.is_empty() {
        response.whole("nbr", NO_MATCH);
        response.end();
        return;
    }
    let mut seats = response.array("seatbid");
    for bid in bids {
        let mut seat = seats.object();
        let mut list = seat.array("bid");
        write_bid(&mut list.object(), reply, bid);
        list.end();
        seat.text("seat", reply.rtb.seat(bid.seat));
        seat.whole("group", 0);
        seat.raw_end(r#""ext":{"synthetic":1}"#);
    }
    seats.end();
    quoted(response.key("bidid"), |out| (reply.id)(out));
    response.text("cur", &reply.rtb.spec.currency);
    quoted(response.key("customdata"), |out| push_hex(out, mix(reply.key.hash()) >> 32, 8));
    response.raw("ext", br#"{"synthetic":1}"#);
    response.end();
}

fn write_bid(object: &mut Object<'_>, reply: &Reply<'_>, bid: &Bid) {
    let (rtb, key) = (reply.rtb, reply.key);
    let imp = PreparedRtb::imp_of(key, bid.seat, rtb.imps(key));
    let deal = bid.deal.checked_sub(1).and_then(|place| rtb.spec.deals.get(usize::from(place)));
    quoted(object.key("id"), |out| push_whole(out, u64::from(bid.seat) + 1));
    quoted(object.key("impid"), |out| push_whole(out, u64::from(imp) + 1));
    object.decimal("price", u64::from(bid.price), 6);
    write_notices(object, bid.seat, &NOTICES);
    let brand = rtb.brand(key, bid.seat);
    let domain = deal.and_then(|deal| deal.adomains.first()).map(String::as_str);
    advert(object, brand, domain, bid.seat);
    creative::write(object, reply.profile, first_size(reply.profile, imp), brand);
    details(object, reply.profile);
    if let Some(deal) = deal {
        object.text("dealid", &deal.id);
    }
    object.raw("ext", br#"{"synthetic":1}"#);
    object.close();
}

fn advert(object: &mut Object<'_>, brand: u32, domain: Option<&str>, seat: u8) {
    let numbered = |out: &mut Vec<u8>, head: &str, number: u32, tail: &str| {
        out.extend_from_slice(head.as_bytes());
        push_whole(out, u64::from(number));
        out.extend_from_slice(tail.as_bytes());
    };
    quoted(object.key("adid"), |out| numbered(out, "ad-", brand * 10, ""));
    let mut domains = object.array("adomain");
    match domain {
        Some(domain) => domains.text(domain),
        None => domains.text(&format!("brand-{brand}.example")),
    }
    domains.end();
    quoted(object.key("iurl"), |out| numbered(out, "https://cdn.example/brand-", brand, ".jpg"));
    quoted(object.key("cid"), |out| numbered(out, "campaign-", u32::from(seat) * 100 + brand, ""));
    quoted(object.key("crid"), |out| numbered(out, "creative-", brand * 10, ""));
    quoted(object.key("tactic"), |out| numbered(out, "tactic-", brand % 4, ""));
    object.members(r#""cattax":1,"cat":["IAB22"]"#);
}

fn details(object: &mut Object<'_>, profile: &Profile<'_>) {
    object.whole("mtype", markup_type(profile.ad_format));
    if profile.language.contains('-') {
        object.text("langb", profile.language);
    } else {
        object.text("language", profile.language);
    }
    object.members(r#""qagmediarating":1,"exp":300"#);
    match profile.ad_format {
        AdFormat::Banner => object.members(r#""attr":[4],"apis":[7]"#),
        AdFormat::Video => object.members(r#""attr":[6],"apis":[7],"protocol":7,"slotinpod":0"#),
        AdFormat::Audio => object.members(r#""attr":[6],"apis":[7],"protocol":9,"slotinpod":0"#),
        AdFormat::Native => object.members(r#""wratio":16,"hratio":9"#),
    }
    if let Place::App(app) = profile.place {
        // Ads in apps often sell other apps.
        if cast::low32(profile.user_id) & 3 == 0 {
            object.text("bundle", app.bundle);
        }
    }
}
