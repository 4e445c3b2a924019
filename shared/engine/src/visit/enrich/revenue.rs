//! Amounts of money in events.

/// Why an amount is not taken. The sentence goes behind the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevenueFault {
    /// Not a number.
    #[error("must have an `amount` that is a decimal number")]
    Amount,
    /// More than nine million millions of units.
    #[error("must have an `amount` between -9000000000000 and 9000000000000")]
    TooLarge,
    /// No currency of ISO 4217.
    #[error("must have a `currency` that is an ISO 4217 code such as `EUR`")]
    Currency,
}

/// Largest amount in units, so that sums of a million of them fit.
const MOST_UNITS: f64 = 9e12;

/// Codes of ISO 4217 that money is paid in.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
    GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP \
    LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK \
    PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT \
    TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// Millionths of a unit, and the currency in capitals. `amount` is the text of a JSON number or of a JSON string that
/// holds one, quotes included or not.
///
/// # Errors
/// What is wrong with which of both.
pub fn parse(amount: &str, currency: &str) -> Result<(i64, &'static str), RevenueFault> {
    let currency = CURRENCIES
        .split_ascii_whitespace()
        .find(|code| code.eq_ignore_ascii_case(currency))
        .ok_or(RevenueFault::Currency)?;
    let text = amount.trim().trim_matches('"').trim();
    let shape = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    let units: f64 = text.parse().ok().filter(|_| shape).ok_or(RevenueFault::Amount)?;
    if units.abs() > MOST_UNITS {
        return Err(RevenueFault::TooLarge);
    }
    let micros = exact(text).unwrap_or_else(|| rounded(units));
    Ok((micros, currency))
}

/// A plain decimal number with at most six places, without going through binary fractions.
fn exact(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    if places.len() > 6 || !places.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(6 - places.len()).ok()?);
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let places: i64 = if places.is_empty() { 0 } else { places.parse().ok()? };
    whole.checked_mul(1_000_000)?.checked_add(places * scale)?.checked_mul(sign)
}

#[allow(clippy::cast_possible_truncation, reason = "at most 9e18 after the check of the amount, which an i64 holds")]
fn rounded(units: f64) -> i64 {
    (units * 1e6).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (amount, micros) in [
            ("29.99", 29_990_000),
            ("\"29.99\"", 29_990_000),
            ("\" 5 \"", 5_000_000),
            ("-0.01", -10_000),
            ("0", 0),
            (".5", 500_000),
            ("1e3", 1_000_000_000),
            ("1.23456789", 1_234_568),
            ("9000000000000", 9_000_000_000_000_000_000),
        ] {
            assert_eq!(parse(amount, "eur"), Ok((micros, "EUR")), "{amount}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (amount, currency, fault) in [
            ("", "EUR", RevenueFault::Amount),
            ("five", "EUR", RevenueFault::Amount),
            ("NaN", "EUR", RevenueFault::Amount),
            ("inf", "EUR", RevenueFault::Amount),
            ("1,5", "EUR", RevenueFault::Amount),
            ("1e300", "EUR", RevenueFault::TooLarge),
            ("9000000000001", "EUR", RevenueFault::TooLarge),
            ("1", "EURO", RevenueFault::Currency),
            ("1", "", RevenueFault::Currency),
            ("1", "XYZ", RevenueFault::Currency),
        ] {
            assert_eq!(parse(amount, currency), Err(fault), "{amount} {currency}");
        }
    }
}
