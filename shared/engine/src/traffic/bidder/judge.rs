//! From the bytes of an answer to a verdict: pure, so that a test needs no bidder.

use super::notice::{Told, notices};
use super::offer::Rules;
use super::response::{BidIn, Response};
use super::{MAX_ANSWER, MAX_BIDS, Question, Stored, Verdict};
use crate::traffic::auction::draw::shown;
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::auction::{Auction, Bid, Clearing, Loss};
use crate::traffic::pack::{AuctionOutcome, AuctionRecord};
use crate::traffic::rng::{Domain, EntryRng};
use crate::traffic::visitor::Profile;

/// Judges an answer: no bytes are no bid, whatever the reason. None when the content has no auction.
#[must_use]
pub fn judge(question: &Question<'_>, body: Option<&[u8]>) -> Option<Verdict> {
    let rtb = question.content.rtb.as_ref()?;
    let profile = question.content.profile(question.key);
    // An empty object is one of the standard's ways to say that there is no bid.
    let read = body.filter(|body| !is_empty_object(body)).map(|body| {
        let whole = body.len() <= MAX_ANSWER;
        whole.then(|| Response::read(body, question.id, &rtb.spec.currency)).flatten()
    });
    let broken = matches!(read, Some(None));
    let response = read.flatten();
    let seats: Vec<(&str, &BidIn<'_>)> = response.iter().flat_map(bids_of).take(MAX_BIDS).collect();
    let rules = Rules { rtb, profile: &profile, imps: rtb.imps(question.key) };
    let own: Vec<Bid> = (0..).zip(&seats).map(|(number, (seat, bid))| rules.offer(number, seat, bid)).collect();
    let mut auction = Auction::default();
    own.iter().for_each(|bid| auction.add(*bid));
    rtb.bids(question.key, profile.ad_format).into_iter().for_each(|bid| auction.add(bid));
    let clearing = auction.clear();
    let losses: Vec<Option<Loss>> = own.iter().map(|bid| Loss::of(bid, clearing.as_ref())).collect();
    let wrong = own.iter().filter(|bid| matches!(bid.refused, Some(Loss::Invalid | Loss::Price))).count();
    let told = Told { question, rtb, response: response.as_ref(), clearing: clearing.as_ref() };
    let floor = clearing.map(|clearing| clearing.winner).or_else(|| auction.rejected()).map(|bid| bid.floor);
    let floor = floor.unwrap_or_else(|| rtb.floor_of(profile.ad_format, 0));
    let stored = body.map(|body| stored(rtb, &seats, &losses, clearing.as_ref(), floor, body));
    Some(Verdict {
        auction: record(question, &auction, clearing.as_ref(), &profile),
        invalid: broken || (wrong > 0 && wrong == own.len()),
        invalid_bids: if broken { 1 } else { u64::try_from(wrong).unwrap_or(u64::MAX) },
        notices: notices(&told, &seats, &own, &losses),
        stored,
    })
}

fn is_empty_object(body: &[u8]) -> bool {
    body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}")
}

fn bids_of<'r>(response: &'r Response<'_>) -> impl Iterator<Item = (&'r str, &'r BidIn<'r>)> {
    response.seatbid.iter().flat_map(|seat| {
        let name = seat.seat.as_deref().unwrap_or_default();
        seat.bid.iter().map(move |bid: &'r BidIn<'_>| -> (&'r str, &'r BidIn<'r>) { (name, bid) })
    })
}

fn record(
    question: &Question<'_>,
    auction: &Auction,
    clearing: Option<&Clearing>,
    profile: &Profile<'_>,
) -> AuctionRecord {
    let best = clearing.map(|clearing| clearing.winner).or_else(|| auction.rejected());
    let outcome = match (clearing, best) {
        (Some(_), _) => shown(profile.user_profile, &mut EntryRng::new(question.key, Domain::Funnel)),
        (None, Some(_)) => AuctionOutcome::Lost,
        (None, None) => AuctionOutcome::NoBid,
    };
    AuctionRecord {
        outcome,
        bids: auction.bids(),
        seat: best.map_or(0, |bid| bid.seat),
        deal: best.map_or(0, |bid| bid.deal),
        price_micros: clearing.map_or(0, |clearing| clearing.price),
        bid_micros: best.map_or(0, |bid| bid.price),
    }
}

fn stored(
    rtb: &PreparedRtb,
    seats: &[(&str, &BidIn<'_>)],
    losses: &[Option<Loss>],
    clearing: Option<&Clearing>,
    floor: u32,
    body: &[u8],
) -> Vec<u8> {
    let winner = losses.iter().position(Option::is_none).and_then(|place| seats.get(place));
    let rival = clearing.filter(|_| winner.is_none()).map(|clearing| rtb.seat(clearing.winner.seat).to_owned());
    let header = Stored {
        bytes: crate::traffic::cast::length(body.len()),
        winner: winner.map(|(seat, _)| (*seat).to_owned()).or(rival),
        imp: winner.map(|(_, bid)| bid.impid.clone().into_owned()),
        floor,
        min_to_win: clearing.map_or(floor, |clearing| clearing.runner_up),
        losses: losses.iter().map(|loss| loss.map_or(0, Loss::code)).collect(),
    };
    header.write(body)
}
