//! Whatever is sent: enrichment never panics, and what comes out keeps the rules of stored texts.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;
use trafficlab_engine::visit::enrich::accesslog::{self, Format};
use trafficlab_engine::visit::enrich::agent::Agents;
use trafficlab_engine::visit::enrich::page::PageUrl;
use trafficlab_engine::visit::enrich::source::Source;
use trafficlab_engine::visit::enrich::{bots, props, revenue, text};

static AGENTS: LazyLock<Agents> = LazyLock::new(|| Agents::new().unwrap());

const FORMATS: [Format; 4] = [Format::Common, Format::Combined, Format::VhostCombined, Format::Caddy];

fn is_clean(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Any text, with the characters that mean something more often than chance has them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(
            prop_oneof![
                Just("%".to_owned()),
                Just("%1f".to_owned()),
                Just("%C3".to_owned()),
                Just("\u{1f}".to_owned()),
                Just("\\".to_owned()),
                Just("\"".to_owned()),
                Just("/".to_owned()),
                Just("/..".to_owned()),
                Just("?".to_owned()),
                Just("#".to_owned()),
                Just("&".to_owned()),
                Just("=".to_owned()),
                Just(":".to_owned()),
                Just("@".to_owned()),
                Just("www.".to_owned()),
                Just("utm_source".to_owned()),
                Just("gclid".to_owned()),
                Just("bot".to_owned()),
                "[a-zé.]{1,4}",
            ],
            0..20
        )
        .prop_map(|parts| parts.concat()),
    ]
}

