//! Numbers that tell visitors apart without naming them.
//!
//! All are SipHash-2-4 (Aumasson and Bernstein, 2012) under a secret key of 128 bits, so that nobody without the key
//! can find out whose number one is by trying addresses. Each kind begins with a byte of its own, and every part goes in
//! with its length, so that no two kinds and no two splits of the same bytes meet by construction.

use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use siphasher::sip::SipHasher24;

/// A secret key: of a day for visitors without a name, of the installation for the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Salt(***)")
    }
}

/// How much of an address tells visitors apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// All of it.
    Accurate,
    /// The network alone: /24 of IPv4, /48 of IPv6.
    Masked,
}

#[derive(Clone, Copy)]
enum Kind {
    Address = 1,
    User = 2,
    Event = 3,
}

/// The visitor of a site behind an address with a program, under the salt of the day.
#[must_use]
pub fn visitor(salt: &Salt, site: &str, address: IpAddr, user_agent: &str, precision: Precision) -> u64 {
    let address = match (address.to_canonical(), precision) {
        (IpAddr::V4(four), Precision::Accurate) => four.to_ipv6_mapped(),
        (IpAddr::V4(four), Precision::Masked) => Ipv4Addr::from_bits(four.to_bits() & !0xff).to_ipv6_mapped(),
        (IpAddr::V6(six), Precision::Accurate) => six,
        (IpAddr::V6(six), Precision::Masked) => Ipv6Addr::from_bits(six.to_bits() >> 80 << 80),
    };
    hash(salt, Kind::Address, &[site.as_bytes(), &address.octets(), user_agent.as_bytes()])
}

/// The visitor of a site who was given by name: the same on all days, and another one on every site, so that figures of
/// two sites can't be joined.
#[must_use]
pub fn of_user(key: &Salt, site: &str, user: &str) -> u64 {
    hash(key, Kind::User, &[site.as_bytes(), user.as_bytes()])
}

/// A visitor that is nobody else, for sites that tell no visitors apart: the number of a visit, well mixed.
#[must_use]
pub const fn random(seed: u64) -> u64 {
    // The finisher of SplitMix64 (Steele, Lea and Flood, 2014), which maps different seeds to different numbers.
    let mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The number of a client's event id; never 0, which says that there is none.
#[must_use]
pub fn event_id(key: &Salt, site: &str, id: &str) -> u64 {
    hash(key, Kind::Event, &[site.as_bytes(), id.as_bytes()]).max(1)
}

fn hash(key: &Salt, kind: Kind, parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher24::new_with_key(&key.0);
    hasher.write(&[kind as u8]);
    for part in parts {
        hasher.write(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.write(part);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const SALT: Salt = Salt(*b"0123456789abcdef");

    fn of(address: &str, precision: Precision) -> u64 {
        visitor(&SALT, "example.com", address.parse().unwrap(), "Firefox", precision)
    }

    #[test]
    fn numbers_are_stable_and_depend_on_everything() {
        // Stored visitors must be found again by later versions, so the numbers themselves are fixed here;
        // they come from another implementation of SipHash.
        assert_eq!(of("192.0.2.1", Precision::Accurate), 0xdb8c_bea1_1b69_b267);
        assert_eq!(of_user(&SALT, "example.com", "user123"), 0xbe29_c2ed_ee85_5ca8);
        assert_eq!(event_id(&SALT, "example.com", "e1"), 0x3638_13f6_0a00_8ce6);
        let other =
            visitor(&Salt([0; 16]), "example.com", "192.0.2.1".parse().unwrap(), "Firefox", Precision::Accurate);
        assert_ne!(of("192.0.2.1", Precision::Accurate), other);
        assert_ne!(of_user(&SALT, "a", "bc"), of_user(&SALT, "ab", "c"));
        assert_ne!(of_user(&SALT, "a", "b"), event_id(&SALT, "a", "b"));
        assert_ne!(random(1), random(2));
    }

    #[test]
    fn masking_keeps_the_network() {
        use Precision::{Accurate, Masked};
        assert_eq!(of("192.0.2.1", Masked), of("192.0.2.200", Masked));
        assert_ne!(of("192.0.2.1", Masked), of("192.0.3.1", Masked));
        assert_ne!(of("192.0.2.1", Accurate), of("192.0.2.200", Accurate));
        assert_eq!(of("2001:db8:1::1", Masked), of("2001:db8:1:ffff::2", Masked));
        assert_ne!(of("2001:db8:1::1", Masked), of("2001:db8:2::1", Masked));
        assert_eq!(of("::ffff:192.0.2.1", Accurate), of("192.0.2.1", Accurate));
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{SALT:?}"), "Salt(***)");
    }
}
