//! Totals, time series and breakdowns against figures reckoned by hand.

use serde_json::{Value, json};

use super::stats_sample::{SITE, ask, column, filled};
use crate::harness::Api;

const ALL: &str = "&metrics=visitors,visits,pageviews,events,views_per_visit,bounce_rate,visit_duration";

#[tokio::test]
async fn figures_are_as_reckoned_by_hand() {
    let mut cluster = filled(&[]).await;
    totals(&cluster.api).await;
    over_time(&cluster.api).await;
    by_property(&cluster.api).await;
    filtered(&cluster.api).await;
    beside_the_day_before(&cluster.api).await;
    as_csv(&cluster.api).await;
    // The same from what is on the disk.
    cluster.restart_coordinator().await;
    totals(&cluster.api).await;
    by_property(&cluster.api).await;
}

async fn totals(api: &Api) {
    let all = ask(api, "aggregate", ALL).await;
    let figure = |value: f64| json!({"value": value});
    let whole = |value: u64| json!({"value": value});
    let expected = json!({
        "visitors": whole(4), "visits": whole(6), "pageviews": whole(7), "events": whole(9),
        "views_per_visit": figure(1.17), "bounce_rate": whole(67), "visit_duration": whole(35),
    });
    assert_eq!(all["results"], expected);
    let meta = &all["meta"];
    assert_eq!(
        (&meta["from"], &meta["to"]),
        (&json!("2025-06-10T00:00:00.000000Z"), &json!("2025-06-12T00:00:00.000000Z"))
    );
    assert_eq!(meta["left_out"], json!({"bots": 1, "synthetic": 0, "unverified": 0}));
    assert_eq!((&meta["site_id"], &meta["timezone"], &meta["imported"]), (&json!(SITE), &json!("UTC"), &json!(false)));
    let bots = ask(api, "aggregate", "&bots=only&metrics=visitors,events").await;
    assert_eq!(bots["results"], json!({"visitors": whole(1), "events": whole(1)}));
    assert_eq!(ask(api, "aggregate", "&bots=include").await["results"]["visitors"], whole(5));
    assert_eq!(ask(api, "aggregate", "&traffic=synthetic").await["results"]["visitors"], whole(0));
    // The second day beside the first: two visitors after three, one bounce of two after three of four.
    let day =
        "/api/visits/aggregate?period=day&date=2025-06-11&compare=previous_period&metrics=visitors,visits,bounce_rate";
    let results = api.get(day).await.expect(200)["results"].take();
    let of =
        |value: i64, change: i64, before: i64| json!({"value": value, "change": change, "comparison_value": before});
    assert_eq!(results, json!({"visitors": of(2, -33, 3), "visits": of(2, -50, 4), "bounce_rate": of(50, -25, 75)}));
    let year = ask(api, "aggregate", "&compare=year_over_year").await;
    assert_eq!(year["results"]["visitors"], json!({"value": 4, "change": 100, "comparison_value": 0}));
}

