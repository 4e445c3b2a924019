//! Points in time as logs write them, in microseconds since 1970.

const SECOND_US: i64 = 1_000_000;

/// A number of epoch seconds, milliseconds, microseconds or nanoseconds, told apart by its size, or an
/// RFC 3339 time. Small numbers are seconds, so times since the start of a recording are read too.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    epoch(text).or_else(|| rfc3339(text.as_bytes()))
}

/// A JSON number as `parse` reads its digits; a fraction is taken to the microsecond, however it is written.
#[must_use]
pub fn number(number: &serde_json::Number) -> Option<i64> {
    if number.is_u64() {
        return parse(&number.to_string());
    }
    number.as_f64().and_then(|value| parse(&format!("{value:.6}")))
}

/// Seconds below the year 5138; a thousand times that many milliseconds, and so on.
fn epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: u64 = whole.parse().ok()?;
    let us = match number {
        0..=99_999_999_999 => number * 1_000_000 + leading(fraction, 6),
        100_000_000_000..=99_999_999_999_999 => number * 1000 + leading(fraction, 3),
        100_000_000_000_000..=99_999_999_999_999_999 => number,
        _ => number / 1000,
    };
    i64::try_from(us).ok()
}

/// The first `places` decimals as a whole number.
fn leading(fraction: &str, places: usize) -> u64 {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    digits.fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

/// `2026-01-31T23:59:59.123Z` or with an offset such as `+01:00`; a space may stand for the T.
fn rfc3339(text: &[u8]) -> Option<i64> {
    let mut rest = Rest(text);
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = rest.number(2)?;
    rest.one_of(b"-")?;
    let day = rest.number(2)?;
    rest.one_of(b"Tt ")?;
    let second = rest.time_of_day()?;
    let fraction = rest.fraction();
    let zone = if rest.one_of(b"Zz").is_some() { 0 } else { rest.zone(true)? };
    rest.0.is_empty().then_some(())?;
    Some((days(year, month, day)? * 86_400 + second - zone) * SECOND_US + fraction)
}

/// The first `[10/Oct/2000:13:55:36 -0700]` of a common or combined log line.
pub(super) fn common_log(line: &[u8]) -> Option<i64> {
    let mut brackets = line.split(|byte| *byte == b'[').skip(1);
    brackets.find_map(common)
}

fn common(text: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let mut rest = Rest(text);
    let day = rest.number(2)?;
    rest.one_of(b"/")?;
    let name = rest.take(3)?;
    let month = (1..).zip(MONTHS).find(|(_, known)| *known == name)?.0;
    rest.one_of(b"/")?;
    let year = rest.number(4)?;
    rest.one_of(b":")?;
    let second = rest.time_of_day()?;
    let fraction = rest.fraction();
    rest.one_of(b" ")?;
    let zone = rest.zone(false)?;
    rest.one_of(b"]")?;
    Some((days(year, month, day)? * 86_400 + second - zone) * SECOND_US + fraction)
}

/// What of a text is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        wanted.contains(&byte).then(|| self.0 = rest)?;
        Some(byte)
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let taken = self.take(digits)?;
        taken.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
    }

    /// `hh:mm:ss` in seconds; a leap second belongs to the next minute.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        self.one_of(b":")?;
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        self.one_of(b":")?;
        let second = self.number(2).filter(|second| *second <= 60)?;
        Some((hour * 60 + minute) * 60 + second)
    }

    /// Decimals behind a dot or comma, in microseconds; 0 without any.
    fn fraction(&mut self) -> i64 {
        let Some((b'.' | b',', rest)) = self.0.split_first() else {
            return 0;
        };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(count).unwrap_or_default();
        self.0 = rest;
        let places = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
        places.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
    }

    /// An offset from UTC in seconds.
    fn zone(&mut self, colon: bool) -> Option<i64> {
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2).filter(|hours| *hours < 24)?;
        if colon {
            self.one_of(b":")?;
        }
        let minutes = self.number(2).filter(|minutes| *minutes < 60)?;
        Some(sign * (hours * 60 + minutes) * 60)
    }
}

/// Days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms"); none for a date
/// that does not exist.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=length).contains(&day).then_some(())?;
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_means_the_same_moment() {
        let expected = Some(971_211_336_250_000);
        for text in [
            "971211336.25",
            "971211336250",
            "971211336250.0",
            "971211336250000",
            "971211336250000999",
            "2000-10-10T20:55:36.25Z",
            "2000-10-10 13:55:36,250-07:00",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        let line = br#"127.0.0.1 - [x] [10/Oct/2000:13:55:36.250 -0700] "GET /[1] HTTP/1.0" 200 2326"#;
        assert_eq!(common_log(line), expected);
        assert_eq!(parse("12.5"), Some(12_500_000));
        assert_eq!(parse("2024-02-29T23:59:60Z"), Some(1_709_251_200_000_000));
        assert_eq!(parse("1970-01-01T00:00:00+00:00"), Some(0));
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let read = |text| serde_json::from_str(text).ok().and_then(|value| number(&value));
        let table = [
            ("971211336", Some(971_211_336_000_000)),
            ("971211336.25", Some(971_211_336_250_000)),
            ("0.00001", Some(10)),
            ("1e-5", Some(10)),
            ("1.5e3", Some(1_500_000_000)),
            ("1e300", None),
            ("-1", None),
            ("-0.5", None),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            ".",
            "-1",
            "+1",
            "1e9",
            "1.2.3",
            "12345678901234567890",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:00:00",
            "2023-01-01T00:00:00Zx",
            "2023-01-01T00:00:00+0100",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for line in ["10/Oct/2000:13:55:36 -0700", "[10/Okt/2000:13:55:36 -0700]", "[10/Oct/2000:13:55:36]", "["] {
            assert_eq!(common_log(line.as_bytes()), None, "{line}");
        }
    }
}
