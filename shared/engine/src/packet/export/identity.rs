//! Stable names of connections for formats that want them: the same capture gives the same ones.

use trafficlab_shared::model::capture::connection::Connection;

/// A number below 2^53, so that every JSON reader keeps it exactly.
pub(super) fn flow_id(of: &Connection) -> u64 {
    mixed(of) >> 11
}

/// Zeek's form: `C` and letters and digits. The id within the capture makes it unique there.
pub(super) fn uid(of: &Connection) -> String {
    let mut uid = "C".to_owned();
    push_base62(&mut uid, mixed(of));
    push_base62(&mut uid, of.id);
    uid
}

fn mixed(of: &Connection) -> u64 {
    split_mix(split_mix(of.first_ns.cast_unsigned()) ^ of.id)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
const fn split_mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn push_base62(out: &mut String, mut value: u64) {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    loop {
        let digit = usize::try_from(value % 62).ok().and_then(|place| DIGITS.get(place));
        out.extend(digit.map(|digit| char::from(*digit)));
        value /= 62;
        if value == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::export::samples;

    #[test]
    fn names_are_stable_and_differ() {
        let of = |index: u64| {
            let connections = samples::connections();
            let found = connections.into_iter().find(|connection| connection.id == index);
            found.map(|connection| (uid(&connection), flow_id(&connection)))
        };
        assert_eq!(of(0), of(0));
        assert_ne!(of(0), of(1));
        let valid = |(uid, id): (String, u64)| {
            uid.starts_with('C') && uid.bytes().all(|letter| letter.is_ascii_alphanumeric()) && id < 1 << 53
        };
        assert!((0..3).all(|index| of(index).is_some_and(valid)));
    }
}
