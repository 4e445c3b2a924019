//! Questions about figures over HTTP: the golden figures, ranges, currencies, pacing, tenants kept apart.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Tenant, ads, skipped};

async fn campaign(tenant: &Tenant, body: Value) -> u64 {
    let (status, made) = tenant.post("/api/v1/campaigns", &body).await;
    assert_eq!(status, 201, "{made}");
    made["data"]["id"].as_u64().unwrap()
}

async fn tell(tenant: &Tenant, id: u64, days: Value) {
    let (status, told) = tenant.post(&format!("/api/v1/campaigns/{id}/metrics"), &json!({"data": days})).await;
    assert_eq!(status, 200, "{told}");
}

async fn ask(tenant: &Tenant, question: &str) -> Value {
    let (status, answer) = tenant.get(&format!("/api/v1/analytics/{question}")).await;
    assert_eq!((status, &answer["success"]), (200, &json!(true)), "{question}: {answer}");
    answer
}

fn day(date: &str, spend: f64, revenue: f64) -> Value {
    json!({"date": date, "impressions": 1000, "clicks": 10, "conversions": 2, "spend": spend, "revenue": revenue})
}

/// The members of `of` that `like` has.
fn picked(of: &Value, like: &Value) -> Value {
    like.as_object().unwrap().keys().map(|key| (key.clone(), of[key].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// The text of a file beside the project.
fn beside(name: &str) -> Option<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/adops").join(name);
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        skipped(&format!("../shared/adops/{name} is not there"));
    }
    text
}

/// Makes the campaigns of `campaign_days.csv` and tells their days.
async fn told(tenant: &Tenant, csv: &str) {
    let mut days: BTreeMap<(u64, String), Vec<Value>> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |cell: usize| cells[cell].parse::<serde_json::Number>().unwrap();
        let row = json!({"date": cells[2], "impressions": number(3), "clicks": number(4), "conversions": number(5),
            "spend": number(6), "revenue": number(7)});
        days.entry((cells[0].parse().unwrap(), cells[1].to_owned())).or_default().push(row);
    }
    assert_eq!(days.len(), 10);
    for ((number, platform), days) in days {
        let id = campaign(tenant, json!({"name": format!("Campaign {number}"), "platform": platform})).await;
        tell(tenant, id, days.into()).await;
    }
}

#[tokio::test]
async fn the_golden_figures_come_out_exactly() {
    let (Some(csv), Some(golden)) = (beside("campaign_days.csv"), beside("kpi_golden.json")) else { return };
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Golden").await;
    told(&tenant, &csv).await;
    for case in golden["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let (first, last) = (text("date_from"), text("date_to"));
        let mut question = format!("kpis?date_from={first}&date_to={last}&compare_period={}", text("compare_period"));
        if !case["platform"].is_null() {
            question = format!("{question}&platform={}", text("platform"));
        }
        let data = &ask(&tenant, &question).await["data"];
        assert_eq!(picked(data, &case["kpis"]), case["kpis"], "{question}");
        assert_eq!(picked(&data["previous"], &case["previous"]), case["previous"], "{question}");
        assert_eq!(picked(&data["comparison"], &case["comparison"]), case["comparison"], "{question}");
        let earlier = json!([data["previous"]["date_from"], data["previous"]["date_to"]]);
        assert_eq!(earlier, case["previous_range"], "{question}");
        assert_eq!((&data["currency"], &data["by_currency"]), (&json!("USD"), &json!([])));
        if let Some(expected) = case["platforms"].as_array() {
            let answer = ask(&tenant, &format!("platforms?date_from={first}&date_to={last}")).await;
            let rows = answer["data"].as_array().unwrap();
            let shown: Vec<Value> = rows.iter().zip(expected).map(|(row, like)| picked(row, like)).collect();
            assert_eq!((&shown, rows.len()), (expected, expected.len()));
        }
    }
    let (_, list) = tenant.get("/api/v1/campaigns?search=Campaign%201&sort_by=name&sort_order=asc").await;
    let first = &list["data"][0]["id"];
    let weeks = golden["weekly_campaign_1"].as_array().unwrap();
    let range = "date_from=2024-06-01&date_to=2024-11-27";
    let line = ask(&tenant, &format!("timeseries?granularity=weekly&{range}&campaign_ids={first}")).await;
    let shown: Vec<Value> =
        line["data"].as_array().unwrap().iter().zip(weeks).map(|(point, like)| picked(point, like)).collect();
    assert_eq!(&shown, weeks);
}

