//! Numbers as people read them.

/// A count as a number to compute with; exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "figures to be shown; counts are far below 2^53")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// A positive figure as a whole number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is meant")]
pub(crate) const fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// `part` of `whole`, 0 when there is no whole.
pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Microseconds as milliseconds.
pub(crate) fn millis(us: u64) -> f64 {
    float(us) / 1000.0
}

/// Rounded to so many decimals.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// Microseconds as milliseconds with three leading digits or all whole ones.
pub(crate) fn ms(us: u64) -> String {
    three(millis(us))
}

/// A figure with three leading digits or all whole ones.
pub(crate) fn three(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => count(whole(value)),
    }
}

/// A count in groups of three digits.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes with its unit.
pub(crate) fn bytes(value: u64) -> String {
    let (unit, scale) = match value {
        0..10_000 => return format!("{} B", count(value)),
        10_000..10_000_000 => ("kB", 1e3),
        10_000_000..10_000_000_000 => ("MB", 1e6),
        _ => ("GB", 1e9),
    };
    format!("{} {unit}", three(float(value) / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(count(value), text);
        }
        for (us, text) in [(0, "0.00"), (1_234, "1.23"), (12_345, "12.3"), (1_234_567, "1 235")] {
            assert_eq!(ms(us), text);
        }
        for (value, text) in [(512, "512 B"), (123_456, "123 kB"), (12_345_678, "12.3 MB"), (5_000_000_000, "5 000 MB")]
        {
            assert_eq!(bytes(value), text);
        }
        assert!((rounded(1.234_56, 3) - 1.235).abs() < 1e-12);
    }
}
