//! Times as logs write them.

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// A moment of the calendar, before it is checked.
#[derive(Default)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    milli: i64,
    /// East of Greenwich, in minutes.
    offset: i64,
}

/// Milliseconds of the Unix epoch of a time such as `10/Oct/2000:13:55:36 -0700`.
pub(super) fn of_log(text: &[u8]) -> Option<i64> {
    let [d1, d2, b'/', m1, m2, m3, b'/', y1, y2, y3, y4, b':', clock @ ..] = text else { return None };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(&[*m1, *m2, *m3]))?;
    let mut civil = Civil {
        year: digits(&[*y1, *y2, *y3, *y4])?,
        month: i64::try_from(month).ok()? + 1,
        day: digits(&[*d1, *d2])?,
        ..Civil::default()
    };
    let rest = civil.clock(clock)?;
    civil.zone(rest.trim_ascii_start())?;
    civil.millis()
}

/// Milliseconds of the Unix epoch of `2022-03-09T10:00:00.123Z` and its kin: also with slashes, with a space for the
/// `T`, with an offset of `+0100`, and without any zone, which is UTC.
pub(super) fn of_iso(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-' | b'/', m1, m2, b'-' | b'/', d1, d2, b'T' | b' ', clock @ ..] = text else { return None };
    let mut civil = Civil {
        year: digits(&[*y1, *y2, *y3, *y4])?,
        month: digits(&[*m1, *m2])?,
        day: digits(&[*d1, *d2])?,
        ..Civil::default()
    };
    let rest = civil.clock(clock)?;
    civil.zone(rest.trim_ascii_start())?;
    civil.millis()
}

impl Civil {
    /// Reads `13:55:36` or `13:55:36.123456`, and gives back what follows.
    fn clock<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return None };
        self.hour = digits(&[*h1, *h2])?;
        self.minute = digits(&[*m1, *m2])?;
        self.second = digits(&[*s1, *s2])?;
        let [b'.', fraction @ ..] = rest else { return Some(rest) };
        let places = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (places, rest) = fraction.split_at_checked(places)?;
        let padded = places.iter().chain(b"000").take(3).copied().collect::<Vec<u8>>();
        self.milli = digits(&padded)?;
        Some(rest)
    }

    /// Reads `+0100`, `+01:00`, `Z` or nothing.
    fn zone(&mut self, text: &[u8]) -> Option<()> {
        let (sign, h1, h2, m1, m2) = match text {
            [] | b"Z" => return Some(()),
            [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => (*sign, *h1, *h2, *m1, *m2),
            _ => return None,
        };
        let minutes = digits(&[h1, h2])? * 60 + digits(&[m1, m2])?;
        self.offset = match sign {
            b'+' => minutes,
            b'-' => -minutes,
            _ => return None,
        };
        Some(())
    }

    fn millis(&self) -> Option<i64> {
        let is_leap = (self.year % 4 == 0 && self.year % 100 != 0) || self.year % 400 == 0;
        let last = match self.month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        // A leap second, 60, counts as the first second of the next minute.
        if !(1..=last).contains(&self.day) || self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let minutes = (days(self.year, self.month, self.day) * 24 + self.hour) * 60 + self.minute - self.offset;
        Some((minutes * 60 + self.second) * 1000 + self.milli)
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, millis) in [
            ("10/Oct/2000:13:55:36 -0700", Some(971_211_336_000)),
            ("01/Jan/1970:00:00:00 +0000", Some(0)),
            ("29/Feb/2024:23:59:59 +0530", Some(1_709_231_399_000)),
            ("29/Feb/2023:23:59:59 +0000", None),
            ("31/Apr/2024:00:00:00 +0000", None),
            ("10/Okt/2000:13:55:36 -0700", None),
            ("10/Oct/2000:24:55:36 -0700", None),
            ("10/Oct/2000:13:55:36 0700", None),
            ("1/Oct/2000:13:55:36 -0700", None),
            ("", None),
        ] {
            assert_eq!(of_log(text.as_bytes()), millis, "{text}");
        }
        for (text, millis) in [
            ("2022-03-09T10:00:00.123Z", Some(1_646_820_000_123)),
            ("2022-03-09T11:00:00.1234567+01:00", Some(1_646_820_000_123)),
            ("2022-03-09T10:00:00.5+0000", Some(1_646_820_000_500)),
            ("2022/03/09 10:00:00", Some(1_646_820_000_000)),
            ("2022-13-09T10:00:00Z", None),
            ("2022-03-09", None),
        ] {
            assert_eq!(of_iso(text.as_bytes()), millis, "{text}");
        }
    }
}
