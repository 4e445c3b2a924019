//! The few conversions between number types that cannot be written with `From`.
//!
//! Casts from floats saturate and casts of whole numbers below 2^53 to floats are exact.

/// Largest whole number not above `value`; 0 for negatives and NaN.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is meant")]
pub(crate) const fn whole(value: f64) -> u64 {
    value as u64
}

/// Nearest whole number, held within 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is meant")]
pub(crate) fn round32(value: f64) -> u32 {
    // Adding a half and cutting is the same on every machine; negatives become 0.
    (value + 0.5) as u32
}

/// The number as a float; exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "callers stay below 2^53")]
pub(crate) const fn float(value: u64) -> f64 {
    value as f64
}

/// The low 32 bits.
#[allow(clippy::cast_possible_truncation, reason = "cutting is the purpose")]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

/// The low 16 bits.
#[allow(clippy::cast_possible_truncation, reason = "cutting is the purpose")]
pub(crate) const fn low16(value: u64) -> u16 {
    value as u16
}

/// The low 8 bits.
#[allow(clippy::cast_possible_truncation, reason = "cutting is the purpose")]
pub(crate) const fn low8(value: u64) -> u8 {
    value as u8
}

/// A 32-bit index; this crate is not built for smaller machines.
pub(crate) fn index(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// A length as 32 bits, at most 2^32 - 1.
pub(crate) fn length(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
