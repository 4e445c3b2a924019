//! Visits that come from files and leave as files, and visits that go.

mod dump;
mod export;
mod logs;
mod people;
mod plausible;
mod retention;

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use crate::harness::{Answer, Api, eventually};

pub(super) const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
pub(super) const CHROME: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const SITE: &str = "shop.example";
const WITHIN: Duration = Duration::from_secs(40);

/// Noon of so many days ago, UTC.
fn noon(days_ago: i64) -> Timestamp {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = today.checked_sub(days_ago.days()).unwrap();
    day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

/// The date of so many days ago.
fn date(days_ago: i64) -> String {
    noon(days_ago).to_zoned(TimeZone::UTC).date().to_string()
}

/// Sends a file to be imported.
async fn send(api: &Api, query: &str, file: Vec<u8>) -> Answer {
    let request = api.client.post(format!("{}/api/visits/import?{query}", api.base)).body(file);
    Answer::of(request).await.unwrap()
}

/// The state of an import when it is over.
async fn over(api: &Api, id: &str) -> Value {
    let path = format!("/api/visits/import/{id}");
    let ended = async || {
        let import = api.get(&path).await.expect(200);
        matches!(import["status"].as_str(), Some("done" | "failed")).then_some(import)
    };
    eventually(WITHIN, "the end of an import", ended).await
}

/// Imports a file, which must be taken.
async fn import(api: &Api, query: &str, file: impl Into<Vec<u8>>) -> Value {
    let queued = send(api, query, file.into()).await.expect(202);
    assert!(["queued", "running", "done"].contains(&queued["status"].as_str().unwrap()), "{queued}");
    over(api, queued["import_id"].as_str().unwrap()).await
}

/// A figure of the whole site.
async fn figure(api: &Api, metric: &str, more: &str) -> Value {
    let path = format!("/api/visits/aggregate?site_id={SITE}&period=all&metrics={metric}{more}");
    let answer = api.get(&path).await;
    if answer.status == 404 {
        // No visit has made the site yet.
        return Value::from(0);
    }
    answer.expect(200)["results"][metric]["value"].take()
}

/// Values of a property with their page views.
async fn pageviews_by(api: &Api, property: &str) -> Vec<(String, u64)> {
    let path = format!("/api/visits/breakdown?site_id={SITE}&period=all&property={property}&metrics=pageviews");
    let answer = api.get(&path).await.expect(200);
    let row = |row: &Value| {
        let (_, name) = row.as_object().unwrap().iter().find(|(key, _)| *key != "pageviews").unwrap();
        (name.as_str().unwrap().to_owned(), row["pageviews"].as_u64().unwrap())
    };
    answer["results"].as_array().unwrap().iter().map(row).collect()
}
