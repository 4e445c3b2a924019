//! The `rtb` of an entry: request, response, and what became of the bids.

use super::bid_response::push_host;
use super::entry::{push_id, quoted};
use super::full::response::{self, NOTICES, Reply};
use super::json::{Array, Object, push_escaped, push_text};
use super::{EntryRow, MacroValues, answer, bid_request, bid_response, expand_macros};
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::auction::{Auction, Bid, Loss};
use crate::traffic::bidder::is_real;
use crate::traffic::pack::{AuctionOutcome, AuctionRecord};
use crate::traffic::rng::EntryKey;
use crate::traffic::visitor::{Place, Profile};
use trafficlab_shared::model::content::Detail;

/// Writes the member `rtb`, which is null for entries without an auction.
pub(super) fn write(object: &mut Object<'_>, row: &EntryRow<'_>, profile: &Profile<'_>) {
    let (Some(auction), Some(rtb)) = (&row.entry.auction, &row.content.rtb) else {
        return object.null("rtb");
    };
    let mut inner = object.object("rtb");
    let id = |out: &mut Vec<u8>| push_id(out, row.context, row.entry);
    bid_request::write(inner.key("bid_request"), rtb, profile, row.key(), &id);
    let detail = rtb.spec.detail;
    if answer::is_asked(row) {
        answer::write(&mut inner, row, rtb, auction, profile);
    } else if detail == Detail::Full {
        simulated(&mut inner, row, rtb, auction, profile);
    } else {
        if auction.outcome == AuctionOutcome::NoBid {
            inner.null("bid_response");
        } else {
            bid_response::write(inner.key("bid_response"), rtb, auction, profile, row.key(), &id);
        }
        let mut result = inner.object("auction");
        let floor = floor(rtb, auction, profile, row.key());
        let winner = auction.outcome.is_won().then(|| rtb.seat(auction.seat));
        summary(&mut result, rtb, auction, winner, floor);
        basic_losses(&mut result, auction);
        result.end();
    }
    inner.end();
}

/// What all kinds of entries tell of an auction.
pub(super) fn summary(
    object: &mut Object<'_>,
    rtb: &PreparedRtb,
    auction: &AuctionRecord,
    winner: Option<&str>,
    floor: u32,
) {
    object.text("outcome", auction.outcome.as_str());
    if let Some(winner) = winner {
        object.text("winner", winner);
        object.decimal("clearing_price", u64::from(auction.price_micros), 6);
    } else {
        object.null("winner");
        object.null("clearing_price");
    }
    object.text("currency", &rtb.spec.currency);
    object.whole("bids", u64::from(auction.bids));
    object.decimal("floor", u64::from(floor), 6);
    match auction.deal.checked_sub(1).and_then(|place| rtb.spec.deals.get(usize::from(place))) {
        Some(deal) => object.text("deal", &deal.id),
        None => object.null("deal"),
    }
}

fn basic_losses(object: &mut Object<'_>, auction: &AuctionRecord) {
    let mut reasons = Array::begin(object.key("loss_reasons"));
    if auction.outcome == AuctionOutcome::Lost {
        reasons.whole(u64::from(Loss::BelowFloor.code()));
    }
    reasons.end();
}

/// The floor that counted for the highest bid.
pub(super) fn floor(rtb: &PreparedRtb, auction: &AuctionRecord, profile: &Profile<'_>, key: EntryKey) -> u32 {
    let deal = auction.deal.checked_sub(1).and_then(|place| rtb.deals.get(usize::from(place)));
    let imp = if is_real(auction) { 0 } else { PreparedRtb::imp_of(key, auction.seat, rtb.imps(key)) };
    deal.map_or_else(|| rtb.floor_of(profile.ad_format, imp), |deal| deal.floor)
}

