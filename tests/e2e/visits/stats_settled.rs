//! Sites, goals, funnels and retention: settled over the API, kept over a restart, and their figures.

use serde_json::{Value, json};

use super::stats_sample::{CHROME, SITE, ask, column, filled};
use super::tracker;
use crate::harness::Api;

#[tokio::test]
async fn goals_funnels_and_those_who_come_back() {
    let mut cluster = filled(&[]).await;
    let funnel = make(&cluster.api).await;
    cluster.restart_coordinator().await;
    goals(&cluster.api).await;
    steps(&cluster.api, &funnel).await;
    let days = ask(&cluster.api, "retention", "&interval=day").await;
    let row = |date: &str, visitors: u64, returned: &[u64]| (json!(date), json!(visitors), json!(returned));
    let found: Vec<_> = days["cohorts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["date"].clone(), one["visitors"].clone(), one["returned"].clone()))
        .collect();
    assert_eq!(found, [row("2025-06-10", 3, &[3, 1]), row("2025-06-11", 1, &[1])], "{days}");
    assert_eq!(days["cohorts"][0]["percentages"], json!([100.0, 33.3]));
    removal(&cluster.api, &funnel).await;
}

/// Three goals and a funnel; comes back with the funnel's id.
async fn make(api: &Api) -> String {
    let goal = |body: Value| async move { api.post("/api/visits/goals", &body).await };
    let signup = goal(json!({"site_id": SITE, "event": "Signup"})).await.expect(201);
    assert_eq!((&signup["name"], &signup["path"]), (&json!("Signup"), &Value::Null));
    goal(json!({"site_id": SITE, "name": "Purchase", "event": "Purchase", "currency": "eur"})).await.expect(201);
    goal(json!({"site_id": SITE, "path": "/blog/**"})).await.expect(201);
    assert_eq!(goal(json!({"site_id": SITE, "event": "Signup"})).await.status, 409);
    for (body, field) in [
        (json!({"site_id": SITE}), "path"),
        (json!({"site_id": SITE, "path": "x"}), "path"),
        (json!({"site_id": SITE, "path": "/", "event": "x"}), "path"),
        (json!({"site_id": SITE, "event": "x", "currency": "EURO"}), "currency"),
        (json!({"site_id": SITE, "event": "x", "shoe": 1}), "shoe"),
    ] {
        let refused = goal(body.clone()).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field, "{body}");
    }
    let steps = json!([{"path": "/"}, {"path": "/pricing", "name": "Prices"}, signup["id"]]);
    let funnel = json!({"site_id": SITE, "name": "Joining", "steps": steps});
    let made = api.post("/api/visits/funnels", &funnel).await.expect(201);
    for (steps, field) in [
        (json!([{"path": "/"}]), "steps"),
        (json!([{"path": "/"}, "no goal"]), "steps[1]"),
        (json!([{"path": "/"}, {"path": "x"}]), "steps[1].path"),
    ] {
        let refused =
            api.post("/api/visits/funnels", &json!({"site_id": SITE, "name": "n", "steps": steps})).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field);
    }
    made["id"].as_str().unwrap().to_owned()
}

async fn goals(api: &Api) {
    let metrics = "&metrics=visitors,events,conversion_rate,total_revenue";
    let answer = ask(api, "breakdown", &format!("&property=event:goal{metrics}")).await;
    let row = |goal: &str, revenue: f64, currency: Value| json!({"goal": goal, "visitors": 1, "events": 1, "conversion_rate": 25.0, "total_revenue": {"value": revenue, "currency": currency}});
    let expected =
        [row("Purchase", 12.5, json!("EUR")), row("Signup", 0.0, Value::Null), row("Visit /blog/**", 0.0, Value::Null)];
    assert_eq!(answer["results"], json!(expected));
    // Of the three who came directly one bought, of the one from Google nobody did in that session.
    let sources =
        ask(api, "breakdown", "&property=visit:source&filters=event:goal==Purchase&metrics=visitors,conversion_rate")
            .await;
    assert_eq!(sources["results"], json!([{"source": "Direct / None", "visitors": 1, "conversion_rate": 33.3}]));
    let all = ask(api, "aggregate", "&filters=event:goal==Signup|Purchase&metrics=visitors,conversion_rate").await;
    assert_eq!(all["results"], json!({"visitors": {"value": 1}, "conversion_rate": {"value": 25.0}}));
}

async fn steps(api: &Api, funnel: &str) {
    let figures = api.get(&format!("/api/visits/funnels/{funnel}?date=2025-06-10,2025-06-11")).await.expect(200);
    assert_eq!((&figures["all_visitors"], &figures["entering_visitors"]), (&json!(4), &json!(2)), "{figures}");
    let step = |name: &str, visitors: u64, of_first: f64, of_before: f64, lost: u64, share: f64| {
        json!({"name": name, "visitors": visitors, "conversion_rate": of_first, "conversion_rate_step": of_before,
            "dropoff": lost, "dropoff_percentage": share})
    };
    let expected = [
        step("Visit /", 2, 100.0, 100.0, 0, 0.0),
        step("Prices", 1, 50.0, 50.0, 1, 50.0),
        step("Signup", 1, 50.0, 100.0, 0, 0.0),
    ];
    assert_eq!(figures["steps"], json!(expected));
    assert_eq!(figures["conversion_rate"], 50.0);
}

