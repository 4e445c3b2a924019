//! `RtbSpec` made ready for drawing.

use trafficlab_shared::model::content::RtbSpec;

use super::PriceRule;
use crate::traffic::cast;
use crate::traffic::rng::Chance;
use crate::traffic::sample::Sampler;

/// Micros in one unit of currency.
pub(crate) const MICROS: f64 = 1_000_000.0;

/// Prepared tables of the exchange.
#[derive(Debug, Clone)]
pub(crate) struct PreparedRtb {
    pub(crate) spec: RtbSpec,
    /// Names of the seats, in order.
    pub(crate) seats: Vec<String>,
    pub(crate) floor: u32,
    pub(crate) rule: PriceRule,
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
            });
        }
        Self {
            floor: cast::round32(spec.floor * MICROS),
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

    pub(crate) fn seat(&self, index: u8) -> &str {
        self.seats.get(usize::from(index)).map_or("unknown", String::as_str)
    }
}

fn seats(spec: &RtbSpec) -> Vec<String> {
    if spec.seats.is_empty() {
        (1..=spec.bidders.clamp(1, 50)).map(|number| format!("seat-{number:02}")).collect()
    } else {
        spec.seats.clone()
    }
}
