//! `RtbSpec` made ready for drawing.

use trafficlab_shared::model::content::{AdFormat, Detail, RtbSpec};

use super::PriceRule;
use crate::traffic::cast;
use crate::traffic::rng::{Chance, Domain, EntryKey, EntryRng, mix};
use crate::traffic::sample::Sampler;

/// Micros in one unit of currency.
pub(crate) const MICROS: f64 = 1_000_000.0;
/// Invented advertisers, numbered from 1.
pub(crate) const BRANDS: u32 = 60;
/// Categories that are blocked unless the campaign names its own: adult and illegal content.
pub(crate) const USUAL_BLOCKED: [&str; 2] = ["IAB25", "IAB26"];
/// What a further impression of a request costs in hundredths of the first: it stands lower on the page.
const FURTHER: [u64; 4] = [100, 80, 65, 50];
/// Floors have four decimals, as prices do.
const STEP: u64 = 100;

/// Prepared tables of the exchange.
#[derive(Debug, Clone)]
pub(crate) struct PreparedRtb {
    pub(crate) spec: RtbSpec,
    /// Names of the seats, in order.
    pub(crate) seats: Vec<String>,
    pub(crate) floor: u32,
    /// Floors of the formats that have their own.
    floors: [Option<u32>; 4],
    pub(crate) rule: PriceRule,
    /// Which seats may bid.
    pub(crate) admitted: Vec<bool>,
    /// Which brands are refused, by number; empty when none is.
    pub(crate) blocked: Vec<bool>,
    pub(crate) bid: Chance,
    pub(crate) price: Sampler,
    pub(crate) deals: Vec<PreparedDeal>,
    /// Constant members of every request, made by the renderer.
    pub(crate) request_json: String,
    /// `imp.pmp` with all deals; empty without deals.
    pub(crate) pmp_json: String,
}

#[derive(Debug, Clone)]
pub(crate) struct PreparedDeal {
    /// A uniform draw from here on up to the next deal's mark picks this deal.
    pub(crate) below: f64,
    pub(crate) floor: u32,
    pub(crate) rule: PriceRule,
    /// Which seats may use it.
    pub(crate) open_to: Vec<bool>,
    pub(crate) rank: u8,
}

impl PreparedRtb {
    pub(crate) fn new(spec: &RtbSpec) -> Self {
        let seats = seats(spec);
        let rule = PriceRule::from(spec.auction);
        let mut below = 0.0;
        let mut deals = Vec::with_capacity(spec.deals.len());
        for deal in &spec.deals {
            below += deal.rate;
            deals.push(PreparedDeal {
                below,
                floor: cast::round32(deal.floor * MICROS),
                rule: if deal.fixed_price { PriceRule::Fixed } else { deal.auction.map_or(rule, PriceRule::from) },
                open_to: seats.iter().map(|seat| deal.seats.is_empty() || deal.seats.contains(seat)).collect(),
                rank: deal.priority,
            });
        }
        let wanted = &spec.rules.wseat;
        Self {
            floor: cast::round32(spec.floor * MICROS),
            floors: AdFormat::ALL.map(|format| spec.rules.floor(format).map(|floor| cast::round32(floor * MICROS))),
            admitted: seats.iter().map(|seat| wanted.is_empty() || wanted.contains(seat)).collect(),
            blocked: blocked(spec),
            rule,
            bid: Chance::new(spec.bid_rate),
            price: Sampler::new(&spec.bid_price),
            deals,
            request_json: crate::traffic::render::request_members(spec),
            pmp_json: crate::traffic::render::pmp(spec),
            spec: spec.clone(),
            seats,
        }
    }

    /// How many impressions the request of this entry offers.
    pub(crate) fn imps(&self, key: EntryKey) -> u32 {
        match self.spec.rules.imps {
            0 | 1 => 1,
            most => 1 + EntryRng::new(key, Domain::Imps).below32(most),
        }
    }

    /// The floor of an impression by its place in the request.
    pub(crate) fn floor_of(&self, format: AdFormat, imp: u32) -> u32 {
        let own = self.floors.get(usize::from(format.code())).copied().flatten();
        let base = u64::from(own.unwrap_or(self.floor));
        if imp == 0 {
            return cast::low32(base);
        }
        let hundredths = FURTHER.get(cast::index(imp)).copied().unwrap_or(50);
        cast::low32(base * hundredths / 100 / STEP * STEP)
    }

    /// Which impression the bid of a simulated seat is for.
    pub(crate) fn imp_of(key: EntryKey, seat: u8, imps: u32) -> u32 {
        if imps == 1 { 0 } else { cast::low32(choice(key, seat, 1) % u64::from(imps)) }
    }

    /// The advertiser behind the bid of a simulated seat.
    pub(crate) fn brand(&self, key: EntryKey, seat: u8) -> u32 {
        match self.spec.detail {
            // All seats of an entry showed one brand then.
            Detail::Basic => EntryRng::new(key, Domain::Markup).below32(BRANDS) + 1,
            Detail::Full => cast::low32(choice(key, seat, 2) % u64::from(BRANDS)) + 1,
        }
    }

    pub(crate) fn seat(&self, index: u8) -> &str {
        self.seats.get(usize::from(index)).map_or("unknown", String::as_str)
    }
}

/// A number that depends on entry, seat and purpose.
const fn choice(key: EntryKey, seat: u8, purpose: u64) -> u64 {
    mix(key.hash() ^ (seat as u64 + 1) ^ (purpose << 32)) >> 8
}

fn blocked(spec: &RtbSpec) -> Vec<bool> {
    if spec.rules.badv.is_empty() {
        return Vec::new();
    }
    let refused = |brand: u32| spec.rules.badv.contains(&format!("brand-{brand}.example"));
    (0..=BRANDS).map(refused).collect()
}

fn seats(spec: &RtbSpec) -> Vec<String> {
    if spec.bidder.is_some() && spec.bidders == 0 {
        return Vec::new();
    }
    if spec.seats.is_empty() {
        (1..=spec.bidders.clamp(1, 50)).map(|number| format!("seat-{number:02}")).collect()
    } else {
        spec.seats.clone()
    }
}
