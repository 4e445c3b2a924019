//! Drawing a whole auction and what became of the impression.

use trafficlab_shared::model::content::{AdFormat, UserProfile};

use super::rtb::{MICROS, PreparedRtb};
use super::{Auction, Bid, Loss};
use crate::traffic::cast;
use crate::traffic::pack::{AuctionOutcome, AuctionRecord};
use crate::traffic::rng::{Chance, Domain, EntryKey, EntryRng};

/// Prices have four decimals, as exchanges use them.
const PRICE_STEP: u32 = 100;

impl PreparedRtb {
    /// The auction of one entry; pure in the key.
    pub(crate) fn auction(&self, key: EntryKey, format: AdFormat, visitor: &UserProfile) -> AuctionRecord {
        let mut stream = EntryRng::new(key, Domain::Auction);
        let mut auction = Auction::default();
        self.each_bid(key, format, &mut stream, |bid| auction.add(bid));
        let bids = auction.bids();
        let Some(clearing) = auction.clear() else {
            return Self::without_winner(&auction);
        };
        AuctionRecord {
            outcome: shown(visitor, &mut stream),
            bids,
            seat: clearing.winner.seat,
            deal: clearing.winner.deal,
            price_micros: clearing.price,
            bid_micros: clearing.winner.price,
        }
    }

    fn without_winner(auction: &Auction) -> AuctionRecord {
        let best = auction.rejected();
        AuctionRecord {
            outcome: if best.is_some() { AuctionOutcome::Lost } else { AuctionOutcome::NoBid },
            bids: auction.bids(),
            seat: best.map_or(0, |bid| bid.seat),
            deal: best.map_or(0, |bid| bid.deal),
            price_micros: 0,
            bid_micros: best.map_or(0, |bid| bid.price),
        }
    }

    /// The bids of the simulated seats, in the order they come.
    pub(crate) fn bids(&self, key: EntryKey, format: AdFormat) -> Vec<Bid> {
        let mut bids = Vec::new();
        self.each_bid(key, format, &mut EntryRng::new(key, Domain::Auction), |bid| bids.push(bid));
        bids
    }

    fn each_bid(&self, key: EntryKey, format: AdFormat, stream: &mut EntryRng, mut add: impl FnMut(Bid)) {
        let count = cast::length(self.seats.len());
        let imps = self.imps(key);
        // Ties go to the earlier bid, so the first seat must not always be the same.
        let first = stream.below32(count);
        for turn in 0..count {
            if !stream.happens(self.bid) {
                continue;
            }
            let seat = cast::low8(u64::from((first + turn) % count));
            if !self.admitted.get(usize::from(seat)).copied().unwrap_or(true) {
                continue;
            }
            let price = cast::round32(self.price.draw(stream) * MICROS / f64::from(PRICE_STEP));
            let price = price.min(u32::MAX / PRICE_STEP) * PRICE_STEP;
            if price > 0 {
                let floor = self.floor_of(format, Self::imp_of(key, seat, imps));
                let bid = Bid { price, seat, deal: 0, floor, rule: self.rule, rank: 0, refused: None };
                add(self.refused(key, self.under_deal(bid, stream)));
            }
        }
    }

    /// What the publisher does not let pass.
    fn refused(&self, key: EntryKey, mut bid: Bid) -> Bid {
        if self.spec.rules.private_auction && bid.deal == 0 {
            bid.refused = Some(Loss::Deal);
        }
        if !self.blocked.is_empty() {
            let brand = self.brand(key, bid.seat);
            if self.blocked.get(cast::index(brand)).copied().unwrap_or(false) {
                bid.refused = Some(Loss::Advertiser);
            }
        }
        bid
    }

    fn under_deal(&self, open: Bid, stream: &mut EntryRng) -> Bid {
        if self.deals.is_empty() {
            return open;
        }
        let seat = open.seat;
        let unit = stream.unit();
        let chosen = self.deals.iter().zip(1u8..).find(|(deal, _)| unit < deal.below);
        match chosen {
            Some((deal, number)) if deal.open_to.get(usize::from(seat)).copied().unwrap_or(false) => {
                Bid {
                    deal: number,
                    floor: deal.floor,
                    rule: deal.rule,
                    // Who bids under a deal has agreed to its floor.
                    price: open.price.max(deal.floor),
                    rank: deal.rank,
                    ..open
                }
            }
            _ => open,
        }
    }
}

/// What a visitor does with an ad that is shown.
pub(crate) fn shown(visitor: &UserProfile, stream: &mut EntryRng) -> AuctionOutcome {
    let clicked = stream.happens(Chance::new(visitor.click_probability));
    let converted = stream.happens(Chance::new(visitor.conversion_probability));
    match (clicked, converted) {
        (false, _) => AuctionOutcome::Impression,
        (true, false) => AuctionOutcome::Click,
        (true, true) => AuctionOutcome::Conversion,
    }
}
