//! Crypto-PAn against the sample of its reference distribution, and what it keeps.

#![allow(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::packet::export::samples;

/// The key of the sample in the authors' own distribution.
pub(in crate::packet::export) const KEY: [u8; KEY_BYTES] = [
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98,
    87, 76, 45, 42, 132, 34, 2,
];

/// Out of `sample_trace_raw` and `sample_trace_sanitized` there.
const IPV4: [(&str, &str); 12] = [
    ("128.11.68.132", "135.242.180.132"),
    ("129.118.74.4", "134.136.186.123"),
    ("130.132.252.244", "133.68.164.234"),
    ("141.223.7.43", "141.167.8.160"),
    ("152.163.225.39", "151.140.114.167"),
    ("166.107.77.190", "160.132.178.185"),
    ("192.41.57.43", "252.222.221.184"),
    ("209.68.60.238", "226.184.220.233"),
    ("24.94.26.44", "100.88.228.35"),
    ("38.15.67.68", "64.3.66.187"),
    ("4.3.88.225", "124.60.155.63"),
    ("64.39.15.238", "0.219.7.41"),
];

/// What several later implementations agree on; the authors gave none for IPv6.
const IPV6: [(&str, &str); 5] = [
    ("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"),
    ("::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"),
    ("::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"),
    ("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"),
    ("2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"),
];

#[test]
fn known_answers_are_met() {
    let anonymiser = Anonymiser::new(&KEY);
    for (plain, mapped) in IPV4.iter().chain(&IPV6) {
        assert_eq!(anonymiser.address(plain.parse().unwrap()).to_string(), *mapped, "{plain}");
    }
}

#[test]
fn keys_are_bytes_or_digits() {
    let text: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = Anonymiser::new(&KEY).text("10.0.0.1");
    for key in [&KEY[..], text.as_bytes(), format!("  {}\n", text.to_uppercase()).as_bytes()] {
        assert_eq!(Anonymiser::of_key(key).unwrap().text("10.0.0.1"), expected);
    }
    for bad in [&b""[..], b"short", &text.as_bytes()[1..], format!("{text}0").as_bytes(), "zz".repeat(32).as_bytes()] {
        assert!(Anonymiser::of_key(bad).is_err(), "{bad:?}");
    }
    assert!(!format!("{:?}", Anonymiser::new(&KEY)).contains("21"));
}

#[test]
fn texts_keep_all_but_addresses() {
    let anonymiser = Anonymiser::new(&KEY);
    for (plain, mapped) in [
        ("128.11.68.132", "135.242.180.132"),
        ("128.11.68.132:443", "135.242.180.132:443"),
        ("[::1]:53", "[78ff:f001:9fc0:20df:8380:b1f1:704:ed]:53"),
        ("from 128.11.68.132, port 22.", "from 135.242.180.132, port 22."),
        ("(128.11.68.132:80 -> 129.118.74.4:1).", "(135.242.180.132:80 -> 134.136.186.123:1)."),
        ("it was 128.11.68.132.", "it was 135.242.180.132."),
        ("128.11.68.132|7000", "135.242.180.132|7000"),
        ("83.33% (5 retrans / 6 sent), 12:30, dead beef", "83.33% (5 retrans / 6 sent), 12:30, dead beef"),
        ("1.5 ms is 2.3.4 times and a.b.c.d", "1.5 ms is 2.3.4 times and a.b.c.d"),
        ("größer: 128.11.68.132 – schön", "größer: 135.242.180.132 – schön"),
    ] {
        assert_eq!(anonymiser.text(plain), mapped);
    }
}

#[test]
fn no_address_survives_in_any_record() {
    let anonymiser = Anonymiser::new(&KEY);
    let (mut window, mut anomaly, mut connection) =
        (samples::window(), samples::anomaly(), samples::connections().remove(0));
    let before = json!([window, anomaly, connection]).to_string();
    assert!(before.contains("203.0.113.") && before.contains("10.0.15.35") && before.contains("2001:db8:"));
    let mut all = json!([window, anomaly, connection]);
    anonymiser.window(&mut window);
    anonymiser.anomaly(&mut anomaly);
    anonymiser.connection(&mut connection);
    let after = json!([window, anomaly, connection]);
    for prefix in ["203.0.113.", "198.51.100.", "192.178.223.", "10.0.15.35", "2001:db8:"] {
        assert!(!after.to_string().contains(prefix), "{prefix} in {after}");
    }
    anonymiser.json(&mut all);
    assert_eq!(all, after);
}

fn shared_bits(a: u128, b: u128) -> u32 {
    (a ^ b).leading_zeros()
}

proptest! {
    #[test]
    fn prefixes_are_kept_exactly(a: u128, b: u128, kept in 0_u32..128) {
        let anonymiser = Anonymiser::new(&KEY);
        let mask = u128::MAX.checked_shl(128 - kept).unwrap_or(0);
        let b = (a & mask) | (b & !mask);
        let map = |bits: u128| match anonymiser.address(Ipv6Addr::from_bits(bits).into()) {
            IpAddr::V6(address) => address.to_bits(),
            IpAddr::V4(_) => 0,
        };
        prop_assert_eq!(shared_bits(map(a), map(b)), shared_bits(a, b));
    }

    #[test]
    fn any_text_is_taken(text in "\\PC*") {
        let mapped = Anonymiser::new(&KEY).text(&text);
        prop_assert_eq!(mapped.is_empty(), text.is_empty());
    }
}
