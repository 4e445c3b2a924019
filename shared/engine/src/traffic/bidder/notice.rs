//! Win, billing and loss notices of a real bidder with their macros filled in (section 4.4).

use super::Question;
use super::response::{BidIn, Response};
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::auction::{Bid, Clearing, Loss};
use crate::traffic::render::{MacroValues, expand_macros};
use crate::traffic::visitor::Place;

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// `nurl`: the bid won.
    Win,
    /// `burl`: the ad was shown, which is what is paid for.
    Bill,
    /// `lurl`: the bid lost, and why.
    Loss,
}

/// One URL to request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it tells.
    pub kind: NoticeKind,
    /// With every macro replaced.
    pub url: String,
}

/// What the notices of an answer are made from.
pub(super) struct Told<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) rtb: &'a PreparedRtb,
    pub(super) response: Option<&'a Response<'a>>,
    pub(super) clearing: Option<&'a Clearing>,
}

pub(super) fn notices(
    told: &Told<'_>,
    seats: &[(&str, &BidIn<'_>)],
    own: &[Bid],
    losses: &[Option<Loss>],
) -> Vec<Notice> {
    let wanted = told.rtb.spec.bidder.as_ref().is_some_and(|bidder| bidder.notify);
    let mut notices = Vec::new();
    if !wanted {
        return notices;
    }
    for (((seat, bid), offer), loss) in seats.iter().zip(own).zip(losses) {
        let urls: &[_] = match loss {
            None => &[(NoticeKind::Win, &bid.nurl), (NoticeKind::Bill, &bid.burl)],
            Some(_) => &[(NoticeKind::Loss, &bid.lurl)],
        };
        for &(kind, url) in urls {
            if let Some(template) = url.as_deref().filter(|url| !url.is_empty()) {
                notices.push(Notice { kind, url: told.expand(template, seat, bid, offer, *loss) });
            }
        }
    }
    notices
}

impl Told<'_> {
    fn expand(&self, template: &str, seat: &str, bid: &BidIn<'_>, offer: &Bid, loss: Option<Loss>) -> String {
        let won = self.clearing.filter(|_| loss.is_none());
        let screen = matches!(self.question.content.profile(self.question.key).place, Place::Dooh(_));
        let values = MacroValues {
            auction_id: self.question.id,
            bid_id: self.response.and_then(|response| response.bidid.as_deref()).unwrap_or_default(),
            imp_id: &bid.impid,
            seat_id: seat,
            ad_id: bid.adid.as_deref().unwrap_or_default(),
            price: won.map(|clearing| clearing.price),
            bid_price: Some(offer.price),
            currency: &self.rtb.spec.currency,
            // 0 says that the bid won.
            loss: Some(loss.map_or(0, |loss| u32::from(loss.code()))),
            min_to_win: Some(self.clearing.map_or(offer.floor, |clearing| clearing.min_to_win(offer))),
            multiplier: Some(if screen { 12_500 } else { 1_000 }),
            imp_ts: won.map(|_| self.question.now_ms),
            discount_pct: won.map(|_| 0),
            discount_cpm: won.map(|_| 0),
        };
        let mut out = Vec::with_capacity(template.len() + 64);
        expand_macros(&mut out, template, &values);
        String::from_utf8(out).unwrap_or_default()
    }
}
