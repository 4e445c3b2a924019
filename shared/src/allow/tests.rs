//! The allow-list's rules as tables and properties.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn list(entries: &[&str]) -> AllowList {
    let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
    AllowList::parse(&entries).unwrap()
}

#[track_caller]
fn name(entries: &[&str], host: &str, port: u16, expected: bool) {
    assert_eq!(list(entries).check_name(host, port).is_ok(), expected, "{host}:{port} under {entries:?}");
}

#[track_caller]
fn address(entries: &[&str], host: &str, port: u16, address: &str, expected: bool) {
    let answer = list(entries).check_address(host, port, address.parse().unwrap());
    assert_eq!(answer.is_ok(), expected, "{host}:{port} at {address} under {entries:?}: {answer:?}");
}

#[test]
fn names_without_network() {
    const DEFAULT: &[&str] = &["127.0.0.0/8", "::1/128"];
    name(DEFAULT, "127.0.0.1", 80, true);
    name(DEFAULT, "[::1]", 80, true);
    name(DEFAULT, "::1", 80, true);
    name(DEFAULT, "localhost", 80, true);
    name(DEFAULT, "build7", 80, true);
    name(DEFAULT, "no-such-host.invalid", 80, true);
    name(DEFAULT, "example.com", 80, false);
    name(DEFAULT, "10.0.0.1", 80, false);
    name(DEFAULT, "169.254.169.254", 80, false);
    name(&["10.0.0.0/8"], "shop.company.com", 80, true);
    name(&["10.0.0.0/8"], "localhost", 80, false);
    name(&["10.0.0.0/8:443"], "shop.company.com", 80, false);
    name(&["example.com"], "EXAMPLE.com.", 80, true);
    name(&["example.com:443"], "example.com", 80, false);
    name(&["*.example.com"], "a.b.example.com", 80, true);
    name(&["*.example.com"], "example.com", 80, false);
    name(&["*.example.com"], "badexample.com", 80, false);
    name(&["localhost"], "localhost", 80, false);
    name(&[], "127.0.0.1", 80, false);
}

#[test]
fn connected_addresses() {
    address(&["example.com"], "example.com", 443, "93.184.216.34", true);
    address(&["example.com"], "example.com", 443, "10.0.0.1", false);
    address(&["example.com"], "example.com", 443, "127.0.0.1", false);
    address(&["example.com"], "example.com", 443, "64:ff9b::7f00:1", false);
    address(&["example.com"], "other.com", 443, "93.184.216.34", false);
    address(&["example.com", "10.0.0.0/8"], "example.com", 443, "10.0.0.1", true);
    address(&["10.0.0.0/8"], "anything.com", 443, "10.0.0.1", true);
    address(&["10.0.0.0/8:80"], "anything.com", 443, "10.0.0.1", false);
    address(&["127.0.0.0/8"], "localhost", 80, "::ffff:127.0.0.1", true);
    address(&["127.0.0.0/8"], "localhost", 80, "::1", false);
    address(&["10.0.0.0/8"], "localhost", 80, "127.0.0.1", false);
    for open in ["0.0.0.0/0", "::/0", "example.com"] {
        for refused in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "0.0.0.0",
            "::",
            "ff02::1",
        ] {
            address(&[open], "example.com", 80, refused, false);
        }
    }
}

#[test]
fn a_refusal_says_the_line_that_cures_it() {
    let cures = [
        ("example.com", "93.184.216.34"),
        ("intern.example.com", "10.9.8.7"),
        ("10.9.8.7", "10.9.8.7"),
        ("::1", "::1"),
    ];
    for (host, reached) in cures {
        let reached: IpAddr = reached.parse().unwrap();
        let line = AllowList::parse(&[]).unwrap().check_address(host, 81, reached).unwrap_err().line_to_add.unwrap();
        assert!(list(&[&line]).check_address(host, 81, reached).is_ok(), "{line}");
        assert!(list(&[&line]).check_address(host, 82, reached).is_err(), "{line}");
    }
    let refusal = list(&[]).check_name("localhost", 81).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`localhost:81` is not on the allow-list; add `\"127.0.0.0/8\"` to `generator.allow_targets` to permit it"
    );
}

#[test]
fn ownership_is_asked_of_strangers_only() {
    for (text, expected) in [
        ("127.0.0.1", false),
        ("10.0.0.1", false),
        ("::1", false),
        ("fd12::1", false),
        ("8.8.8.8", true),
        ("203.0.113.1", true),
    ] {
        assert_eq!(needs_ownership_proof(text.parse().unwrap()), expected, "{text}");
    }
}

#[test]
fn as_data_it_is_a_list_of_texts() {
    let json = serde_json::to_string(&AllowList::default()).unwrap();
    assert_eq!(json, r#"["127.0.0.0/8","::1/128"]"#);
    assert_eq!(serde_json::from_str::<AllowList>(&json).unwrap(), AllowList::default());
    let error = serde_json::from_str::<AllowList>(r#"["ok.example","a:0"]"#).unwrap_err();
    assert!(error.to_string().contains("generator.allow_targets[1]"), "{error}");
}

/// Every way to carry an IPv4 address inside an IPv6 one.
fn disguises(address: Ipv4Addr) -> [Ipv6Addr; 7] {
    let [high, low] = [(u32::from(address) >> 16) as u16, (u32::from(address) & 0xffff) as u16];
    [
        address.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0),
        Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0, 0, !high, !low),
        Ipv6Addr::new(0x2606, 1, 2, 3, 0, 0x5efe, high, low),
    ]
}

fn forbidden_v4() -> impl Strategy<Value = Ipv4Addr> {
    prop_oneof![
        Just(Ipv4Addr::new(169, 254, 169, 254)),
        Just(Ipv4Addr::BROADCAST),
        any::<u16>().prop_map(|low| Ipv4Addr::from(0xa9fe_0000 | u32::from(low))),
        any::<u32>().prop_map(|bits| Ipv4Addr::from(0xe000_0000 | (bits >> 3))),
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits >> 8)),
    ]
}

proptest! {
    #[test]
    fn no_disguise_of_a_forbidden_address_is_accepted(address in forbidden_v4(), port in 1u16..) {
        let list = list(&["0.0.0.0/0", "::/0", "host.example"]);
        prop_assert!(list.check_address("host.example", port, address.into()).is_err());
        for disguise in disguises(address) {
            prop_assert!(list.check_address("host.example", port, disguise.into()).is_err(), "{disguise}");
            let literal = format!("[{disguise}]");
            prop_assert!(list.check_name(&literal, port).is_err());
        }
    }

    #[test]
    fn a_name_entry_reaches_no_inside_address_in_disguise(address in prop_oneof![Just(0x7f00_0000u32), Just(0x0a00_0000u32)], low in 0u32..0x0100_0000) {
        let list = list(&["host.example", "*.example"]);
        let address = Ipv4Addr::from(address | low);
        prop_assert!(list.check_address("host.example", 80, address.into()).is_err());
        for disguise in disguises(address) {
            prop_assert!(list.check_address("host.example", 80, disguise.into()).is_err(), "{disguise}");
        }
    }

    #[test]
    fn any_text_is_an_entry_or_a_fault(text in ".{0,40}") {
        let parsed = AllowList::parse(std::slice::from_ref(&text));
        prop_assert!(parsed.map_or_else(|faults| faults.len() == 1, |list| list.texts() == [text]));
    }
}
