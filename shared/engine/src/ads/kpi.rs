//! Key figures: what is shown of summed figures. Every ratio is a ratio of sums, rounded once.

use serde_json::Number;

use super::figures::{Figures, MILLI};
use super::money::Currency;
use super::ratio::{decimal, ratio};

/// Ratios of summed figures, each nothing when its divisor is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ratios {
    /// Clicks in percent of impressions.
    pub ctr: Option<f64>,
    /// Money a click.
    pub cpc: Option<f64>,
    /// Money for a thousand impressions.
    pub cpm: Option<f64>,
    /// Money a conversion.
    pub cpa: Option<f64>,
    /// Revenue for a unit of money spent.
    pub roas: Option<f64>,
}

impl Ratios {
    /// The ratios of figures whose money is in `currency`, rounded half up to `decimals` digits: 2 in campaign objects, 4
    /// in analytics.
    #[must_use]
    pub fn of(figures: &Figures, currency: Currency, decimals: u32) -> Self {
        let minor = 10_u128.pow(currency.decimals());
        let spend = u128::from(figures.spend);
        let each = |count: u64, scale: u128| ratio(spend * scale, u128::from(count) * minor, decimals);
        Self {
            ctr: ratio(u128::from(figures.clicks) * 100, figures.impressions.into(), decimals),
            cpc: each(figures.clicks, 1),
            cpm: each(figures.impressions, 1000),
            cpa: each(figures.conversions_milli, MILLI.into()),
            roas: ratio(figures.revenue.into(), spend, decimals),
        }
    }
}

/// Digits of ratios in analytics, predictions and simulations.
pub const ANALYTICS_DECIMALS: u32 = 4;
/// Digits of ratios in campaign objects and their metrics.
pub const CAMPAIGN_DECIMALS: u32 = 2;

/// Sums and their ratios, money in main units of one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kpis {
    /// Money spent.
    pub spend: f64,
    /// Value of the conversions.
    pub revenue: f64,
    /// How often ads were shown.
    pub impressions: u64,
    /// How often they were clicked.
    pub clicks: u64,
    /// Conversions, with up to three decimals.
    pub conversions: f64,
    /// The ratios.
    pub ratios: Ratios,
}

impl Kpis {
    /// What is shown of figures in analytics: ratios have 4 digits.
    #[must_use]
    pub fn of(figures: &Figures, currency: Currency) -> Self {
        Self {
            spend: currency.major(figures.spend),
            revenue: currency.major(figures.revenue),
            impressions: figures.impressions,
            clicks: figures.clicks,
            conversions: decimal(figures.conversions_milli.into(), 3),
            ratios: Ratios::of(figures, currency, ANALYTICS_DECIMALS),
        }
    }
}

/// Conversions as JSON shows them: an integer when they are whole, else with up to three decimals.
#[must_use]
pub fn conversions(milli: u64) -> Number {
    if milli.is_multiple_of(MILLI) {
        return Number::from(milli / MILLI);
    }
    Number::from_f64(decimal(milli.into(), 3)).unwrap_or_else(|| Number::from(milli / MILLI))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    fn figures(impressions: u64, clicks: u64, conversions_milli: u64, spend: u64, revenue: u64) -> Figures {
        Figures { impressions, clicks, conversions_milli, spend, revenue }
    }

    #[test]
    fn the_documents_sample_of_a_campaign() {
        let ratios = Ratios::of(&figures(125_000, 4500, 180_000, 325_050, 980_000), Currency::USD, CAMPAIGN_DECIMALS);
        let shown = Ratios { ctr: Some(3.6), cpc: Some(0.72), cpm: Some(26.0), cpa: Some(18.06), roas: Some(3.01) };
        assert_eq!(ratios, shown);
        let day = Ratios::of(&figures(5000, 180, 7000, 12_550, 38_500), Currency::USD, CAMPAIGN_DECIMALS);
        assert_eq!((day.ctr, day.roas), (Some(3.6), Some(3.07)));
    }

    #[test]
    fn nothing_is_not_zero() {
        assert_eq!(Ratios::of(&Figures::default(), Currency::USD, 4), Ratios::default());
        let spent = Ratios::of(&figures(0, 0, 0, 100, 0), Currency::USD, 4);
        assert_eq!(spent, Ratios { roas: Some(0.0), ..Ratios::default() });
    }

    #[test]
    fn money_has_its_currencys_digits() {
        let yen = Ratios::of(&figures(2000, 10, 500, 3000, 6000), Currency::parse("JPY").unwrap(), 4);
        assert_eq!((yen.cpc, yen.cpm, yen.cpa, yen.roas), (Some(300.0), Some(1500.0), Some(6000.0), Some(2.0)));
        let dinar = Kpis::of(&figures(1000, 10, 1500, 3001, 0), Currency::parse("KWD").unwrap());
        assert_eq!((dinar.spend, dinar.ratios.cpm, dinar.conversions), (3.001, Some(3.001), 1.5));
    }

    #[test]
    fn conversions_are_whole_where_they_can_be() {
        let text = |milli| conversions(milli).to_string();
        assert_eq!((text(0), text(7000), text(1500), text(1)), ("0".into(), "7".into(), "1.5".into(), "0.001".into()));
    }

    proptest! {
        #[test]
        fn ratios_are_those_of_exact_decimals(
            impressions in 0..1_000_000_u64, clicks in 0..100_000_u64, conversions in 0..10_000_000_u64,
            spend in 0..1_000_000_000_u64, revenue in 0..1_000_000_000_u64,
        ) {
            let summed = figures(impressions, clicks, conversions, spend, revenue);
            let ratios = Ratios::of(&summed, Currency::USD, 4);
            // A naive model: round the exact fraction, as units of a ten-thousandth.
            let naive = |above: u64, below: u64| (below > 0).then(|| (u128::from(above) * 20_000 + u128::from(below)) / (u128::from(below) * 2));
            let units = |shown: Option<f64>| shown.map(|value| format!("{value:.4}").replace('.', "").parse::<u128>().unwrap());
            prop_assert_eq!(units(ratios.ctr), naive(clicks * 100, impressions));
            prop_assert_eq!(units(ratios.cpc), naive(spend, clicks * 100));
            prop_assert_eq!(units(ratios.cpm), naive(spend * 1000, impressions * 100));
            prop_assert_eq!(units(ratios.cpa), naive(spend * 1000, conversions * 100));
            prop_assert_eq!(units(ratios.roas), naive(revenue, spend));
        }

        #[test]
        fn the_order_of_days_does_not_matter(days in prop::collection::vec(any::<[u32; 5]>(), 0..30)) {
            let day = |[i, c, n, s, r]: &[u32; 5]| figures((*i).into(), (*c).into(), (*n).into(), (*s).into(), (*r).into());
            let forwards: Figures = days.iter().map(day).sum();
            let backwards: Figures = days.iter().rev().map(day).sum();
            prop_assert_eq!(Ratios::of(&forwards, Currency::USD, 4), Ratios::of(&backwards, Currency::USD, 4));
        }

        #[test]
        fn no_figures_are_too_large(all in any::<[u64; 5]>()) {
            let [impressions, clicks, conversions, spend, revenue] = all;
            let kpis = Kpis::of(&figures(impressions, clicks, conversions, spend, revenue), Currency::USD);
            prop_assert!(kpis.ratios.cpm.is_none_or(f64::is_finite));
        }
    }
}
