//! Numbers as tables write them: `1,234.56`, `1.234,56`, `$20.00`, `--` for nothing.

use crate::ads::money::{AmountFault, fixed};

/// The sign before the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

impl Decimal {
    const fn signs(self) -> (char, char) {
        match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        }
    }
}

/// Why a cell is no number of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// As an amount.
    #[error(transparent)]
    Amount(AmountFault),
    /// A count with a fraction.
    #[error("must be a whole number")]
    Fraction,
}

/// The digits and signs of a cell; nothing when it says that there is nothing.
fn bare(cell: &str) -> Option<&str> {
    let cell = cell.trim().trim_matches(['$', '€', '£', '¥', '₹']).trim();
    (!matches!(cell, "" | "-" | "--" | "—" | "–")).then_some(cell)
}

/// What a cell tells about the sign before the fraction.
#[must_use]
pub fn hint(cell: &str) -> Option<Decimal> {
    let cell = bare(cell)?;
    match (cell.rfind('.'), cell.rfind(',')) {
        (Some(point), Some(comma)) => Some(if point > comma { Decimal::Point } else { Decimal::Comma }),
        (Some(_), None) => alone(cell, '.').then_some(Decimal::Point),
        (None, Some(_)) => alone(cell, ',').then_some(Decimal::Comma),
        (None, None) => None,
    }
}

/// Whether the one kind of sign in a number cannot stand between thousands.
fn alone(cell: &str, sign: char) -> bool {
    let mut parts = cell.split(sign);
    let first = parts.next().unwrap_or_default();
    let digits = first.trim_start_matches(['-', '+']);
    parts.clone().count() == 1
        && (parts.any(|part| part.len() != 3) || digits.is_empty() || digits == "0" || digits.len() > 3)
}

/// A number in units of 10^-`decimals`, rounded half up; 0 for a cell that says there is nothing. `room` is used to work in.
///
/// # Errors
/// No number, negative, too large.
pub fn amount(cell: &str, decimal: Decimal, decimals: u32, room: &mut String) -> Result<u64, NumberFault> {
    let Some(cell) = bare(cell) else { return Ok(0) };
    room.clear();
    let (fraction, thousands) = decimal.signs();
    let mut group: Option<usize> = None;
    let mut digits = 0;
    let mut broken = false;
    for letter in cell.chars() {
        let separates = letter == thousands || matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\'');
        if letter.is_ascii_digit() {
            digits += 1;
            room.push(letter);
        } else if letter == fraction && !room.contains('.') {
            broken |= group.is_some_and(|before| digits - before != 3);
            group = None;
            room.push('.');
        } else if separates && !room.contains('.') {
            broken |= group.map_or(digits == 0 || digits > 3, |before| digits - before != 3);
            group = Some(digits);
        } else if matches!(letter, '-' | '+') && room.is_empty() {
            room.push(letter);
        } else {
            broken = true;
        }
    }
    if broken || group.is_some_and(|before| digits - before != 3) {
        return Err(NumberFault::Amount(AmountFault::NotANumber));
    }
    fixed(room, decimals).map_err(NumberFault::Amount)
}

/// A whole number, under the same rules.
///
/// # Errors
/// No number, negative, too large, or with a fraction.
pub fn count(cell: &str, decimal: Decimal, room: &mut String) -> Result<u64, NumberFault> {
    let thousandths = amount(cell, decimal, 3, room)?;
    // Beyond the third digit only zeros may follow, or rounding would hide them.
    let hidden = room.split_once('.').is_some_and(|(_, fraction)| fraction.bytes().any(|digit| digit != b'0'));
    if hidden { Err(NumberFault::Fraction) } else { Ok(thousandths / 1000) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(cell: &str, decimal: Decimal) -> Option<u64> {
        amount(cell, decimal, 2, &mut String::new()).ok()
    }

    #[test]
    fn numbers_in_every_spelling() {
        let point = [
            ("1,234.56", 123_456),
            ("1234.565", 123_457),
            ("$1,234.5", 123_450),
            ("1,234,567", 123_456_700),
            (" --", 0),
            ("", 0),
            ("-", 0),
            (".5", 50),
            ("1 234.56", 123_456),
            ("1'234.56", 123_456),
            ("12.34 €", 1234),
            ("-0.00", 0),
        ];
        for (text, expected) in point {
            assert_eq!(cents(text, Decimal::Point), Some(expected), "{text}");
        }
        let comma = [("1.234,56", 123_456), ("1.234", 123_400), ("0,5", 50), ("1\u{202f}234,56", 123_456)];
        for (text, expected) in comma {
            assert_eq!(cents(text, Decimal::Comma), Some(expected), "{text}");
        }
        for wrong in [
            "1,23",
            "12,34.5",
            "1,2345",
            ",123",
            "1.2.3",
            "1e3",
            "NaN",
            "5%",
            "-3",
            "1-2",
            "=1+1",
            "1,234.567,8",
            "1234,567",
        ] {
            assert_eq!(cents(wrong, Decimal::Point), None, "{wrong}");
        }
    }

    #[test]
    fn counts_are_whole() {
        let read = |text| count(text, Decimal::Point, &mut String::new());
        assert_eq!((read("1,234"), read("12.000"), read("--")), (Ok(1234), Ok(12), Ok(0)));
        assert_eq!((read("1.5"), read("0.0001")), (Err(NumberFault::Fraction), Err(NumberFault::Fraction)));
        assert_eq!(read("99999999999999999999"), Err(NumberFault::Amount(AmountFault::TooLarge)));
    }

    #[test]
    fn a_fraction_shows_its_sign() {
        let table = [
            ("1,234.56", Some(Decimal::Point)),
            ("1.234,56", Some(Decimal::Comma)),
            ("12.5", Some(Decimal::Point)),
            ("0,123", Some(Decimal::Comma)),
            ("1,234", None),
            ("1.234", None),
            ("1234", None),
            ("1234,567", Some(Decimal::Comma)),
            ("--", None),
            ("1,234,567", None),
        ];
        for (text, expected) in table {
            assert_eq!(hint(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9., $%eE\u{a0}]{0,20}") {
            for decimal in [Decimal::Point, Decimal::Comma] {
                let mut room = String::new();
                prop_assert!(hint(&text).is_none() || text.contains(['.', ',']));
                prop_assert!(count(&text, decimal, &mut room).is_ok() <= amount(&text, decimal, 2, &mut room).is_ok());
            }
        }

        #[test]
        fn an_amount_with_thousands_comes_back(minor in 0..10_000_000_000_u64) {
            let whole = (minor / 100).to_string();
            let mut grouped = String::new();
            for (place, digit) in whole.chars().enumerate() {
                if place > 0 && (whole.len() - place) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            prop_assert_eq!(cents(&format!("{grouped}.{:02}", minor % 100), Decimal::Point), Some(minor));
        }
    }
}
