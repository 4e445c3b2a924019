//! The auction rule: bids and floors in, clearing price out. Prices are micros per thousand impressions.

pub(crate) mod draw;
pub(crate) mod loss;
pub(crate) mod rtb;

pub use loss::Loss;

use trafficlab_shared::model::content::AuctionType;

/// One cent, by which a second-price winner beats the next bid.
const INCREMENT: u32 = 10_000;

/// One bid as the exchange sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bid {
    /// Price offered.
    pub price: u32,
    /// Number of the seat.
    pub seat: u8,
    /// 0 in the open auction, else the place of the deal in the list plus 1.
    pub deal: u8,
    /// Floor that counts for it: the deal's, or the impression's.
    pub floor: u32,
    /// Price rule that counts for it.
    pub rule: PriceRule,
    /// Priority of its deal; a higher one wins whatever the prices are.
    pub rank: u8,
    /// Why it cannot win at all, if so.
    pub refused: Option<Loss>,
}

/// How the price follows from the bids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceRule {
    /// The bid itself.
    First,
    /// The next bid or the floor, plus a cent, at most the bid.
    Second,
    /// The floor of the deal, agreed beforehand.
    Fixed,
}

impl From<AuctionType> for PriceRule {
    fn from(kind: AuctionType) -> Self {
        match kind {
            AuctionType::FirstPrice => Self::First,
            AuctionType::SecondPrice => Self::Second,
        }
    }
}

/// An auction in progress: bids are added one by one and nothing is kept of the losers but their best price.
#[derive(Debug, Clone, Copy, Default)]
pub struct Auction {
    bids: u8,
    best: Option<Bid>,
    second: Option<u32>,
    rejected: Option<Bid>,
}

/// An auction that found a winner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clearing {
    /// The winning bid.
    pub winner: Bid,
    /// What it pays: `AUCTION_PRICE`.
    pub price: u32,
    /// The next valid bid, or the floor: `AUCTION_MIN_TO_WIN` of the winner.
    pub runner_up: u32,
}

impl Auction {
    /// Adds a bid. Of equal prices the earlier one wins.
    pub fn add(&mut self, bid: Bid) {
        self.bids = self.bids.saturating_add(1);
        if bid.refused.is_some() || bid.price < bid.floor {
            if self.rejected.is_none_or(|have| bid.price > have.price) {
                self.rejected = Some(bid);
            }
            return;
        }
        match self.best {
            Some(best) if bid.rank < best.rank => {}
            Some(best) if bid.rank == best.rank && bid.price <= best.price => {
                self.second = self.second.max(Some(bid.price));
            }
            _ => {
                // A bid that outranks all others is not priced by them.
                self.second = self.best.filter(|best| best.rank == bid.rank).map(|best| best.price);
                self.best = Some(bid);
            }
        }
    }

    /// Number of bids, valid or not.
    #[must_use]
    pub const fn bids(&self) -> u8 {
        self.bids
    }

    /// The highest bid that was refused or below its floor.
    #[must_use]
    pub const fn rejected(&self) -> Option<Bid> {
        self.rejected
    }

    /// The result; none when no bid reached its floor.
    #[must_use]
    pub fn clear(&self) -> Option<Clearing> {
        let winner = self.best?;
        let runner_up = self.second.unwrap_or(0).max(winner.floor);
        let price = match winner.rule {
            PriceRule::First => winner.price,
            PriceRule::Second => runner_up.saturating_add(INCREMENT).min(winner.price),
            PriceRule::Fixed => winner.floor,
        };
        Some(Clearing { winner, price, runner_up })
    }
}

