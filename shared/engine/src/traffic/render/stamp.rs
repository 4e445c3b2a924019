//! Timestamps: RFC 3339 in UTC with microseconds.

use super::json::push_padded;

const SECOND_NS: u64 = 1_000_000_000;

/// Appends such as `2026-01-31T23:59:59.000001Z` for nanoseconds since 1970.
pub fn push_rfc3339(out: &mut Vec<u8>, epoch_ns: u64) {
    let (seconds, fraction) = (epoch_ns / SECOND_NS, epoch_ns % SECOND_NS);
    let (year, month, day) = civil(seconds / 86_400);
    let time = seconds % 86_400;
    for (value, width, mark) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (time / 3_600, 2, b':'),
        (time / 60 % 60, 2, b':'),
        (time % 60, 2, b'.'),
        (fraction / 1_000, 6, b'Z'),
    ] {
        push_padded(out, value, width);
        out.push(mark);
    }
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
const fn civil(days: u64) -> (u64, u64, u64) {
    // Eras of 400 years begin on the first of March, which puts the leap day last.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"),
            (4_102_444_800, "2100-01-01T00:00:00.000000Z"),
        ] {
            let mut out = Vec::new();
            push_rfc3339(&mut out, seconds * SECOND_NS);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        push_rfc3339(&mut out, 1_999);
        assert_eq!(out, b"1970-01-01T00:00:00.000001Z");
    }
}
