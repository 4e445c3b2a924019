//! Drawing a whole auction and what became of the impression.

use trafficlab_shared::model::content::UserProfile;

use super::rtb::{MICROS, PreparedRtb};
use super::{Auction, Bid};
use crate::traffic::cast;
use crate::traffic::pack::{AuctionOutcome, AuctionRecord};
use crate::traffic::rng::{Chance, Domain, EntryKey, EntryRng};

/// Prices have four decimals, as exchanges use them.
const PRICE_STEP: u32 = 100;

impl PreparedRtb {
    /// The auction of one entry; pure in the key.
    pub(crate) fn auction(&self, key: EntryKey, visitor: &UserProfile) -> AuctionRecord {
        let mut stream = EntryRng::new(key, Domain::Auction);
        let auction = self.collect(&mut stream);
        let bids = auction.bids();
        let Some(clearing) = auction.clear() else {
            return self.without_winner(&auction);
        };
        let clicked = stream.happens(Chance::new(visitor.click_probability));
        let converted = stream.happens(Chance::new(visitor.conversion_probability));
        AuctionRecord {
            outcome: match (clicked, converted) {
                (false, _) => AuctionOutcome::Impression,
                (true, false) => AuctionOutcome::Click,
                (true, true) => AuctionOutcome::Conversion,
            },
            bids,
            seat: clearing.winner.seat,
            deal: clearing.winner.deal,
            price_micros: clearing.price,
            bid_micros: clearing.winner.price,
        }
    }

    fn without_winner(&self, auction: &Auction) -> AuctionRecord {
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

    fn collect(&self, stream: &mut EntryRng) -> Auction {
        let mut auction = Auction::default();
        let count = cast::length(self.seats.len());
        // Ties go to the earlier bid, so the first seat must not always be the same.
        let first = stream.below32(count);
        for turn in 0..count {
            if !stream.happens(self.bid) {
                continue;
            }
            let seat = cast::low8(u64::from((first + turn) % count));
            let price = cast::round32(self.price.draw(stream) * MICROS / f64::from(PRICE_STEP));
            let price = price.min(u32::MAX / PRICE_STEP) * PRICE_STEP;
            if price > 0 {
                auction.add(self.bid_of(seat, price, stream));
            }
        }
        auction
    }

    fn bid_of(&self, seat: u8, price: u32, stream: &mut EntryRng) -> Bid {
        let open = Bid { price, seat, deal: 0, floor: self.floor, rule: self.rule };
        if self.deals.is_empty() {
            return open;
        }
        let unit = stream.unit();
        let chosen = self.deals.iter().zip(1u8..).find(|(deal, _)| unit < deal.below);
        match chosen {
            Some((deal, number)) if deal.open_to.get(usize::from(seat)).copied().unwrap_or(false) => {
                Bid {
                    deal: number,
                    floor: deal.floor,
                    rule: deal.rule,
                    // Who bids under a deal has agreed to its floor.
                    price: price.max(deal.floor),
                    ..open
                }
            }
            _ => open,
        }
    }
}
