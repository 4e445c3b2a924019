//! What one core enriches: `cargo bench -p trafficlab-engine --bench visits` prints one JSON object.
//!
//! A first argument names the only part wanted, for profilers. Times are nanoseconds of CPU time (of wall time where the
//! system does not tell that) a call, the median of several rounds; `agents_ms` and `agents_kib` are what compiling the
//! patterns of user agents takes and how much larger the process is afterwards.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people who measure")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use trafficlab_engine::visit::enrich::accesslog::{self, Format};
use trafficlab_engine::visit::enrich::agent::{AgentCache, Agents};
use trafficlab_engine::visit::enrich::page::PageUrl;
use trafficlab_engine::visit::enrich::props;
use trafficlab_engine::visit::enrich::source::Source;
use trafficlab_engine::visit::enrich::visitor::{Precision, Salt, of_user, visitor};

const ROUNDS: usize = 5;
const CALLS: u32 = 200_000;

const PAGES: [&str; 4] = [
    "https://example.com/",
    "https://www.example.com/blog/2026/how-visits-are-counted",
    "https://shop.example.com/products/1234?variant=2&utm_source=newsletter&utm_medium=email&utm_campaign=november",
    "https://example.com/caf%C3%A9?gclid=Cj0KCQiA",
];
const REFERRERS: [&str; 4] =
    ["https://www.google.com/", "https://news.ycombinator.com/item?id=1", "", "https://some-blog.example/post/1"];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];
const LINE: &str = r#"192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET /blog/?p=1 HTTP/1.1" 200 5120 "https://www.google.com/" "Mozilla/5.0 (X11; Linux x86_64)""#;
const KEY: Salt = Salt(*b"0123456789abcdef");

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let (began, before) = (Instant::now(), resident_kib());
    let agents = Agents::new().expect("the patterns are whole");
    let (built, after) = (began.elapsed(), resident_kib());
    let cache = AgentCache::new(4096).expect("the patterns are whole");
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let props_text =
        props::canonical_text(r#"{"plan":"pro","author":"somebody","logged_in":true}"#).expect("properties");
    let parts: [(&str, &dyn Fn(usize)); 8] = [
        ("page", &|call| drop(black_box(PageUrl::parse(of(&PAGES, call))))),
        ("source", &|call| {
            drop(black_box(Source::of(Some(of(&REFERRERS, call)), query(of(&PAGES, call)), "example.com")))
        }),
        ("agent_cached", &|call| drop(black_box(cache.get(of(&AGENTS, call))))),
        ("agent_new", &|call| drop(black_box(agents.classify(of(&AGENTS, call))))),
        ("visitor", &|call| {
            black_box(visitor(&KEY, "example.com", client, of(&AGENTS, call), Precision::Accurate));
        }),
        ("user", &|call| {
            black_box(of_user(&KEY, "example.com", of(&REFERRERS, call)));
        }),
        ("prop", &|_| drop(black_box(props::prop(&props_text, "plan")))),
        ("log_line", &|_| drop(black_box(accesslog::parse(LINE.as_bytes(), Format::Combined)))),
    ];
    let wanted = parts.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let members: Vec<String> = wanted.map(|(name, work)| format!("\"{name}_ns\":{:.0}", nanos(work))).collect();
    println!("{{{},\"agents_ms\":{},\"agents_kib\":{}}}", members.join(","), built.as_millis(), after - before);
}

fn of(texts: &[&'static str; 4], call: usize) -> &'static str {
    texts.get(call % 4).copied().unwrap_or_default()
}

fn query(page: &str) -> &str {
    page.split_once('?').map_or("", |(_, query)| query)
}

/// Median nanoseconds a call.
fn nanos(work: &dyn Fn(usize)) -> f64 {
    let mut figures: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let (began, busy) = (Instant::now(), cpu_time());
            (0..CALLS as usize).for_each(work);
            let spent = cpu_time().zip(busy).map_or_else(|| began.elapsed(), |(now, before)| now - before);
            spent.as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    figures.get(ROUNDS / 2).copied().unwrap_or(0.0)
}

/// CPU time of this thread so far, as Linux tells it.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Memory of the process, as Linux tells it; 0 elsewhere.
fn resident_kib() -> i64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
