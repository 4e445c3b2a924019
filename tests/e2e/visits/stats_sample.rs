//! Visits whose figures are reckoned by hand: five people and a bot on two days of one shop.

use serde_json::{Value, json};

use super::{batch, tracker};
use crate::harness::{Api, Cluster};

pub(super) const SITE: &str = "shop.example";
pub(super) const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A server that keeps visits of long ago, with the visits of `visits`.
pub(super) async fn filled(settings: &[(&str, &str)]) -> Cluster {
    let mut all = vec![("TRACKER__KEEP_DAYS", "36500")];
    all.extend_from_slice(settings);
    let cluster = tracker(&all).await;
    batch(&cluster.api, &visits()).await;
    cluster
}

/// Ann sees two pages and signs up, comes back on the next day and buys. Ben reads one page from a letter. Cem sees the
/// front page twice with forty minutes between. Dan comes late in the evening. A bot looks in.
fn visits() -> Vec<Value> {
    let mut ann_signs_up = visit("ann", "/pricing", CHROME, "2025-06-10T10:03:00Z");
    ann_signs_up["event"] = json!("Signup");
    ann_signs_up["props"] = json!({"plan": "pro"});
    let mut ann_buys = visit("ann", "/", CHROME, "2025-06-11T09:00:30Z");
    ann_buys["event"] = json!("Purchase");
    ann_buys["revenue"] = json!({"amount": 12.5, "currency": "EUR"});
    let mut ann = visit("ann", "/", CHROME, "2025-06-10T10:00:00Z");
    ann["referrer"] = json!("https://www.google.com/search?q=x");
    vec![
        ann,
        visit("ann", "/pricing", CHROME, "2025-06-10T10:01:00Z"),
        ann_signs_up,
        visit("ben", "/blog/one?utm_source=news&utm_medium=email&utm_campaign=june", FIREFOX, "2025-06-10T11:00:00Z"),
        visit("cem", "/", CHROME, "2025-06-10T12:00:00Z"),
        visit("cem", "/", CHROME, "2025-06-10T12:40:00Z"),
        visit("bot", "/", BOT, "2025-06-10T12:00:00Z"),
        visit("ann", "/", CHROME, "2025-06-11T09:00:00Z"),
        ann_buys,
        visit("dan", "/pricing", IPHONE, "2025-06-11T22:30:00Z"),
    ]
}

fn visit(user: &str, page: &str, agent: &str, at: &str) -> Value {
    json!({"user_id": user, "page_url": format!("https://{SITE}{page}"), "user_agent": agent, "timestamp": at})
}

/// An answer about both days.
pub(super) async fn ask(api: &Api, what: &str, more: &str) -> Value {
    api.get(&format!("/api/visits/{what}?site_id={SITE}&period=custom&date=2025-06-10,2025-06-11{more}"))
        .await
        .expect(200)
}

/// One column of an answer's rows.
pub(super) fn column(answer: &Value, name: &str) -> Vec<Value> {
    answer["results"].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}
