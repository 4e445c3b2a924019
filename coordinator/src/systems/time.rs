//! Timestamps and figures as the API shows them.

use trafficlab_engine::traffic::render::push_rfc3339;

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;

/// RFC 3339 in UTC with microseconds, such as `2026-01-31T23:59:59.000001Z`.
#[must_use]
pub fn rfc3339(epoch_ns: u64) -> String {
    let mut text = Vec::with_capacity(27);
    push_rfc3339(&mut text, epoch_ns);
    String::from_utf8(text).unwrap_or_default()
}

/// `rfc3339` of a moment that may not have come.
#[must_use]
pub fn maybe_rfc3339(epoch_ns: Option<u64>) -> Option<String> {
    epoch_ns.map(rfc3339)
}

/// Now, as the API shows it.
#[must_use]
pub fn now() -> String {
    rfc3339(trafficlab_shared::clock::wall_ns())
}

/// A count as a number to compute with and show.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "figures to be shown; counts are far below 2^53")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// Microseconds as milliseconds.
#[must_use]
pub fn ms(us: u64) -> f64 {
    float(us) / 1000.0
}

/// `part` of `whole`, 0 when there is no whole.
#[must_use]
pub fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Rounded to three decimals.
#[must_use]
pub fn round3(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A positive figure as a whole number; what is beyond the range is its bound.
#[must_use]
pub fn whole(value: f64) -> u64 {
    let bounded = value.round().clamp(0.0, 9.0e18);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range by the clamp; NaN becomes 0"
    )]
    let whole = bounded as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_bounded() {
        assert_eq!((whole(2.5e6), whole(-1.0), whole(f64::NAN)), (2_500_000, 0, 0));
        assert!(whole(f64::INFINITY) > 1 << 62);
        assert_eq!(rfc3339(1_500_000_000), "1970-01-01T00:00:01.500000Z");
    }
}
