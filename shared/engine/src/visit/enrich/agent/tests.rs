//! User agents and what they are taken for.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::sync::{Arc, LazyLock};

use super::*;

static AGENTS: LazyLock<Agents> = LazyLock::new(|| Agents::new().unwrap());

/// User agent, and browser, version, system, version, device.
const PEOPLE: [(&str, [&str; 5]); 18] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        ["Chrome", "131", "Windows", "10", "Desktop"],
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        ["Chrome", "131", "Android", "10", "Mobile"],
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        ["Chrome", "131", "Android", "10", "Tablet"],
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
        ["Safari", "17.4", "macOS", "10.15", "Desktop"],
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        ["Safari", "17.4", "iOS", "17.4", "Mobile"],
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1",
        ["Chrome", "120", "iOS", "16.6", "Tablet"],
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        ["Firefox", "128", "Linux", "", "Desktop"],
    ),
    (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        ["Firefox", "128", "Ubuntu", "", "Desktop"],
    ),
    (
        "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
        ["Firefox", "128", "Android", "14", "Mobile"],
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        ["Edge", "131", "Windows", "10", "Desktop"],
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
        ["Samsung Internet", "24.0", "Android", "13", "Mobile"],
    ),
    (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
        ["Chrome", "130", "Chrome OS", "14541", "Desktop"],
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/116.0.0.0",
        ["Opera", "116", "Windows", "10", "Desktop"],
    ),
    // A phone whose maker's name ends in `bot`.
    (
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36",
        ["Chrome", "96", "Android", "9", "Mobile"],
    ),
    (
        "Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36",
        ["Chrome", "96", "Android", "9", "Mobile"],
    ),
    // An app that opens a page inside itself.
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
        ["Pinterest", "", "iOS", "17.4", "Mobile"],
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
        ["Safari", "13.0", "", "", ""],
    ),
    ("test", ["", "", "", "", ""]),
];

const PROGRAMS: [(&str, &str); 34] = [
    ("", "no user agent"),
    (" \u{1f} ", "no user agent"),
    ("Mozilla/5.0", "incomplete user agent"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler: Googlebot"),
    (
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "crawler: Googlebot",
    ),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "crawler: bingbot"),
    ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "crawler: YandexBot"),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "crawler: AhrefsBot"),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.1; +https://openai.com/gptbot",
        "ai: GPTBot",
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        "ai: ClaudeBot",
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
        "ai: ChatGPT-User",
    ),
    ("CCBot/2.0 (https://commoncrawl.org/faq/)", "ai: CCBot"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "preview: Slackbot"),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "preview: facebookexternalhit"),
    ("WhatsApp/2.23.20.0 A", "preview: WhatsApp"),
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor: UptimeRobot"),
    ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "monitor: Pingdom"),
    ("kube-probe/1.29", "monitor: kube-probe"),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
        "headless: HeadlessChrome",
    ),
    ("curl/8.5.0", "library: curl"),
    ("Wget/1.21.4", "library: Wget"),
    ("python-requests/2.31.0", "library: python-requests"),
    ("Python/3.11 aiohttp/3.9.1", "library: Python"),
    ("Go-http-client/2.0", "library: Go-http-client"),
    ("okhttp/4.12.0", "library: okhttp"),
    ("Java/17.0.2", "library: Java"),
    ("node", "library: Node.js"),
    ("axios/1.6.2", "library: axios"),
    ("PostmanRuntime/7.36.0", "library: Postman"),
    ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)", "feed: Feedly"),
    // Unknown to the table: by the word, by the address, and by uap-core.
    ("Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bots.example/)", "crawler: ExampleBot"),
    ("my-site-crawler v2", "crawler: my-site-crawler"),
    ("Mozilla/5.0 (compatible; +https://example.com/bot.html)", "crawler"),
    ("Mozilla/5.0 (compatible; Genieo/1.0 http://www.genieo.com/webfilter.html)", "crawler: Genieo"),
];

#[test]
fn people_are_told_apart() {
    for (text, expected) in PEOPLE {
        let agent = AGENTS.classify(text);
        let found = [&*agent.browser, &agent.browser_version, &agent.os, &agent.os_version, agent.device];
        assert_eq!((found, &*agent.bot), (expected, ""), "{text}");
    }
}

#[test]
fn programs_are_flagged_with_a_reason() {
    for (text, reason) in PROGRAMS {
        assert_eq!(AGENTS.classify(text).bot, reason, "{text}");
    }
}

#[test]
fn every_line_of_the_table_is_found_by_itself() {
    let table = BotTable::new();
    for line in include_str!("../../../../data/bots.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, part, name] = fields.as_slice() else { panic!("{line}") };
        assert!(["ai", "preview", "monitor", "crawler", "feed", "headless", "library"].contains(kind), "{line}");
        let text = part.trim_start_matches('^').trim_end_matches('$');
        assert_eq!(text, text.to_lowercase(), "{line}");
        let reason = table.reason(text, || false, "");
        assert_eq!(reason, format!("{kind}: {name}"), "an earlier line hides it");
    }
}

#[test]
fn what_is_kept_is_short_and_clean() {
    let long = format!("{}bot/1 \u{1f}{}", "x".repeat(300), "é".repeat(4000));
    let agent = AGENTS.classify(&long);
    assert!(agent.bot.len() <= "crawler: ".len() + MOST_FIELD_BYTES && agent.bot.starts_with("crawler: xxx"));
}

#[test]
fn a_cache_answers_alike_and_stays_bounded() {
    let cache = AgentCache::new(64).unwrap();
    let first = cache.get("curl/8.5.0");
    assert!(Arc::ptr_eq(&first, &cache.get("curl/8.5.0")), "the second answer is remembered");
    assert_eq!(first.as_agent().bot, "library: curl");
    for index in 0..1000 {
        assert_eq!(cache.get(&format!("curl/{index}{}", "x".repeat(2000))).bot, "library: curl");
    }
    assert!(cache.len() <= 64, "{} are remembered", cache.len());
}
