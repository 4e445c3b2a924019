//! A CSV export of Plausible: its figures are added to the site's own, and no day counts twice.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{FIREFOX, SITE, date, figure, import, noon};
use crate::e2e::visits::{batch, tracker};
use crate::harness::Api;

fn archive(tables: &[(&str, String)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in tables {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Tables of ten, nine and two days ago.
fn tables() -> Vec<(&'static str, String)> {
    let (old, later, own) = (date(10), date(9), date(2));
    let visitors = format!(
        "\"date\",\"visitors\",\"pageviews\",\"bounces\",\"visits\",\"visit_duration\"\n\
         \"{old}\",100,300,50,120,12000\n\"{later}\",10,20,5,10,500\n\"{own}\",7000,7000,0,7000,0\n"
    );
    let sources = format!(
        "date,source,referrer,utm_source,utm_medium,utm_campaign,utm_content,utm_term,pageviews,visitors,visits,visit_duration,bounces\n\
         {old},Google,google.com,,,,,,200,60,70,7000,30\n{later},\"A, B\",a.example,letter,email,autumn,,,20,10,10,500,5\n"
    );
    let pages = format!(
        "date,hostname,page,visits,visitors,pageviews\n{old},{SITE},/,90,80,200\n{old},{SITE},/shoes,40,30,100\n\
         {later},{SITE},/,10,10,20\nbroken,x,y,1,1,1\n"
    );
    let devices =
        format!("date,device,visitors,visits,visit_duration,bounces,pageviews\n{old},Mobile,100,120,12000,50,300\n");
    vec![
        ("imported_visitors_20230101_20230131.csv", visitors),
        ("imported_sources_20230101_20230131.csv", sources),
        ("imported_pages_20230101_20230131.csv", pages),
        ("imported_devices_20230101_20230131.csv", devices),
        ("readme.txt", "not a table".to_owned()),
    ]
}

async fn own_visits(api: &Api) {
    let visit = |user: &str, path: &str, days: i64| {
        json!({"user_id": user, "page_url": format!("https://{SITE}{path}"), "user_agent": FIREFOX,
            "timestamp": noon(days).to_string()})
    };
    batch(api, &[visit("a", "/", 2), visit("b", "/shoes", 1)]).await;
}

#[tokio::test]
async fn figures_are_added_and_no_day_counts_twice() {
    let mut cluster = tracker(&[]).await;
    own_visits(&cluster.api).await;
    let query = format!("site_id={SITE}&format=plausible");
    let archive = archive(&tables());
    let done = import(&cluster.api, &query, archive.clone()).await;
    assert_eq!((&done["status"], &done["lines"], &done["accepted"]), (&json!("done"), &json!(10), &json!(8)), "{done}");
    let reasons: Vec<&Value> = done["skipped"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, ["own_visits", "unknown_file", "unreadable"]);

    for _ in 0..2 {
        let api = &cluster.api;
        // Imported figures are no visits.
        assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 2);
        let span = format!("&period=custom&date={},{}", date(20), date(1));
        let ask = async |metric: &str, more: &str| {
            let path = format!("/api/visits/aggregate?site_id={SITE}&metrics={metric}{span}{more}");
            api.get(&path).await.expect(200)["results"][metric]["value"].clone()
        };
        assert_eq!(ask("visitors", "").await, 112);
        assert_eq!(ask("pageviews", "").await, 322);
        assert_eq!(ask("visits", "").await, 132);
        assert_eq!(ask("visitors", "&filters=visit:source==Google").await, 60);
        assert_eq!(ask("pageviews", "&filters=event:page==/shoes").await, 101);
        // No table says how two properties go together.
        assert_eq!(ask("pageviews", "&filters=event:page==/shoes;visit:source==Google").await, 0);
        let path = format!("/api/visits/breakdown?site_id={SITE}&property=event:page&metrics=pageviews{span}");
        let rows = api.get(&path).await.expect(200)["results"].take();
        assert_eq!(rows, json!([{"page": "/", "pageviews": 221}, {"page": "/shoes", "pageviews": 101}]));
        let path = format!("/api/visits/timeseries?site_id={SITE}&metrics=visitors&interval=day{span}");
        let days = api.get(&path).await.expect(200)["results"].take();
        let on = |days_ago: i64| {
            days.as_array().unwrap().iter().find(|day| day["date"] == date(days_ago)).unwrap()["visitors"].clone()
        };
        assert_eq!([on(10), on(9), on(8), on(2), on(1)], [100, 10, 0, 1, 1].map(Value::from));
        cluster.restart_coordinator().await;
    }

    let api = &cluster.api;
    // Another file with the same days brings nothing more.
    let again = import(api, &query, tables()[0].1.clone()).await;
    assert_eq!((&again["accepted"], &again["skipped_total"]), (&json!(0), &json!(3)), "{again}");
    for import in [&done, &again] {
        api.delete(&format!("/api/visits/import/{}", import["import_id"].as_str().unwrap())).await.expect(200);
    }
    assert_eq!(figure(api, "visitors", "").await, 2);
}
