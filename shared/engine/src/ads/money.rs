//! Currencies and amounts. An amount is read from its decimal text into whole minor units, without a float between.

use std::fmt;

use iso_currency::Currency as Iso;
use serde::{Deserialize, Serialize};

/// A currency of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountFault {
    /// It is not a decimal number.
    #[error("must be a decimal number")]
    NotANumber,
    /// It is below zero.
    #[error("must not be negative")]
    Negative,
    /// It is beyond 10^15 of the currency's main unit.
    #[error("is too large")]
    TooLarge,
}

/// Largest amount in main units.
const LARGEST: u128 = 1_000_000_000_000_000;

impl Currency {
    /// US dollars.
    pub const USD: Self = Self(*b"USD");

    /// The currency of a code in capitals, when ISO 4217 knows it.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        Iso::from_code(code).filter(|_| bytes.iter().all(u8::is_ascii_uppercase)).map(|_| Self(bytes))
    }

    /// Its three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point: 2 for most, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn decimals(self) -> u32 {
        Iso::from_code(self.code()).and_then(Iso::exponent).map_or(2, u32::from)
    }

    /// Reads an amount such as `12.5` or `1e3` into minor units; digits beyond the currency's are rounded half up.
    ///
    /// # Errors
    /// No number, negative, or too large.
    pub fn minor(self, text: &str) -> Result<u64, AmountFault> {
        fixed(text, self.decimals())
    }

    /// Minor units as a number of main units, as JSON shows it.
    #[must_use]
    pub fn major(self, minor: u64) -> f64 {
        super::ratio::decimal(minor.into(), self.decimals())
    }

    /// Minor units as exact decimal text, such as `12.50`.
    #[must_use]
    pub fn text(self, minor: u64) -> String {
        let decimals = self.decimals();
        let scale = 10_u64.pow(decimals);
        if decimals == 0 {
            return minor.to_string();
        }
        let width = usize::try_from(decimals).unwrap_or(2);
        format!("{}.{:0width$}", minor / scale, minor % scale)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom("not a currency of ISO 4217"))
    }
}

/// Reads a decimal such as `12.5`, `.5` or `1.25e2` into units of 10^-`decimals`, rounded half up. No sign but `+`, no
/// separators, no `NaN`.
///
/// # Errors
/// No number, negative, or too large.
pub fn fixed(text: &str, decimals: u32) -> Result<u64, AmountFault> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_form| AmountFault::NotANumber)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) || mantissa.len() > 400 {
        return Err(AmountFault::NotANumber);
    }
    if digits().all(|byte| byte == b'0') {
        return Ok(0);
    }
    if negative {
        return Err(AmountFault::Negative);
    }
    // The place of the last digit that is kept, counted from the first digit.
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(exponent.into());
    let kept = point.saturating_add(decimals.into());
    round(digits().map(|byte| u128::from(byte - b'0')), kept)
        .filter(|units| *units <= LARGEST * 10_u128.pow(decimals.min(9)))
        .and_then(|units| u64::try_from(units).ok())
        .ok_or(AmountFault::TooLarge)
}

/// The first `kept` digits as a number, filled up with zeros and rounded by the digit after them.
fn round(mut digits: impl Iterator<Item = u128>, kept: i64) -> Option<u128> {
    if kept < 0 {
        return Some(0);
    }
    let mut units: u128 = 0;
    for _ in 0..kept {
        units = units.checked_mul(10)?.checked_add(digits.next().unwrap_or(0))?;
        if units > u128::from(u64::MAX) {
            return None;
        }
    }
    Some(if digits.next().is_some_and(|digit| digit >= 5) { units + 1 } else { units })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_exact_and_rounded_half_up() {
        let usd = Currency::USD;
        let table = [("0.1", 10), ("12.345", 1235), ("12.3449999", 1234), ("1e3", 100_000), (".5", 50), ("5.", 500)];
        for (text, minor) in table {
            assert_eq!(usd.minor(text), Ok(minor), "{text}");
        }
        assert_eq!(usd.minor("0.1").unwrap() + usd.minor("0.2").unwrap(), usd.minor("0.3").unwrap());
        assert_eq!(usd.minor("0.30000000000000004"), Ok(30));
        assert_eq!((usd.minor("1e-9"), usd.minor("-0.0"), usd.minor("0e999999999")), (Ok(0), Ok(0), Ok(0)));
        assert_eq!(usd.minor("-1"), Err(AmountFault::Negative));
        for wrong in ["", ".", "NaN", "inf", "1,5", "0x10", "1e", "1e99999999999", "--1", "1 "] {
            assert_eq!(usd.minor(wrong), Err(AmountFault::NotANumber), "{wrong}");
        }
        for large in ["1e309", "1000000000000000.01", "99999999999999999999"] {
            assert_eq!(usd.minor(large), Err(AmountFault::TooLarge), "{large}");
        }
    }

    #[test]
    fn currencies_have_their_digits() {
        let decimals = |code| Currency::parse(code).map(Currency::decimals);
        assert_eq!((decimals("USD"), decimals("JPY"), decimals("KWD")), (Some(2), Some(0), Some(3)));
        assert_eq!((decimals("usd"), decimals("XYZ"), decimals("")), (None, None, None));
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!((yen.minor("10.5"), yen.text(11).as_str()), (Ok(11), "11"));
        assert_eq!(Currency::USD.text(5), "0.05");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,24}") {
            let read = Currency::USD.minor(&text);
            prop_assert!(read.is_ok_and(|minor| minor <= 100_000_000_000_000_000) || read.is_err());
        }

        #[test]
        fn an_amount_comes_back(minor in 0..100_000_000_000_000_000_u64) {
            prop_assert_eq!(Currency::USD.minor(&Currency::USD.text(minor)), Ok(minor));
        }

        #[test]
        fn a_float_of_json_is_read_as_written(cents in 0..1_000_000_000_u64) {
            let text = serde_json::Value::from(Currency::USD.major(cents)).to_string();
            prop_assert_eq!(Currency::USD.minor(&text), Ok(cents));
        }
    }
}
