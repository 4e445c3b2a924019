//! The fields of a visit under the names that tables have for them.

use std::fmt;

use crate::visit::column::Traffic;
use crate::visit::record::Visit;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Milliseconds of the Unix epoch.
    Time(i64),
    /// 64 bits as hexadecimal digits.
    Digits(u64),
    /// Empty when there is none.
    Text(&'a str),
    /// A JSON object; empty when there is none.
    Object(&'a str),
    /// Millionths; nothing when there is none.
    Money(Option<i64>),
}

/// All fields, in the order of the columns.
pub(super) fn fields<'a>(visit: &Visit<'a>) -> [(&'static str, Cell<'a>); 31] {
    let Visit { page, agent, acquisition: from, place, .. } = visit;
    let money = visit.revenue_micros != 0 || !visit.currency.is_empty();
    [
        ("time", Cell::Time(visit.time_ms)),
        ("site", Cell::Text(visit.site)),
        ("visitor", Cell::Digits(visit.visitor)),
        ("event", Cell::Text(visit.event)),
        ("hostname", Cell::Text(page.host)),
        ("page", Cell::Text(page.path)),
        ("referrer", Cell::Text(from.referrer)),
        ("source", Cell::Text(from.source)),
        ("channel", Cell::Text(from.channel)),
        ("utm_medium", Cell::Text(from.utm_medium)),
        ("utm_source", Cell::Text(from.utm_source)),
        ("utm_campaign", Cell::Text(from.utm_campaign)),
        ("utm_content", Cell::Text(from.utm_content)),
        ("utm_term", Cell::Text(from.utm_term)),
        ("click_kind", Cell::Text(from.click_kind)),
        ("click_id", Cell::Text(visit.click)),
        ("country", Cell::Text(place.country)),
        ("region", Cell::Text(place.region)),
        ("city", Cell::Text(place.city)),
        ("browser", Cell::Text(agent.browser)),
        ("browser_version", Cell::Text(agent.browser_version)),
        ("os", Cell::Text(agent.os)),
        ("os_version", Cell::Text(agent.os_version)),
        ("device", Cell::Text(agent.device)),
        ("bot", Cell::Text(agent.bot)),
        ("user_id", Cell::Text(visit.user)),
        ("campaign", Cell::Text(visit.campaign)),
        ("traffic", Cell::Text(word(visit.traffic))),
        ("revenue", Cell::Money(money.then_some(visit.revenue_micros))),
        ("currency", Cell::Text(visit.currency)),
        ("props", Cell::Object(visit.props)),
    ]
}

const fn word(traffic: Traffic) -> &'static str {
    match traffic {
        Traffic::Real => "real",
        Traffic::Synthetic => "synthetic",
        Traffic::Unverified => "unverified",
    }
}

/// A moment of the Unix epoch in nanoseconds; those before it are at it.
pub(super) fn epoch_ns(time_ms: i64) -> u64 {
    u64::try_from(time_ms).unwrap_or(0).saturating_mul(1_000_000)
}

/// Millionths as a decimal number without needless zeros, exactly.
pub(super) struct Decimal(pub(super) i64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        for (micros, text) in [
            (0, "0"),
            (1_000_000, "1"),
            (12_340_000, "12.34"),
            (-500_000, "-0.5"),
            (1, "0.000001"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(Decimal(micros).to_string(), text);
        }
    }
}
