//! One bid of an answer against the rules of the request.

use trafficlab_shared::model::content::{AdFormat, Detail};

use super::FIRST_REAL_SEAT;
use super::response::BidIn;
use crate::traffic::auction::rtb::{MICROS, PreparedRtb, USUAL_BLOCKED};
use crate::traffic::auction::{Bid, Loss};
use crate::traffic::cast;
use crate::traffic::render::accepts_size;
use crate::traffic::visitor::Profile;

/// What bids are judged by.
pub(super) struct Rules<'a> {
    pub(super) rtb: &'a PreparedRtb,
    pub(super) profile: &'a Profile<'a>,
    /// How many impressions were offered.
    pub(super) imps: u32,
}

impl Rules<'_> {
    /// The bid with this number as the auction sees it; refused when it cannot win.
    pub(super) fn offer(&self, number: usize, seat: &str, bid: &BidIn<'_>) -> Bid {
        let place = (0..self.imps).find(|place| bid.impid == (place + 1).to_string());
        let deal = bid.dealid.as_deref().map(|id| self.rtb.spec.deals.iter().position(|deal| deal.id == id));
        let known = deal.flatten().and_then(|place| Some((place, self.rtb.deals.get(place)?)));
        let floor = known.map_or_else(
            || self.rtb.floor_of(self.profile.ad_format, place.unwrap_or(0)),
            |(_, prepared)| prepared.floor,
        );
        Bid {
            price: price(bid.price).unwrap_or(0),
            seat: u8::MAX - u8::try_from(number).unwrap_or(u8::MAX).min(u8::MAX - FIRST_REAL_SEAT),
            deal: known.and_then(|(place, _)| u8::try_from(place + 1).ok()).unwrap_or(0),
            floor,
            rule: known.map_or(self.rtb.rule, |(_, prepared)| prepared.rule),
            rank: known.map_or(0, |(_, prepared)| prepared.rank),
            refused: self.refused(seat, bid, place, deal),
        }
    }

    fn refused(&self, seat: &str, bid: &BidIn<'_>, place: Option<u32>, deal: Option<Option<usize>>) -> Option<Loss> {
        let spec = &self.rtb.spec;
        let rules = &spec.rules;
        if bid.id.is_empty() || place.is_none() {
            return Some(Loss::Invalid);
        }
        if price(bid.price).is_none() {
            return Some(Loss::Price);
        }
        if !rules.wseat.is_empty() && !rules.wseat.iter().any(|wanted| wanted == seat) {
            return Some(Loss::Seat);
        }
        match deal {
            Some(None) => return Some(Loss::Deal),
            None if rules.private_auction => return Some(Loss::Deal),
            Some(Some(place)) if !self.in_deal(place, seat, bid) => return Some(Loss::NotInDeal),
            _ => {}
        }
        if bid.adomain.iter().any(|domain| rules.badv.iter().any(|blocked| within(domain, blocked))) {
            return Some(Loss::Advertiser);
        }
        let usual = USUAL_BLOCKED.map(str::to_owned);
        let blocked = if rules.bcat.is_empty() { usual.as_slice() } else { rules.bcat.as_slice() };
        // A category holds its subcategories: IAB25 that of IAB25-3.
        let of = |own: &str, blocked: &str| {
            own == blocked || own.strip_prefix(blocked).is_some_and(|rest| rest.starts_with('-'))
        };
        if bid.cat.iter().any(|own| blocked.iter().any(|blocked| of(own, blocked))) {
            return Some(Loss::Category);
        }
        self.misfit(bid, place.unwrap_or(0))
    }

    fn in_deal(&self, place: usize, seat: &str, bid: &BidIn<'_>) -> bool {
        self.rtb.spec.deals.get(place).is_some_and(|deal| {
            let seat_fits = deal.seats.is_empty() || deal.seats.iter().any(|wanted| wanted == seat);
            let named = |domain: &String| deal.adomains.iter().any(|wanted| within(domain, wanted));
            seat_fits && (deal.adomains.is_empty() || bid.adomain.iter().any(named))
        })
    }

    /// A creative of another format or size.
    fn misfit(&self, bid: &BidIn<'_>, place: u32) -> Option<Loss> {
        let format = self.profile.ad_format;
        if bid.mtype.is_some_and(|kind| kind != format.code() + 1) {
            return Some(Loss::Format);
        }
        let full = self.rtb.spec.detail == Detail::Full;
        let size = bid.w.zip(bid.h).filter(|_| format == AdFormat::Banner);
        size.filter(|size| !accepts_size(self.profile, place, full, *size)).map(|_| Loss::Size)
    }
}

/// Micros of a price that can be paid.
fn price(units: f64) -> Option<u32> {
    let top = f64::from(u32::MAX) / MICROS;
    let micros = (units.is_finite() && units > 0.0 && units < top).then(|| cast::round32(units * MICROS))?;
    (micros > 0).then_some(micros)
}

/// Whether `domain` is `other` or one of its subdomains.
fn within(domain: &str, other: &str) -> bool {
    let head = domain.len().checked_sub(other.len());
    let tail = head.and_then(|head| domain.get(head..)).is_some_and(|tail| tail.eq_ignore_ascii_case(other));
    tail && head.is_some_and(|head| head == 0 || domain.as_bytes().get(head - 1) == Some(&b'.'))
}