proptest! {
    #[test]
    fn texts_come_out_clean(any in texts()) {
        prop_assert!(is_clean(&text::clean(&any)));
        prop_assert!(is_clean(&text::query_value(&any)));
        let once = text::clean(&any);
        prop_assert_eq!(text::clean(&once), once.as_ref());
    }

    #[test]
    fn pages_keep_their_rules(tail in texts(), whole in texts()) {
        for address in [format!("https://example.com/{tail}"), format!("http://{tail}"), whole] {
            let Ok(url) = PageUrl::parse(&address) else { continue };
            prop_assert!(!url.host.is_empty() && is_clean(&url.host) && url.host == url.host.to_lowercase(), "{:?}", url);
            prop_assert!(url.path.starts_with('/') && is_clean(&url.path) && is_clean(&url.hash_path()), "{:?}", url);
        }
    }

    /// The fast way for plain addresses answers as the URL Standard does.
    #[test]
    fn plain_addresses_are_as_the_standard_has_them(address in "https?://[a-z0-9.-]{1,12}(:[0-9]{0,6})?(/[a-z.%2eE'~_-]{0,8}){0,4}(\\?[a-z=&'%]{0,8})?(#[a-z/]{0,4})?") {
        let Ok(url) = PageUrl::parse(&address) else {
            let known = url::Url::parse(&address);
            prop_assert!(known.is_err() || known.unwrap().host_str().unwrap().trim_end_matches('.').is_empty(), "{}", address);
            return Ok(());
        };
        let known = url::Url::parse(&address).unwrap();
        let host = known.host_str().unwrap().trim_end_matches('.');
        prop_assert_eq!(&*url.host, host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host));
        prop_assert_eq!(&*url.path, &*text::readable_path(known.path()));
        prop_assert_eq!(&*url.query, known.query().unwrap_or_default());
        prop_assert_eq!(&*url.fragment, known.fragment().unwrap_or_default());
    }

    #[test]
    fn sources_come_out_clean(referrer in texts(), query in texts(), site in "[a-z.]{0,8}") {
        for referrer in [referrer.clone(), format!("https://a.example/{referrer}"), format!("android-app://{referrer}")] {
            let source = Source::of(Some(&referrer), &query, &site);
            let found = source.acquisition();
            let all = [
                found.referrer, found.source, found.channel, found.utm_medium, found.utm_source, found.utm_campaign,
                found.utm_content, found.utm_term, found.click_kind, source.click(),
            ];
            prop_assert!(all.iter().all(|text| is_clean(text)), "{:?}", all);
            prop_assert!(!found.channel.is_empty());
            prop_assert_eq!(found.click_kind.is_empty(), source.click().is_empty());
        }
    }

    #[test]
    fn agents_come_out_clean(any in texts(), product in texts()) {
        for user_agent in [any, format!("Mozilla/5.0 (X11; Linux x86_64; {product}) Chrome/{product} {product}bot/1")] {
            let owned = AGENTS.classify(&user_agent);
            let agent = owned.as_agent();
            for text in [agent.browser, agent.browser_version, agent.os, agent.os_version, agent.device, agent.bot] {
                prop_assert!(is_clean(text) && text.len() <= 80, "{:?}", text);
            }
        }
    }

    #[test]
    fn headers_and_amounts_of_any_kind_are_taken_or_refused(any in texts()) {
        prop_assert!(bots::by_headers(Some(&any), Some(&any), Some(&any)).is_none_or(is_clean));
        prop_assert!(revenue::parse(&any, &any).is_err());
        prop_assert!(revenue::parse(&any, "EUR").is_ok() == any.trim().trim_matches('"').trim().parse::<f64>().is_ok_and(|units| units.abs() <= 9e12));
    }

    #[test]
    fn amounts_are_exact(micros in -9_000_000_000_000_000_000_i64..=9_000_000_000_000_000_000) {
        let (sign, absolute) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
        let amount = format!("{sign}{}.{:06}", absolute / 1_000_000, absolute % 1_000_000);
        prop_assert_eq!(revenue::parse(&amount, "usd"), Ok((micros, "USD")));
    }

    #[test]
    fn properties_come_back(members in proptest::collection::btree_map("[a-zé\"\\\\ ]{0,6}", texts(), 0..8)) {
        let object: Value = serde_json::to_value(&members).unwrap();
        let Ok(canonical) = props::canonical(&object) else {
            prop_assert!(members.keys().any(|name| text::clean(name).is_empty()));
            return Ok(());
        };
        prop_assert_eq!(&props::canonical_text(&object.to_string()).unwrap(), &canonical);
        // Names that are equal once cleaned: the last one counts, and an empty value takes it away.
        let mut expected = BTreeMap::new();
        for (name, value) in &members {
            let (name, value) = (text::clean(name).into_owned(), text::clean(value).into_owned());
            if value.is_empty() { expected.remove(&name); } else { expected.insert(name, value); }
        }
        if !canonical.is_empty() {
            let standard: BTreeMap<String, String> = serde_json::from_str(&canonical).unwrap();
            prop_assert_eq!(&standard, &expected);
        }
        let found: Vec<(String, String)> = props::each(&canonical).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        prop_assert_eq!(&found, &expected.clone().into_iter().collect::<Vec<_>>());
        for (name, value) in &expected {
            let found = props::prop(&canonical, name);
            prop_assert_eq!(found.as_deref(), Some(value.as_str()));
        }
    }

    #[test]
    fn canonical_text_of_any_kind_is_read_without_a_panic(any in texts(), name in texts()) {
        let _found = props::prop(&any, &name);
        let opened = ["{", &any].concat();
        prop_assert!(props::each(&opened).count() <= any.len());
        let _refused = props::canonical_text(&any);
    }

    #[test]
    fn lines_of_any_bytes_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), field in texts()) {
        let almost = format!("192.0.2.1 - {field} [22/Nov/2026:10:00:00 +0000] \"GET {field} HTTP/1.1\" 200 1 \"{field}\" \"{field}\"");
        for line in [bytes.as_slice(), almost.as_bytes(), field.as_bytes()] {
            for format in FORMATS {
                let Ok(found) = accesslog::parse(line, format) else { continue };
                let _page = found.is_page_view();
                let texts = [&found.method, &found.target, &found.referrer, &found.user_agent];
                prop_assert!(texts.iter().all(|text| is_clean(text)));
            }
        }
    }

    /// What a server writes of a request is read back, however it escapes.
    #[test]
    fn lines_come_back(
        address in any::<IpAddr>(), second in 0_i64..4_000_000_000, path in "/[a-z\"\\\\é]{0,10}", status in 100_u16..600, bytes in any::<u64>(),
        agent in "[a-zA-Z\"\\\\ é;()]{0,20}", apache in any::<bool>(),
    ) {
        let quoted = |text: &str| {
            if apache { text.replace('\\', "\\\\").replace('"', "\\\"") } else { text.replace('\\', "\\x5C").replace('"', "\\x22") }
        };
        let line = format!(
            "{address} - - [{}] \"GET {} HTTP/1.1\" {status} {bytes} \"-\" \"{}\"\r\n",
            stamp(second), quoted(&path), quoted(&agent)
        );
        let found = accesslog::parse(line.as_bytes(), Format::Combined).unwrap();
        prop_assert_eq!((found.address, found.time_ms), (address, second * 1000));
        prop_assert_eq!((&*found.target, found.status, found.bytes), (path.as_str(), status, bytes));
        prop_assert_eq!(&*found.user_agent, text::clean(&agent));
    }
}

/// The time as `mod_log_config` writes it, by walking the calendar.
fn stamp(second: i64) -> String {
    const MONTHS: [(&str, i64); 12] = [
        ("Jan", 31),
        ("Feb", 28),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let (mut day, rest) = (second / 86_400, second % 86_400);
    let mut year = 1970;
    loop {
        let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (name, days) in MONTHS {
            let days = days + i64::from(is_leap && name == "Feb");
            if day < days {
                let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
                return format!("{:02}/{name}/{year}:{hour:02}:{minute:02}:{second:02} +0000", day + 1);
            }
            day -= days;
        }
        year += 1;
    }
}