impl Clearing {
    /// `AUCTION_MIN_TO_WIN` of section 4.4.1: for the winner what ties with the next bid, for a loser what
    /// ties with the price paid, though never less than its own floor.
    #[must_use]
    pub fn min_to_win(&self, bid: &Bid) -> u32 {
        if *bid == self.winner { self.runner_up } else { self.price.max(bid.floor) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    const FLOOR: u32 = 850_000;

    fn run(rule: PriceRule, prices: &[u32]) -> (Vec<Bid>, Auction) {
        let mut auction = Auction::default();
        let bid = |(seat, price): (usize, &u32)| Bid {
            price: *price,
            seat: u8::try_from(seat).unwrap(),
            deal: 0,
            floor: FLOOR,
            rule,
            rank: 0,
            refused: None,
        };
        let bids: Vec<Bid> = prices.iter().enumerate().map(bid).collect();
        bids.iter().for_each(|bid| auction.add(*bid));
        (bids, auction)
    }

    /// The two tables of `OpenRTB` 2.6, section 4.4.1: floor 0.85; bids 1.00, 0.90, 0.80.
    #[test]
    fn the_examples_of_the_standard() {
        for (rule, price, least) in [
            (PriceRule::First, 1_000_000, [900_000, 1_000_000, 1_000_000]),
            (PriceRule::Second, 910_000, [900_000, 910_000, 910_000]),
        ] {
            let (bids, auction) = run(rule, &[1_000_000, 900_000, 800_000]);
            let clearing = auction.clear().unwrap();
            assert_eq!((clearing.price, clearing.winner.seat, auction.bids()), (price, 0, 3));
            let found: Vec<u32> = bids.iter().map(|bid| clearing.min_to_win(bid)).collect();
            assert_eq!(found, least, "{rule:?}");
        }
    }

    #[test]
    fn a_loser_with_a_higher_floor_had_to_reach_that() {
        let (mut bids, _) = run(PriceRule::First, &[1_000_000, 900_000]);
        bids.iter_mut().skip(1).for_each(|bid| bid.floor = 2_000_000);
        let mut auction = Auction::default();
        bids.iter().for_each(|bid| auction.add(*bid));
        let clearing = auction.clear().unwrap();
        let least: Vec<u32> = bids.iter().map(|bid| clearing.min_to_win(bid)).collect();
        assert_eq!(least, [FLOOR, 2_000_000]);
    }

    #[test]
    fn one_bid_pays_at_most_itself_and_at_least_the_floor() {
        assert_eq!(run(PriceRule::Second, &[900_000]).1.clear().unwrap().price, 860_000);
        assert_eq!(run(PriceRule::Second, &[850_000]).1.clear().unwrap().price, 850_000);
        assert_eq!(run(PriceRule::Fixed, &[900_000]).1.clear().unwrap().price, FLOOR);
    }

    #[test]
    fn a_deal_of_higher_priority_wins_and_others_do_not_set_its_price() {
        for rule in [PriceRule::First, PriceRule::Second] {
            let (mut bids, _) = run(rule, &[2_000_000, 1_000_000, 950_000]);
            bids.iter_mut().skip(1).for_each(|bid| (bid.rank, bid.deal) = (3, 1));
            for turn in 0..3 {
                let mut auction = Auction::default();
                bids.iter().cycle().skip(turn).take(3).for_each(|bid| auction.add(*bid));
                let clearing = auction.clear().unwrap();
                let price = if rule == PriceRule::First { 1_000_000 } else { 960_000 };
                assert_eq!((clearing.winner.seat, clearing.price), (1, price), "{rule:?} {turn}");
                let losses: Vec<Option<Loss>> = bids.iter().map(|bid| Loss::of(bid, Some(&clearing))).collect();
                assert_eq!(losses, [Some(Loss::LostToDeal), None, Some(Loss::LostToHigher)]);
            }
        }
    }

    #[test]
    fn a_refused_bid_never_wins() {
        let (mut bids, _) = run(PriceRule::First, &[2_000_000, 900_000, 1]);
        bids.iter_mut().take(1).for_each(|bid| bid.refused = Some(Loss::Advertiser));
        let mut auction = Auction::default();
        bids.iter().for_each(|bid| auction.add(*bid));
        let clearing = auction.clear();
        assert_eq!(clearing.unwrap().winner.seat, 1);
        let codes: Vec<u16> = bids.iter().filter_map(|bid| Loss::of(bid, clearing.as_ref())).map(Loss::code).collect();
        assert_eq!(codes, [205, 100]);
    }

    #[test]
    fn bids_below_the_floor_lose() {
        let auction = run(PriceRule::First, &[100, 700_000, 5]).1;
        assert_eq!(auction.clear(), None);
        assert_eq!(auction.rejected().unwrap().price, 700_000);
    }

    proptest! {
        #[test]
        fn the_highest_valid_bid_wins(prices in proptest::collection::vec(0u32..2_000_000, 0..20)) {
            let highest = prices.iter().copied().filter(|price| *price >= FLOOR).max();
            for rule in [PriceRule::First, PriceRule::Second] {
                let clearing = run(rule, &prices).1.clear();
                prop_assert_eq!(clearing.map(|clearing| clearing.winner.price), highest);
                if let Some(clearing) = clearing {
                    prop_assert!(clearing.price >= FLOOR && clearing.price <= clearing.winner.price);
                    prop_assert!(clearing.runner_up <= clearing.winner.price);
                }
            }
        }
    }
}
