//! How much is sent and when: counts are exact.

use super::Generate;
use crate::harness::Target;

async fn requests_at(target: &Target) -> u64 {
    target.stats().await["requests"].as_u64().unwrap()
}

#[tokio::test]
async fn an_open_loop_sends_exactly_what_is_due() {
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let mut expected = 0;
    for (args, requests) in [
        (vec!["--rate", "1000", "--requests", "501"], 501),
        (vec!["--rate", "1000", "--requests", "501", "--threads", "3"], 501),
        (vec!["--rate", "24000/m", "--duration", "0.5s"], 200),
        (vec!["--rate", "500", "--requests", "200", "--arrivals", "poisson", "--seed", "4"], 200),
        // The stages are over before the wanted number has come.
        (vec!["--arrivals", "stages:1s@400", "--requests", "500"], 200),
        // Shorter than a millisecond is a millisecond.
        (vec!["--rate", "1000", "--duration", "100us"], 1),
        (vec!["--rate", "200", "--duration", "1", "--arrivals", "burst:on=100ms,off=900ms"], 200),
    ] {
        let args: Vec<&str> = [url.as_str()].into_iter().chain(args).collect();
        let summary = Generate::json(&args).summary().await;
        assert_eq!(summary["sent"], requests, "{args:?}: {summary}");
        assert_eq!(summary["status_codes"]["200"], requests, "{args:?}: {summary}");
        assert_eq!(summary["mode"], "open");
        expected += requests;
        assert_eq!(requests_at(&target).await, expected, "{args:?}");
    }
    let stats = target.stats().await;
    assert_eq!((stats["unmarked"].as_u64(), stats["repeats"].as_u64()), (Some(0), Some(0)), "{stats}");
}

#[tokio::test]
async fn the_same_seed_has_the_same_arrivals_and_a_count_has_the_length_of_its_arrivals() {
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let args = [&url, "--rate", "400", "--duration", "1", "--arrivals", "poisson", "--seed", "11"];
    let first = Generate::json(&args).summary().await;
    let second = Generate::json(&args).summary().await;
    assert_eq!(first["scheduled"], second["scheduled"]);
    assert_eq!(first["seed"], 11);
    let counted = Generate::json(&[&url, "--rate", "200", "--requests", "100"]).summary().await;
    let duration = counted["duration_s"].as_f64().unwrap();
    // 100 arrivals at 200/s take half a second, the gap after the last one included; a late send makes it longer.
    assert!(duration >= 0.5, "{counted}");
    assert_eq!(counted["asked_rate"], 200.0);
}

#[tokio::test]
async fn a_closed_loop_keeps_to_its_number_of_requests() {
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let args = [&url, "--rate", "max", "--requests", "3001", "--connections", "7", "--threads", "2"];
    let summary = Generate::json(&args).summary().await;
    assert_eq!((summary["requests"].as_u64(), summary["asked_rate"].is_null()), (Some(3001), true), "{summary}");
    assert_eq!(summary["mode"], "closed");
    let stats = target.stats().await;
    assert_eq!(stats["distinct_ids"], 3001, "{stats}");
    assert_eq!(stats["unmarked"], 0);
    // The harness asks for the statistics over connections of its own.
    assert!(stats["connections"].as_u64().unwrap() >= 7);
}

#[tokio::test]
async fn a_closed_loop_ends_with_its_time_and_keeps_to_the_configured_rate() {
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let args = [&url, "--rate", "max", "--duration", "1s", "--connections", "4"];
    let capped = Generate::json(&args).env("TRAFFICLAB_GENERATOR__MAX_RATE_PER_TARGET", "300");
    let summary = capped.summary().await;
    let sent = summary["sent"].as_u64().unwrap();
    assert!((1..=330).contains(&sent), "{summary}");
    assert_eq!(requests_at(&target).await, sent);
}

#[tokio::test]
async fn recorded_moments_are_played_again() {
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("times.txt");
    let lines: Vec<String> =
        (0..40).map(|step| format!("{}.{:03}", 1_700_000_000 + step / 20, step % 20 * 50)).collect();
    std::fs::write(&file, format!("{}\nnonsense\n", lines.join("\n"))).unwrap();
    let replay = format!("replay:{},speed=2", file.display());
    let ended = Generate::json(&[&url, "--arrivals", &replay]).run().await;
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("line 41"), "{}", ended.stderr);
    let summary = ended.summary();
    assert_eq!(summary["sent"], 40);
    // Two seconds of moments at twice the speed.
    assert!(summary["duration_s"].as_f64().unwrap() >= 0.975, "{summary}");
    let refused = Generate::json(&[&url, "--arrivals", &replay, "--rate", "5"]).run().await;
    assert!(refused.code == 2 && refused.stderr.contains("speed="), "{}", refused.stderr);
}

#[tokio::test]
async fn simulated_entries_are_drawn_without_a_packet() {
    let first = Generate::json(&["--simulate", "--requests", "20000", "--seed", "3"]).summary().await;
    assert_eq!((first["requests"].as_u64(), first["mode"].as_str()), (Some(20_000), Some("simulate")));
    assert!(first["bytes_out"].as_u64().unwrap() > 0 && first["target"].is_null());
    let again = Generate::json(&["--simulate", "--requests", "20000", "--seed", "3"]).summary().await;
    for name in ["status_codes", "errors", "bytes_in", "response_time_ms"] {
        assert_eq!(first[name], again[name], "{name}");
    }
    let paced = Generate::json(&["--simulate", "--rate", "5000", "--duration", "500ms"]).summary().await;
    assert_eq!(paced["requests"], 2500);
    // A rate that no machine draws at is not reported as reached.
    let fast = ["--simulate", "--rate", "90000000", "--duration", "2ms", "--no-auction"];
    let fast = Generate::json(&fast).summary().await;
    assert_eq!((fast["requests"].as_u64(), fast["generator_limited"].as_bool()), (Some(180_000), Some(true)), "{fast}");
    assert!(fast["duration_s"].as_f64().unwrap() > 0.05 && fast["requests_per_second"].as_f64().unwrap() < 9e7);
    let counted = Generate::json(&["--simulate", "--requests", "500", "--threads", "2"]).summary().await;
    assert!(counted["duration_s"].as_f64().unwrap() > 0.0, "{counted}");
}