async fn over_time(api: &Api) {
    let days = ask(api, "timeseries", "&metrics=visitors,visits,pageviews,bounce_rate").await;
    let expected = json!([
        {"date": "2025-06-10", "starts_at": "2025-06-10T00:00:00.000000Z", "visitors": 3, "visits": 4, "pageviews": 5, "bounce_rate": 75},
        {"date": "2025-06-11", "starts_at": "2025-06-11T00:00:00.000000Z", "visitors": 2, "visits": 2, "pageviews": 2, "bounce_rate": 50},
    ]);
    assert_eq!(days["results"], expected);
    // Where the day begins decides on which one a visit is.
    for (zone, expected) in [("Europe/Berlin", [5, 1, 1]), ("Pacific/Chatham", [3, 3, 1])] {
        let path = format!(
            "/api/visits/timeseries?site_id={SITE}&date=2025-06-10,2025-06-12&metrics=pageviews&timezone={zone}"
        );
        let answer = api.get(&path).await.expect(200);
        assert_eq!(column(&answer, "pageviews"), expected.map(Value::from), "{zone}");
        assert_eq!(answer["meta"]["timezone"], zone);
    }
    let hours = api.get(&format!("/api/visits/timeseries?site_id={SITE}&period=day&date=2025-06-10")).await.expect(200);
    let visitors = column(&hours, "visitors");
    assert_eq!((visitors.len(), visitors[9..13].to_vec()), (24, [0, 1, 1, 1].map(Value::from).to_vec()));
    assert_eq!(hours["results"][10]["date"], "2025-06-10 10:00:00");
    // Clocks go back: the day has 25 hours, two of them with the same name.
    let long = "/api/visits/timeseries?period=day&date=2025-10-26&timezone=Europe/Berlin";
    assert_eq!(column(&api.get(long).await.expect(200), "date").len(), 25);
    let months =
        api.get(&format!("/api/visits/timeseries?site_id={SITE}&period=12mo&date=2025-06-30")).await.expect(200);
    assert_eq!(column(&months, "visitors").last(), Some(&json!(4)));
    assert_eq!(column(&months, "date").len(), 12);
}

async fn by_property(api: &Api) {
    let pages = ask(api, "breakdown", "&property=event:page&metrics=visitors,pageviews").await;
    let row =
        |page: &str, visitors: u64, pageviews: u64| json!({"page": page, "visitors": visitors, "pageviews": pageviews});
    assert_eq!(pages["results"], json!([row("/", 2, 4), row("/pricing", 2, 2), row("/blog/one", 1, 1)]));
    let second = ask(api, "breakdown", "&property=event:page&limit=1&page=2").await;
    assert_eq!(second["results"], json!([{"page": "/pricing", "visitors": 2}]));
    let rising = ask(api, "breakdown", "&property=event:page&sort=pageviews:asc").await;
    assert_eq!(column(&rising, "page"), ["/blog/one", "/pricing", "/"]);
    let sources = ask(api, "breakdown", "&property=visit:source&metrics=visits,bounce_rate,visit_duration").await;
    let row = |source: &str, visits: u64, bounces: u64, seconds: u64| json!({"source": source, "visits": visits, "bounce_rate": bounces, "visit_duration": seconds});
    assert_eq!(
        sources["results"],
        json!([row("Direct / None", 4, 75, 8), row("Google", 1, 0, 180), row("news", 1, 100, 0)])
    );
    for (property, name, expected) in [
        ("visit:browser", "browser", json!(["Chrome", "Firefox", "Safari"])),
        ("visit:device", "device", json!(["Desktop", "Mobile"])),
        ("visit:utm_campaign", "utm_campaign", json!(["(not set)", "june"])),
        ("visit:country", "country", json!(["(not set)"])),
        ("visit:entry_page", "entry_page", json!(["/", "/blog/one", "/pricing"])),
        ("visit:exit_page", "exit_page", json!(["/", "/pricing", "/blog/one"])),
        ("event:name", "name", json!(["pageview", "Purchase", "Signup"])),
        ("event:props:plan", "plan", json!(["pro"])),
        ("event:hostname", "hostname", json!([SITE])),
    ] {
        let answer = ask(api, "breakdown", &format!("&property={property}")).await;
        assert_eq!(json!(column(&answer, name)), expected, "{property}: {answer}");
    }
}

