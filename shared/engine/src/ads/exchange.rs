//! Exchange rates that an operator sets: money of one currency as money of another.

use std::collections::BTreeMap;

use super::figures::Figures;
use super::money::Currency;
use super::ratio::rounded;

/// Units of a currency that one unit of the base buys, as an exact decimal: `units / 10^decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    units: u128,
    decimals: u32,
}

/// Most digits of a rate that count.
const DIGITS: usize = 18;

impl Rate {
    const ONE: Self = Self { units: 1, decimals: 0 };

    /// The shortest decimal that reads as `value`, which is what the operator wrote.
    fn of(value: f64) -> Option<Self> {
        let text = value.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let digits = whole.trim_start_matches('0').len() + fraction.len();
        let too_many = digits.saturating_sub(DIGITS).min(fraction.len());
        let kept: String = whole.chars().chain(fraction.chars().take(fraction.len() - too_many)).collect();
        let decimals = u32::try_from(fraction.len() - too_many).ok()?;
        let units: u128 = kept.parse().ok().filter(|units| *units > 0 && *units < 10_u128.pow(19))?;
        Some(Self { units, decimals })
    }
}

/// Rates of currencies to one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    rates: BTreeMap<Currency, Rate>,
}

/// How to turn minor units of one currency into those of another: `above / below`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    above: u128,
    below: u128,
}

impl Exchange {
    /// Rates of `base`, as units of each currency that one unit of the base buys. What is no currency, and a rate that is
    /// not above 0, is left out.
    #[must_use]
    pub fn new(base: &str, rates: &BTreeMap<String, f64>) -> Self {
        let Some(base) = Currency::parse(base) else { return Self::default() };
        let read = |(code, rate): (&String, &f64)| Some((Currency::parse(code)?, Rate::of(*rate)?));
        let mut rates: BTreeMap<Currency, Rate> = rates.iter().filter_map(read).collect();
        rates.insert(base, Rate::ONE);
        Self { rates }
    }

    /// From one currency to another, when the rates of both are known or they are the same.
    #[must_use]
    pub fn factor(&self, from: Currency, to: Currency) -> Option<Factor> {
        if from == to {
            return Some(Factor { above: 1, below: 1 });
        }
        let (of_from, of_to) = (self.rates.get(&from)?, self.rates.get(&to)?);
        let power = |exponent: u32| 10_u128.checked_pow(exponent);
        // Cancelling the powers of ten first keeps the fraction small.
        let (up, down) = (of_from.decimals + to.decimals(), of_to.decimals + from.decimals());
        let (up, down) = (up.saturating_sub(down), down.saturating_sub(up));
        let above = of_to.units.checked_mul(power(up)?)?;
        let below = of_from.units.checked_mul(power(down)?)?;
        let divisor = greatest_common_divisor(above, below);
        Some(Factor { above: above / divisor, below: below / divisor })
    }
}

impl Factor {
    /// Minor units turned into those of the other currency, rounded half up.
    #[must_use]
    pub fn money(self, minor: u64) -> u64 {
        let (mut above, mut below) = (self.above, self.below);
        loop {
            if let Some(product) = above.checked_mul(minor.into()) {
                let turned = rounded(product, below, 0).unwrap_or(u128::MAX);
                return u64::try_from(turned).unwrap_or(u64::MAX);
            }
            above >>= 1;
            below = (below >> 1).max(1);
        }
    }

    /// Figures with their money turned; counts stay.
    #[must_use]
    pub fn figures(self, figures: Figures) -> Figures {
        Figures { spend: self.money(figures.spend), revenue: self.money(figures.revenue), ..figures }
    }
}

fn greatest_common_divisor(mut one: u128, mut other: u128) -> u128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one.max(1)
}

/// Figures of several currencies, summed apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse {
    // Most tenants have one or two currencies, so looking through them beats a map.
    sums: Vec<(Currency, Figures)>,
}

/// A purse turned into one currency as far as rates are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Everything that could be turned.
    pub total: Figures,
    /// What could not, by currency.
    pub rest: Vec<(Currency, Figures)>,
}

