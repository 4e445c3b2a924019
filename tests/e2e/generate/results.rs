//! What is said of a run: formats, thresholds, exit codes.

use serde_json::Value;

use super::Generate;
use crate::harness::Target;

#[tokio::test]
async fn every_format_can_be_read() {
    let target = Target::start(&["--errors", "503:0.2", "--seed", "5"]).await;
    let url = format!("{}/?a=<b>", target.url);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let reports = ["json", "k6", "vegeta", "html", "table"].map(|format| format!("{format}={}", file(format)));
    let mut args = vec![url.as_str(), "--rate", "400", "--requests", "200", "--series", "--threshold", "p95<10s"];
    args.extend(reports.iter().flat_map(|report| ["--report", report]));
    let summary = Generate::json(&args).summary().await;
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&read("json")).unwrap(), summary);
    let failed = summary["failed"].as_u64().unwrap();
    assert!(failed > 0 && summary["status_codes"]["503"].as_u64() == Some(failed), "{summary}");
    assert_eq!(summary["thresholds"][0]["passed"], true);
    let points = summary["seconds"]["points"].as_array().unwrap();
    assert_eq!(points.iter().map(|point| point["sent"].as_u64().unwrap()).sum::<u64>(), 200);
    let k6: Value = serde_json::from_str(&read("k6")).unwrap();
    assert_eq!(k6["metrics"]["http_reqs"]["count"], 200);
    assert_eq!(k6["metrics"]["http_req_failed"]["passes"], failed);
    assert_eq!(k6["metrics"]["http_req_duration"]["thresholds"]["p95<10s"], false);
    let vegeta: Value = serde_json::from_str(&read("vegeta")).unwrap();
    assert_eq!(vegeta["requests"], 200);
    assert_eq!(vegeta["status_codes"], summary["status_codes"]);
    let milliseconds = summary["response_time_ms"]["max"].as_f64().unwrap();
    assert!((vegeta["latencies"]["max"].as_f64().unwrap() / 1e6 - milliseconds).abs() < 0.001);
    assert!(read("table").contains("200 scheduled = 200 sent"));
    let html = read("html");
    assert!(html.contains("<svg") && !html.contains("<b>\"") && !html.contains("<script"));
}

#[tokio::test]
async fn a_crossed_threshold_is_exit_code_99() {
    let target = Target::start(&["--latency", "30ms"]).await;
    let url = format!("{}/", target.url);
    let base = [&url, "--rate", "100", "--requests", "30"];
    let held = Generate::json(&[&base[..], &["--threshold", "p99<20s", "--threshold", "error_rate<1%"]].concat());
    let held = held.summary().await;
    assert_eq!(held["thresholds"][1]["passed"], true, "{held}");
    let crossed = Generate::json(&[&base[..], &["--threshold", "service.p50<5ms"]].concat()).run().await;
    assert_eq!(crossed.code, 99, "{}", crossed.stderr);
    let summary = crossed.summary();
    assert_eq!(summary["thresholds"][0]["passed"], false);
    assert!(summary["thresholds"][0]["value"].as_f64().unwrap() >= 30.0, "{summary}");
}

#[tokio::test]
async fn a_crossed_threshold_can_stop_the_run() {
    let target = Target::start(&["--latency", "30ms"]).await;
    let url = format!("{}/", target.url);
    let flags = ["--threshold", "p50<5ms", "--abort-on-threshold", "--abort-after", "1s"];
    let ended = Generate::json(&[&[&url, "--rate", "100", "--duration", "1h"][..], &flags].concat()).run().await;
    assert_eq!(ended.code, 99, "{}", ended.stderr);
    let summary = ended.summary();
    assert!(summary["stopped"].as_str().unwrap().contains("`p50<5ms` crossed"), "{summary}");
    assert!(ended.stderr.contains("crossed"), "{}", ended.stderr);
    // Nothing was ever answered, and that is not the same as nothing sent.
    let silent = Target::start(&["--stall", "0s:1000s"]).await;
    let flags = ["--threshold", "requests_per_second>1", "--abort-on-threshold", "--abort-after", "1s"];
    let url = format!("{}/", silent.url);
    let ended = Generate::json(&[&[&url, "--rate", "100", "--duration", "1h"][..], &flags].concat()).run().await;
    assert_eq!(ended.code, 99, "{}", ended.stderr);
    assert!(ended.summary()["errors"]["aborted"].as_u64().unwrap() > 0, "{}", ended.stdout);
}

#[tokio::test]
async fn a_run_that_does_not_begin_leaves_the_last_report_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    std::fs::write(&file, "the last one").unwrap();
    let report = format!("json={}", file.display());
    let public = Generate::json(&["http://8.8.8.8/", "--rate", "1", "--report", &report]);
    let refused = public.env("TRAFFICLAB_GENERATOR__ALLOW_TARGETS", r#"["8.8.8.8/32"]"#).run().await;
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "the last one");
    let target = Target::start(&[]).await;
    Generate::json(&[&target.url, "--rate", "50", "--requests", "5", "--report", &report]).summary().await;
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written["requests"], 5);
}

#[tokio::test]
async fn checks_decide_what_a_success_is() {
    let target = Target::start(&[]).await;
    let url = format!("{}/status/404", target.url);
    let base = [&url, "--rate", "max", "--requests", "10"];
    let expected = Generate::json(&[&base[..], &["--expect-status", "200,404"]].concat()).summary().await;
    assert_eq!(expected["succeeded"], 10, "{expected}");
    let unexpected = Generate::json(&[&base[..], &["--expect-body", "no such text"]].concat()).summary().await;
    assert_eq!(unexpected["errors"]["check_failed"], 10, "{unexpected}");
}

#[tokio::test]
async fn nobody_there_is_exit_code_1() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    for rate in ["200", "max"] {
        let ended = Generate::json(&[&url, "--rate", rate, "--requests", "5"]).run().await;
        assert_eq!(ended.code, 1, "{}", ended.stderr);
        assert!(ended.stderr.contains("5 × connect"), "{}", ended.stderr);
        assert_eq!(ended.summary()["errors"]["connect"], 5);
    }
}