async fn filtered(api: &Api) {
    let table = [
        ("visit:browser==Firefox", 1, 1),
        ("visit:browser==Firefox|Chrome", 3, 6),
        ("visit:browser!=Firefox", 3, 6),
        ("visit:source==Direct / None", 3, 4),
        ("event:page==/blog/**", 1, 1),
        ("event:page!=/blog/*", 3, 6),
        ("event:page~PRIC", 2, 2),
        ("visit:source==Google;event:page==/pricing", 1, 1),
        ("visit:utm_medium==email;visit:os==Windows", 0, 0),
        ("visit:entry_page==/;event:props:plan==pro", 1, 0),
        (r#"[["is","visit:device",["Mobile"]],["contains_not","event:page",["blog"]]]"#, 1, 1),
    ];
    for (filters, visitors, pageviews) in table {
        let encoded: String = url_encoded(filters);
        let answer = ask(api, "aggregate", &format!("&metrics=visitors,pageviews&filters={encoded}")).await;
        let found = (&answer["results"]["visitors"]["value"], &answer["results"]["pageviews"]["value"]);
        assert_eq!(found, (&json!(visitors), &json!(pageviews)), "{filters}");
    }
}

/// The second day beside the first: rows have the figures of the day before and how they changed.
async fn beside_the_day_before(api: &Api) {
    let ask = async |what: &str, more: &str| {
        let path =
            format!("/api/visits/{what}?site_id={SITE}&period=day&date=2025-06-11&compare=previous_period{more}");
        api.get(&path).await
    };
    let pages = ask("breakdown", "&property=event:page&metrics=visitors,pageviews").await.expect(200);
    let row = |page: &str, now: [u64; 2], before: [u64; 2], change: [i64; 2]| {
        let change = json!({"visitors": change[0], "pageviews": change[1]});
        let before = json!({"visitors": before[0], "pageviews": before[1], "change": change});
        json!({"page": page, "visitors": now[0], "pageviews": now[1], "comparison": before})
    };
    assert_eq!(
        pages["results"],
        json!([row("/", [1, 1], [2, 3], [-50, -67]), row("/pricing", [1, 1], [1, 1], [0, 0])]),
        "{pages}"
    );
    let span = json!({"from": "2025-06-10T00:00:00.000000Z", "to": "2025-06-11T00:00:00.000000Z"});
    assert_eq!(pages["meta"]["compared_with"], span);
    let hours = ask("timeseries", "&metrics=visitors,visits").await.expect(200);
    let at = |hour: usize| &hours["results"][hour];
    let before = json!({"date": "2025-06-10 10:00:00", "starts_at": "2025-06-10T10:00:00.000000Z", "visitors": 1,
        "visits": 1, "change": {"visitors": -100, "visits": -100}});
    assert_eq!((&at(10)["visitors"], &at(10)["comparison"]), (&json!(0), &before), "{hours}");
    let before: u64 = (0..24).map(|hour| at(hour)["comparison"]["visits"].as_u64().unwrap()).sum();
    assert_eq!(before, 4);
    let sheet = ask("breakdown", "&property=visit:device&metrics=visitors&format=csv").await;
    let expected = "device,visitors,comparison_visitors,change_visitors\r\nDesktop,1,3,-67\r\nMobile,1,0,100\r\n";
    assert_eq!(sheet.text, expected);
    for what in ["timeseries", "breakdown"] {
        let refused = api.get(&format!("/api/visits/{what}?site_id={SITE}&property=event:page&compare=shoes")).await;
        assert_eq!(refused.expect(422)["details"][0]["field"], "compare");
    }
    let lately = api.get(&format!("/api/visits/timeseries?site_id={SITE}&period=30m&compare=previous_period")).await;
    let lately = lately.expect(200);
    assert_eq!(lately["results"].as_array().unwrap().len(), 30);
    assert_eq!(lately["results"][29]["comparison"]["visitors"], 0, "{lately}");
}

async fn as_csv(api: &Api) {
    let path = format!(
        "/api/visits/breakdown?site_id={SITE}&date=2025-06-10,2025-06-11&property=event:page&metrics=visitors,bounce_rate&format=csv"
    );
    let answer = api.get(&path).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").contains("breakdown.csv"));
    assert_eq!(answer.text, "page,visitors,bounce_rate\r\n/,2,50\r\n/pricing,2,50\r\n/blog/one,1,100\r\n");
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