impl Purse {
    /// Adds figures whose money is in `currency`.
    pub fn add(&mut self, currency: Currency, figures: Figures) {
        match self.sums.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum += figures,
            None => self.sums.push((currency, figures)),
        }
    }

    /// Turns each currency's sum into `currency`, once, so that nothing is rounded twice.
    #[must_use]
    pub fn settle(&self, exchange: &Exchange, currency: Currency) -> Settled {
        let mut settled = Settled { total: Figures::default(), rest: Vec::new() };
        for (own, figures) in &self.sums {
            match exchange.factor(*own, currency) {
                Some(factor) => settled.total += factor.figures(*figures),
                None => settled.rest.push((*own, *figures)),
            }
        }
        settled.rest.sort_unstable_by_key(|(own, _)| *own);
        settled
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn exchange() -> Exchange {
        let rates = [("EUR", 0.92), ("JPY", 157.3), ("KWD", 0.31), ("nonsense", 2.0), ("GBP", 0.0)];
        Exchange::new("USD", &rates.into_iter().map(|(code, rate)| (code.to_owned(), rate)).collect())
    }

    #[test]
    fn money_is_turned_by_exact_rates() {
        let exchange = exchange();
        let turned = |minor, from, to| exchange.factor(currency(from), currency(to)).map(|factor| factor.money(minor));
        assert_eq!(turned(100, "USD", "EUR"), Some(92));
        assert_eq!(turned(92, "EUR", "USD"), Some(100));
        assert_eq!(turned(10_000, "USD", "JPY"), Some(15_730), "100 dollars, and yen have no digits");
        assert_eq!(turned(15_730, "JPY", "EUR"), Some(9200));
        assert_eq!(turned(1, "KWD", "USD"), Some(0), "a thousandth of a dinar is 0.32 cents");
        assert_eq!(turned(2, "KWD", "USD"), Some(1));
        assert_eq!((turned(7, "GBP", "USD"), turned(7, "GBP", "GBP")), (None, Some(7)));
        assert_eq!(Exchange::new("dollars", &BTreeMap::new()), Exchange::default());
    }

    #[test]
    fn currencies_without_a_rate_stay_apart() {
        let mut purse = Purse::default();
        let spent = |spend| Figures { spend, clicks: 1, ..Figures::default() };
        for (code, spend) in [("USD", 100), ("GBP", 5), ("EUR", 92), ("CHF", 3), ("GBP", 5)] {
            purse.add(currency(code), spent(spend));
        }
        let settled = purse.settle(&exchange(), currency("USD"));
        assert_eq!((settled.total.spend, settled.total.clicks), (200, 2));
        let rest: Vec<_> = settled.rest.iter().map(|(own, figures)| (own.code(), figures.spend)).collect();
        assert_eq!(rest, [("CHF", 3), ("GBP", 10)]);
    }

    proptest! {
        #[test]
        fn twice_the_money_is_worth_twice_as_much_at_any_rate(one in any::<f64>(), other in 1e-12..1e12_f64, minor in 0..u64::MAX / 2) {
            let rates = [("EUR".to_owned(), one), ("JPY".to_owned(), other)].into_iter().collect();
            let exchange = Exchange::new("USD", &rates);
            for (from, to) in [("EUR", "JPY"), ("JPY", "EUR"), ("USD", "JPY"), ("JPY", "USD")] {
                if let Some(factor) = exchange.factor(currency(from), currency(to)) {
                    let (once, twice) = (factor.money(minor), factor.money(2 * minor));
                    // Rounding changes a unit; of what fills 64 bits the last few are not exact.
                    let apart = once.saturating_mul(2).abs_diff(twice);
                    prop_assert!(twice == u64::MAX || apart <= 1 + (twice >> 58), "{once} {twice}");
                }
            }
        }

        #[test]
        fn there_and_back_again_is_at_most_a_rounding_away(rate in 1_000..9_000_000_u64, cents in 0..1_000_000_000_u64) {
            #[allow(clippy::cast_precision_loss, reason = "small")]
            let rates = [("EUR".to_owned(), rate as f64 / 1e5)].into_iter().collect();
            let exchange = Exchange::new("USD", &rates);
            let (there, back) = (exchange.factor(Currency::USD, currency("EUR")).unwrap(), exchange.factor(currency("EUR"), Currency::USD).unwrap());
            // Half a cent of the other currency is worth this much here.
            prop_assert!(back.money(there.money(cents)).abs_diff(cents) <= 1 + 100_000 / rate);
        }
    }
}