#[tokio::test]
async fn ranges_are_chosen_stated_and_refused() {
    let cluster = ads().start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    let usual = ask(&tenant, "kpis").await;
    let data = &usual["data"];
    assert_eq!((&data["comparison"], &data["previous"], &data["avg_roas"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&data["total_spend"], &data["total_conversions"]), (&json!(0.0), &json!(0)));
    let points = ask(&tenant, "timeseries").await;
    assert_eq!(points["data"].as_array().unwrap().len(), 30, "the last 30 full days");
    assert_eq!((&points["period"]["date_from"], &points["period"]["date_to"]), (&data["date_from"], &data["date_to"]));
    let one = ask(&tenant, "kpis?date_to=2024-03-01").await;
    assert_eq!((&one["data"]["date_from"], &one["data"]["date_to"]), (&json!("2024-02-01"), &json!("2024-03-01")));
    let year = ask(&tenant, "kpis?date_from=2024-02-29&date_to=2024-02-29&compare_period=previous_year").await;
    assert_eq!(year["data"]["previous"]["date_from"], "2023-02-28");
    let refused = [
        ("kpis?date_from=2024-02-30&platform=myspace&compare_period=last", 400, "compare_period platform date_from"),
        ("kpis?date_from=2024-02-02&date_to=2024-02-01", 422, "date_from date_to"),
        ("platforms?date_from=2020-01-01&date_to=2024-02-01", 422, "date_to"),
        ("timeseries?granularity=hourly", 400, "granularity"),
        ("cohorts?interval=day", 400, "interval"),
        ("campaigns?sort_by=colour&sort_order=up&page=0&page_size=101", 400, "sort_by sort_order page page_size"),
        ("pacing?period=year&synthetic=1", 400, "period synthetic"),
        ("labels?campaign_ids=1;2", 400, "campaign_ids"),
    ];
    for (question, expected, fields) in refused {
        let (status, body) = tenant.get(&format!("/api/v1/analytics/{question}")).await;
        assert_eq!(status, expected, "{question}: {body}");
        let named: Vec<_> =
            body["details"].as_array().unwrap().iter().filter_map(|one| one["field"].as_str()).collect();
        assert_eq!(named.join(" "), fields, "{question}");
    }
}

/// Checklist 36: figures of another tenant are in no answer, whatever is asked.
#[tokio::test]
async fn tenants_deleted_campaigns_and_currencies_are_kept_apart() {
    let cluster = ads().start().await;
    let (one, two) = (Tenant::register(&cluster.api, "One").await, Tenant::register(&cluster.api, "Two").await);
    let body = |name: &str, currency: &str| {
        json!({"name": name, "platform": "meta", "currency": currency, "labels": ["summer"], "status": "active",
            "daily_budget": 10, "start_date": "2024-06-01"})
    };
    let dollars = campaign(&one, body("dollars", "USD")).await;
    let pounds = campaign(&one, body("pounds", "GBP")).await;
    let gone = campaign(&one, body("gone", "USD")).await;
    let foreign = campaign(&two, body("foreign", "USD")).await;
    for (tenant, id, spend) in [(&one, dollars, 100.0), (&one, pounds, 7.0), (&one, gone, 5.0), (&two, foreign, 3333.0)]
    {
        tell(tenant, id, json!([day("2024-06-03", spend, spend * 2.0)])).await;
    }
    assert_eq!(one.delete(&format!("/api/v1/campaigns/{gone}")).await.0, 200);
    let range = "date_from=2024-06-01&date_to=2024-06-30";
    let kpis = ask(&one, &format!("kpis?{range}&compare_period=previous_period")).await;
    assert_eq!((&kpis["data"]["total_spend"], &kpis["data"]["avg_roas"]), (&json!(100.0), &json!(2.0)));
    let apart = &kpis["data"]["by_currency"];
    assert_eq!((&apart[0]["currency"], &apart[0]["total_spend"]), (&json!("GBP"), &json!(7.0)), "{apart}");
    for question in ["kpis", "platforms", "labels", "timeseries", "campaigns", "cohorts"] {
        let text = ask(&one, &format!("{question}?{range}")).await.to_string();
        assert!(text.contains("100.0") && !text.contains("3333") && !text.contains("foreign"), "{question}: {text}");
    }
    let paced = ask(&one, "pacing").await;
    assert_eq!(paced["data"]["campaigns"].as_array().unwrap().len(), 2, "{paced}");
    let (status, _) = one.get(&format!("/api/v1/analytics/kpis?campaign_ids={dollars},{foreign}")).await;
    assert_eq!(status, 404, "another tenant's campaign");
    let rows = ask(&one, &format!("campaigns?{range}&sort_by=name&sort_order=asc&page_size=1&page=2")).await;
    let (row, pages) = (&rows["data"][0], &rows["pagination"]);
    assert_eq!((&row["name"], &row["currency"], &pages["total"]), (&json!("pounds"), &json!("GBP"), &json!(2)));
}

#[tokio::test]
async fn rates_turn_money_into_the_tenants_currency() {
    let cluster = ads().set("CURRENCY__RATES", "{ GBP = 0.5 }").start().await;
    let tenant = Tenant::register(&cluster.api, "Acme").await;
    for (currency, spend) in [("USD", 100.0), ("GBP", 7.0), ("CHF", 3.0)] {
        let body = json!({"name": currency, "platform": "google", "currency": currency});
        let id = campaign(&tenant, body).await;
        tell(&tenant, id, json!([day("2024-06-03", spend, 2.0 * spend), day("2024-06-12", 0.0, 0.0)])).await;
    }
    let range = "date_from=2024-06-01&date_to=2024-06-16";
    let kpis = ask(&tenant, &format!("kpis?{range}")).await;
    assert_eq!((&kpis["data"]["total_spend"], &kpis["data"]["total_clicks"]), (&json!(114.0), &json!(40)));
    assert_eq!(kpis["data"]["by_currency"].as_array().unwrap().len(), 1);
    let rows = ask(&tenant, &format!("platforms?{range}")).await;
    let row = |row: &Value| (row["currency"].clone(), row["campaigns"].clone(), row["spend"].clone());
    let rows: Vec<_> = rows["data"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(rows, [(json!("CHF"), json!(1), json!(3.0)), (json!("USD"), json!(2), json!(114.0))]);
    let cohorts = ask(&tenant, &format!("cohorts?{range}")).await;
    let first = &cohorts["data"][0];
    assert_eq!(
        (&first["cohort"], &first["campaigns"], &first["spend"]),
        (&json!("2024-06-03"), &json!(2), &json!(114.0))
    );
    assert_eq!((first["intervals"].as_array().unwrap().len(), &first["intervals"][1]["clicks"]), (2, &json!(20)));
}
