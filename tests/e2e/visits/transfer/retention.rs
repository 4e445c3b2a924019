//! Old visits go: on request after a dry run, by the command line, and by themselves.

use serde_json::{Value, json};
use tokio::process::Command;

use super::{FIREFOX, SITE, date, figure, noon, pageviews_by};
use crate::e2e::visits::{batch, tracker};
use crate::harness::{coordinator, soon};

fn visit(days: i64) -> Value {
    json!({"user_id": "a", "page_url": format!("https://{SITE}/day{days}"), "user_agent": FIREFOX,
        "timestamp": noon(days).to_string()})
}

#[tokio::test]
async fn old_visits_go_after_a_dry_run() {
    let mut cluster = tracker(&[]).await;
    batch(&cluster.api, &(1..=10).map(visit).collect::<Vec<_>>()).await;
    let api = &cluster.api;
    let ask = |dry: bool| json!({"site_id": SITE, "keep_days": 6, "dry_run": dry});
    let would = api.post("/api/visits/prune", &ask(true)).await.expect(200);
    assert_eq!((&would["dry_run"], &would["visits"]), (&json!(true), &json!(5)), "{would}");
    assert_eq!((&would["sites"][0]["site_id"], &would["sites"][0]["keep_from"]), (&json!(SITE), &json!(date(5))));
    assert_eq!(figure(api, "pageviews", "").await, 10);
    let gone = api.post("/api/visits/prune", &ask(false)).await.expect(200);
    assert_eq!((&gone["dry_run"], &gone["visits"]), (&json!(false), &json!(5)), "{gone}");
    assert_eq!(figure(api, "pageviews", "").await, 5);
    assert_eq!(api.post("/api/visits/prune", &ask(false)).await.expect(200)["visits"], 0);

    let command = async |dry: &[&str]| {
        let args = ["visits", "prune", "--url", &api.base, "--keep-days", "3", "--site", SITE];
        let done = Command::new(coordinator()).args(args).args(dry).kill_on_drop(true).output().await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(command(&["--dry-run"]).await.ends_with("3 visits would be removed\n"));
    assert_eq!(figure(api, "pageviews", "").await, 5);
    assert!(command(&[]).await.ends_with("3 visits removed\n"));

    cluster.restart_coordinator().await;
    let api = &cluster.api;
    let left = [("/day1".to_owned(), 1), ("/day2".to_owned(), 1)];
    assert_eq!(pageviews_by(api, "event:page").await, left);
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 10, "what was counted stays counted");
    for (body, status) in
        [(json!({"keep_days": 0}), 422), (json!({"keep_days": -1}), 422), (json!({"site_id": "none.example"}), 404)]
    {
        assert_eq!(api.post("/api/visits/prune", &body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn old_visits_go_by_themselves() {
    let mut cluster = tracker(&[("TRACKER__KEEP_DAYS", "4")]).await;
    // Retention looks at the start, and each hour.
    batch(&cluster.api, &(1..=8).map(visit).collect::<Vec<_>>()).await;
    cluster.restart_coordinator().await;
    let api = &cluster.api;
    let three = async || (figure(api, "pageviews", "").await == 3).then_some(());
    soon("the visits of the last days alone", three).await;
}