async fn removal(api: &Api, funnel: &str) {
    let listed = api.get(&format!("/api/visits/goals?site_id={SITE}")).await.expect(200);
    let id = listed["goals"][0]["id"].as_str().unwrap();
    api.delete(&format!("/api/visits/goals/{id}")).await.expect(200);
    api.delete(&format!("/api/visits/goals/{id}")).await.expect(404);
    // The funnel still knows what its step was.
    let figures = api.get(&format!("/api/visits/funnels/{funnel}?date=2025-06-10,2025-06-11")).await.expect(200);
    assert_eq!(figures["steps"][2]["visitors"], 1);
    api.delete(&format!("/api/visits/funnels/{funnel}")).await.expect(200);
    api.get(&format!("/api/visits/funnels/{funnel}")).await.expect(404);
    api.delete(&format!("/api/visits/sites/{SITE}")).await.expect(200);
    api.get(&format!("/api/visits/aggregate?site_id={SITE}")).await.expect(404);
    // What comes again begins anew.
    let visit = json!({"user_id": "u", "page_url": format!("https://{SITE}/"), "user_agent": CHROME});
    api.post("/visit", &visit).await.expect(200);
    let again = api.get(&format!("/api/visits/aggregate?site_id={SITE}&period=all&metrics=events")).await.expect(200);
    assert_eq!(again["results"]["events"]["value"], 1);
    assert!(
        api.get(&format!("/api/visits/goals?site_id={SITE}")).await.expect(200)["goals"].as_array().unwrap().is_empty()
    );
}

#[tokio::test]
async fn sites_are_settled_and_what_is_wrong_is_named() {
    let mut cluster = tracker(&[]).await;
    let api = &cluster.api;
    api.get("/api/visits/aggregate").await.expect(404);
    let body = json!({"domain": "WWW.Shop.example", "timezone": "Europe/Berlin", "keep_days": 30, "excluded_paths": ["/admin/**"],
        "excluded_addresses": ["192.0.2.7", "2001:db8::/32"], "origins": ["https://app.example:8443"]});
    let site = api.post("/api/visits/sites", &body).await.expect(201);
    assert_eq!((&site["domain"], &site["counted"], &site["unique_mode"]), (&json!(SITE), &json!(true), &Value::Null));
    assert_eq!(site["excluded_addresses"], json!(["192.0.2.7/32", "2001:db8::/32"]));
    assert_eq!(api.post("/api/visits/sites", &body).await.status, 409);
    for (body, field) in [
        (json!({}), "domain"),
        (json!({"domain": "https://x.example/"}), "domain"),
        (json!({"domain": "y.example", "timezone": "Mars/Base"}), "timezone"),
        (json!({"domain": "y.example", "keep_days": 0}), "keep_days"),
        (json!({"domain": "y.example", "unique_mode": "all"}), "unique_mode"),
        (json!({"domain": "y.example", "excluded_addresses": ["x"]}), "excluded_addresses[0]"),
        (json!({"domain": "y.example", "origins": [7]}), "origins[0]"),
        (json!({"domain": "y.example", "wings": 2}), "wings"),
    ] {
        let refused = api.post("/api/visits/sites", &body).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field, "{refused}");
    }
    let change = json!({"keep_days": null, "unique_mode": "masked", "hash_routing": true});
    api.put(&format!("/api/visits/sites/{SITE}"), &change).await.expect(200);
    cluster.restart_coordinator().await;
    let api = &cluster.api;
    let site = api.get(&format!("/api/visits/sites/{SITE}")).await.expect(200);
    assert_eq!((&site["keep_days"], &site["unique_mode"]), (&Value::Null, &json!("masked")));
    assert_eq!((&site["timezone"], &site["hash_routing"]), (&json!("Europe/Berlin"), &json!(true)));
    // The only site need not be named, and its zone is used.
    let answer = api.get("/api/visits/timeseries?period=7d").await.expect(200);
    assert_eq!((&answer["meta"]["timezone"], column(&answer, "visitors").len()), (&json!("Europe/Berlin"), 7));
    refusals(api).await;
}

async fn refusals(api: &Api) {
    for (query, field) in [
        ("aggregate?period=fortnight", "period"),
        ("aggregate?period=custom", "date"),
        ("aggregate?date=2025-02-30", "date"),
        ("aggregate?metrics=shoes", "metrics"),
        ("aggregate?metrics=visits,visits", "metrics"),
        ("aggregate?metrics=conversion_rate", "metrics"),
        ("aggregate?filters=visit:shoe==1", "filters"),
        ("aggregate?filters=event:goal==Nothing", "filters"),
        ("aggregate?compare=yesterday", "compare"),
        ("aggregate?bots=maybe", "bots"),
        ("aggregate?traffic=fake", "traffic"),
        ("aggregate?timezone=Mars/Base", "timezone"),
        ("aggregate?format=xml", "format"),
        ("timeseries?interval=year", "interval"),
        ("timeseries?period=year&interval=minute", "interval"),
        ("breakdown", "property"),
        ("breakdown?property=event:shoe", "property"),
        ("breakdown?property=event:page&limit=0", "limit"),
        ("breakdown?property=event:page&limit=1001", "limit"),
        ("breakdown?property=event:page&page=x", "page"),
        ("breakdown?property=event:page&sort=name", "sort"),
        ("retention?interval=hour", "interval"),
    ] {
        let refused = api.get(&format!("/api/visits/{query}")).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field, "{query}: {refused}");
        assert_eq!(refused["code"], "unprocessable_entity", "{query}");
    }
    api.get("/api/visits/aggregate?site_id=unknown.example").await.expect(404);
    api.get("/api/visits/funnels/unknown").await.expect(404);
    api.put("/api/visits/aggregate", &json!({})).await.expect(405);
    api.post("/api/visits/sites", &json!({"domain": "second.example"})).await.expect(201);
    assert_eq!(api.get("/api/visits/aggregate").await.expect(422)["details"][0]["field"], "site_id");
}
