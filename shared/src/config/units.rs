//! Durations and sizes as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration written with units: `250ms`, `10s`, `2m`, `1h30m`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

const SPAN_UNITS: [(&str, u64); 6] = [
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl Span {
    /// The span as the standard library's type.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }

    /// The span in whole nanoseconds; a span that is too long for them is cut to the maximum.
    #[must_use]
    pub fn nanoseconds(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is not a duration such as `250ms`, `10s`, `2m`, `1h30m` or `7d`");
        let mut rest = text.trim();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(fault());
        }
        while !rest.is_empty() {
            let (number, after) = split_where(rest, |c| !c.is_ascii_digit());
            let (unit, next) = split_where(after, |c| c.is_ascii_digit());
            let scale = SPAN_UNITS.iter().find(|(name, _)| *name == unit.trim());
            let part = number.parse::<u64>().ok().zip(scale).and_then(|(n, (_, scale))| n.checked_mul(*scale));
            total = part.and_then(|part| total.checked_add(part)).ok_or_else(fault)?;
            rest = next;
        }
        Ok(Self(Duration::from_nanos(total)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.nanoseconds();
        let fitting = SPAN_UNITS.iter().rev().find(|(_, scale)| nanoseconds > 0 && nanoseconds.is_multiple_of(*scale));
        match fitting {
            Some((unit, scale)) => write!(formatter, "{}{unit}", nanoseconds / scale),
            None => write!(formatter, "{}us", nanoseconds / 1_000),
        }
    }
}

/// A number of bytes: an integer, or text such as `512KB` (thousands) or `2GiB` (powers of two).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const SIZE_UNITS: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = split_where(text.trim(), |c| !c.is_ascii_digit());
        let unit = unit.trim().to_ascii_lowercase();
        let scale = SIZE_UNITS.iter().find(|(name, _)| *name == unit);
        let bytes = number.parse::<u64>().ok().zip(scale).and_then(|(n, (_, scale))| n.checked_mul(*scale));
        bytes.map(Self).ok_or_else(|| format!("`{text}` is not a size such as `65536`, `512KB` or `2GiB`"))
    }
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a duration with its unit, such as \"10s\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrInteger;
        impl de::Visitor<'_> for TextOrInteger {
            type Value = ByteSize;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a size in bytes, such as 65536 or \"2GiB\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                let negative = |_| E::custom(format!("a size cannot be {bytes} bytes"));
                u64::try_from(bytes).map(ByteSize).map_err(negative)
            }
            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }
        }
        deserializer.deserialize_any(TextOrInteger)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, milliseconds, written) in [
            ("250ms", 250, "250ms"),
            ("10s", 10_000, "10s"),
            ("1h30m", 5_400_000, "90m"),
            ("7d", 604_800_000, "7d"),
            (" 120 s ", 120_000, "2m"),
            ("0s", 0, "0us"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.duration(), Duration::from_millis(milliseconds), "{text}");
            assert_eq!(span.to_string(), written);
            assert_eq!(written.parse::<Span>().unwrap(), span);
        }
    }

    #[test]
    fn spans_without_a_unit_or_out_of_range_are_refused() {
        for text in ["", "10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999999s", "9999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_take_both_kinds_of_units() {
        for (text, bytes) in [("0", 0), ("64KB", 64_000), ("2GiB", 2 << 30), ("1 mib", 1 << 20), ("7b", 7)] {
            assert_eq!(text.parse::<ByteSize>(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "GiB", "-1", "1.5GiB", "2 apples", "99999999TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
