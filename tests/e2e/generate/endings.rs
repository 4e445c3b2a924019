//! Runs that do not go smoothly: a target that stands still, a person who has seen enough.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, Generate};
use crate::harness::{Target, soon};

async fn under_way(target: &Target) {
    let busy = async || (target.stats().await["requests"].as_u64().unwrap() > 0).then_some(());
    soon("the first requests", busy).await;
}

fn signal(child: &tokio::process::Child, signal: Signal) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
}

#[tokio::test]
async fn a_target_that_stands_still_shows_in_the_percentiles() {
    const SECONDS: f64 = 4.0;
    let target = Target::start(&[]).await;
    let url = format!("{}/", target.url);
    let run = Generate::json(&[&url, "--rate", "1000", "--duration", "4s"]).start();
    under_way(&target).await;
    target.signal(Signal::STOP);
    let stopped = Instant::now();
    // This is the fault itself, not a wait for anything.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let away = stopped.elapsed().as_secs_f64();
    target.signal(Signal::CONT);
    let ended = Ended::of(&run.wait_with_output().await.unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let summary = ended.summary();
    assert_eq!((summary["sent"].as_u64(), summary["dropped"].as_u64()), (Some(4000), Some(0)), "{summary}");
    // Arrivals of the standstill wait evenly for between 0 and all of it: the slowest hundredth of the run for at
    // least the whole of it less a hundredth of the run.
    let p99 = summary["response_time_ms"]["p99"].as_f64().unwrap();
    let p95 = summary["response_time_ms"]["p95"].as_f64().unwrap();
    assert!(p99 >= (away - 0.01 * SECONDS) * 1000.0 * 0.98, "{away}: {summary}");
    assert!(p95 >= (away - 0.05 * SECONDS) * 1000.0 * 0.98, "{away}: {summary}");
    // Only the connections' own requests were in flight meanwhile, the others had not been sent.
    assert!(summary["service_time_ms"]["p50"].as_f64() < summary["response_time_ms"]["p90"].as_f64());
    assert!(summary["late"].as_u64().unwrap() > 500 && summary["generator_limited"] == true, "{summary}");
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let target = Target::start(&["--latency", "200ms"]).await;
    let url = format!("{}/", target.url);
    let flags = ["--connections", "2", "--queue", "3", "--rate", "200", "--requests", "100"];
    let summary = Generate::json(&[&[url.as_str()][..], &flags].concat()).summary().await;
    assert_eq!(summary["scheduled"], 100, "{summary}");
    assert!(summary["dropped"].as_u64().unwrap() > 50, "{summary}");
    assert_eq!(target.stats().await["requests"], summary["sent"]);
}

#[tokio::test]
async fn a_signal_ends_the_run_with_its_summary() {
    let target = Target::start(&["--latency", "20ms"]).await;
    let url = format!("{}/", target.url);
    for (rate, sent, code) in [("200", Signal::INT, 130), ("max", Signal::TERM, 143)] {
        let before = target.stats().await["requests"].as_u64().unwrap();
        let run = Generate::json(&[&url, "--rate", rate, "--duration", "1h"]).start();
        let busy = async || (target.stats().await["requests"].as_u64().unwrap() > before + 10).then_some(());
        soon("some requests", busy).await;
        signal(&run, sent);
        let ended = Ended::of(&run.wait_with_output().await.unwrap());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        let summary = ended.summary();
        assert!(summary["sent"].as_u64().unwrap() > 10, "{summary}");
        assert!(summary["stopped"].as_str().unwrap().starts_with("stopped by"), "{summary}");
        let arrived = target.stats().await["requests"].as_u64().unwrap() - before;
        assert_eq!(arrived, summary["sent"].as_u64().unwrap(), "{summary}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let target = Target::start(&["--latency", "600s"]).await;
    let url = format!("{}/", target.url);
    let mut run = Generate::json(&[&url, "--rate", "50", "--duration", "1h", "--timeout", "1000s"]).start();
    under_way(&target).await;
    signal(&run, Signal::INT);
    let again = async || {
        if run.try_wait().unwrap().is_none() {
            signal(&run, Signal::INT);
        }
        run.try_wait().unwrap()
    };
    assert_eq!(soon("the end", again).await.code(), Some(130));
}
