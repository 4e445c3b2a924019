//! The document's curl lines as written, port aside, run by curl itself.

use std::process::Command;

use serde_json::{Value, json};

use super::tracker;
use crate::harness::{Api, Cluster, skipped};

const VISIT: &str = r#"curl -X POST http://localhost:8080/visit \
  -H "Content-Type: application/json" \
  -d '{"user_id": "user123", "page_url": "https://example.com/home"}'"#;
const DEFAULT_STATS: &str = "curl http://localhost:8080/stats";
const HALF_AN_HOUR: &str = r#"curl "http://localhost:8080/stats?timeframe_hours=0.5""#;
const A_WEEK: &str = r#"curl "http://localhost:8080/stats?timeframe_hours=168.0""#;
const HEALTH: &str = "curl http://localhost:8080/health";
const TEST_VISIT: &str = r#"curl -X POST http://localhost:8080/visit \
     -H "Content-Type: application/json" \
     -d '{"user_id": "test_user", "page_url": "https://example.com/test"}'"#;
/// The document shows this body without a curl line.
const WHOLE_BODY: &str = r#"curl -X POST http://localhost:8080/visit \
  -H "Content-Type: application/json" \
  -d '{
  "user_id": "unique_user_id",
  "page_url": "https://example.com/page",
  "user_agent": "Mozilla/5.0...",
  "ip_address": "192.168.1.1",
  "referrer": "https://google.com"
}'"#;

/// Runs a line of the document in a shell; comes back with the JSON that curl printed.
fn run(api: &Api, line: &str) -> Value {
    let port = api.base.rsplit(':').next().unwrap();
    let line = line.replace("localhost:8080", &format!("localhost:{port}"));
    let done = Command::new("sh").args(["-c", &line]).env("no_proxy", "*").output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
}

/// A logged visit says exactly what the document prints.
fn must_be_visit(answer: &Value, count: u64) {
    let message = format!("Visit logged successfully. Total visits: {count}");
    assert_eq!(answer, &json!({"success": true, "visit_count": count, "message": message}));
}

/// Every documented key of `/stats` with its documented type.
fn must_be_stats(answer: &Value, total: u64, hours: f64) {
    let uptime = answer["uptime_seconds"].as_f64().unwrap();
    assert!(answer["uptime_seconds"].is_f64() && uptime > 0.0, "{answer}");
    let formatted = answer["uptime_formatted"].as_str().unwrap();
    assert!(uptime < 60.0 && formatted.starts_with("0h 0m ") && formatted.ends_with('s'), "{answer}");
    assert_eq!(answer["total_visits"], total, "{answer}");
    assert_eq!(answer["recent_visits"], total, "{answer}");
    assert_eq!(answer["timeframe_hours"].as_f64(), Some(hours), "{answer}");
    assert_eq!(answer["server_status"], "running");
    let now = answer["current_time"].as_str().unwrap();
    assert!(now.as_bytes()[10] == b'T' && now.ends_with('Z'), "{answer}");
    // curl is a program and nobody's browser: counted, and said to be one. One body names another agent.
    assert!(answer["bot_visits"].as_u64().unwrap() <= total, "{answer}");
    assert_eq!(answer["synthetic_visits"], 0, "{answer}");
}

fn all_stats(cluster: &Cluster, total: u64) {
    for (line, hours) in [(DEFAULT_STATS, 1.0), (HALF_AN_HOUR, 0.5), (A_WEEK, 168.0)] {
        must_be_stats(&run(&cluster.api, line), total, hours);
    }
    assert_eq!(run(&cluster.api, HEALTH)["status"], "healthy");
}

#[tokio::test]
async fn the_curl_lines_answer_as_printed_and_again_after_a_kill() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        skipped("curl is not installed");
        return;
    }
    let mut cluster = tracker(&[]).await;
    all_stats(&cluster, 0);
    must_be_visit(&run(&cluster.api, VISIT), 1);
    must_be_visit(&run(&cluster.api, TEST_VISIT), 2);
    must_be_visit(&run(&cluster.api, WHOLE_BODY), 3);
    all_stats(&cluster, 3);
    cluster.restart_coordinator().await;
    all_stats(&cluster, 3);
    must_be_visit(&run(&cluster.api, VISIT), 4);
    assert_eq!(cluster.coordinator.terminate().await.code(), Some(0));
    cluster.coordinator.up();
    cluster.ready().await;
    must_be_visit(&run(&cluster.api, TEST_VISIT), 5);
    all_stats(&cluster, 5);
}