/// All bids are drawn again, since a record keeps only the best one.
fn simulated(
    inner: &mut Object<'_>,
    row: &EntryRow<'_>,
    rtb: &PreparedRtb,
    record: &AuctionRecord,
    profile: &Profile<'_>,
) {
    let id = |out: &mut Vec<u8>| push_id(out, row.context, row.entry);
    let (bids, auction) = response::ordered_bids(rtb, profile, row.key());
    response::write(inner.key("bid_response"), &Reply { rtb, profile, key: row.key(), id: &id }, &bids);
    let mut result = inner.object("auction");
    let winner = record.outcome.is_won().then(|| rtb.seat(record.seat));
    summary(&mut result, rtb, record, winner, floor(rtb, record, profile, row.key()));
    losers(&mut result, rtb, &bids, &auction);
    notices(&mut result, row, rtb, profile, &bids, &auction);
    result.end();
}

/// Every loser with the reason and what it would have taken.
fn losers(object: &mut Object<'_>, rtb: &PreparedRtb, bids: &[Bid], auction: &Auction) {
    let clearing = auction.clear();
    let lost = || bids.iter().filter_map(|bid| Some((bid, Loss::of(bid, clearing.as_ref())?)));
    let mut reasons = object.array("loss_reasons");
    lost().for_each(|(_, loss)| reasons.whole(u64::from(loss.code())));
    reasons.end();
    if let Some(clearing) = clearing {
        object.decimal("min_to_win", u64::from(clearing.runner_up), 6);
    }
    let mut list = object.array("losers");
    for (bid, loss) in lost() {
        let mut loser = list.object();
        loser.text("seat", rtb.seat(bid.seat));
        loser.decimal("price", u64::from(bid.price), 6);
        loser.whole("reason", u64::from(loss.code()));
        let least = clearing.map_or(bid.floor, |clearing| clearing.min_to_win(bid));
        loser.decimal("min_to_win", u64::from(least), 6);
        loser.end();
    }
    list.end();
}

/// The winner's and the best loser's notices as an exchange would request them.
fn notices(
    object: &mut Object<'_>,
    row: &EntryRow<'_>,
    rtb: &PreparedRtb,
    profile: &Profile<'_>,
    bids: &[Bid],
    auction: &Auction,
) {
    let Some(bid) = bids.first() else {
        return;
    };
    let mut id = Vec::new();
    push_id(&mut id, row.context, row.entry);
    let id = String::from_utf8(id).unwrap_or_default();
    let clearing = auction.clear();
    let loss = Loss::of(bid, clearing.as_ref());
    let imp = (PreparedRtb::imp_of(row.key(), bid.seat, rtb.imps(row.key())) + 1).to_string();
    let values = MacroValues {
        auction_id: &id,
        bid_id: &id,
        imp_id: &imp,
        seat_id: rtb.seat(bid.seat),
        price: clearing.map(|clearing| clearing.price),
        bid_price: Some(bid.price),
        currency: &rtb.spec.currency,
        loss: Some(loss.map_or(0, |loss| u32::from(loss.code()))),
        min_to_win: Some(clearing.map_or(bid.floor, |clearing| clearing.min_to_win(bid))),
        imp_ts: Some(row.ended_ns() / 1_000_000),
        ad_id: &format!("ad-{}", rtb.brand(row.key(), bid.seat) * 10),
        multiplier: Some(if matches!(profile.place, Place::Dooh(_)) { 12_500 } else { 1_000 }),
        discount_pct: Some(0),
        discount_cpm: Some(0),
    };
    let mut list = object.object("notices");
    for (key, tail) in NOTICES {
        if (key == "lurl") == loss.is_some() {
            let mut url = Vec::new();
            push_host(&mut url, bid.seat);
            expand_macros(&mut url, tail, &values);
            quoted(list.key(key), |out| push_escaped(out, &String::from_utf8_lossy(&url)));
        }
    }
    list.end();
}

/// A text or null.
pub(super) fn text_or_null(object: &mut Object<'_>, key: &'static str, value: Option<&str>) {
    match value {
        Some(value) => push_text(object.key(key), value),
        None => object.null(key),
    }
}
