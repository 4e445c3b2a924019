//! Bursts, swings and replays over the API: exactly the planned entries, at their moments.

use std::time::Duration;

use serde_json::{Value, json};
use trafficlab_engine::traffic::replay::{parse_moment, read_log};
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::arrivals::text::parse;

use crate::harness::{Cluster, Entries, Logs, Plan};

/// When entries were due, in microseconds from the first, ascending.
fn moments(entries: &Entries) -> Vec<i64> {
    let moment = |entry: &Value| parse_moment(entry["scheduled_at"].as_str().unwrap()).unwrap();
    let mut moments: Vec<i64> = entries.0.iter().map(moment).collect();
    moments.sort_unstable();
    let first = moments[0];
    moments.iter().map(|moment| moment - first).collect()
}

/// Each change and the takeover move to other processes or times; no arrival may depend on that.
#[tokio::test]
async fn bursts_keep_their_plan_through_changes_and_a_takeover() {
    let mut cluster = Cluster::with_workers(2).await;
    let arrivals = parse("burst:pareto,cycle=1500ms,min=100ms,alpha=1.3,rest=0.2,process=poisson").unwrap();
    let plan = Plan { arrivals, ..Plan::constant(311, 400, 4.5) };
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 200).await;
    cluster.api.set_status(&id, "paused").await.expect(200);
    cluster.api.put(&format!("/api/sessions/{id}"), &json!({"requests_per_minute": 36_000})).await.expect(200);
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.workers[0].kill();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let planned = plan.ids(&logs, &job).await;
    assert!((1800..2900).contains(&planned.len()), "{} entries", planned.len());
    let entries = Entries::read(&cluster.api, &id).await;
    entries.must_be(&planned);
    let stats = cluster.api.stats(&id).await;
    assert_eq!(stats["arrivals"]["scheduled"], planned.len(), "{stats}");
}

#[tokio::test]
async fn swings_and_bursts_lie_where_they_should() {
    let cluster = Cluster::with_workers(2).await;
    let plan = |text: &str| Plan { arrivals: parse(text).unwrap(), ..Plan::constant(312, 300, 4.5) };
    let bursts = plan("burst:on=100ms,off=400ms");
    let swing = plan("sine:amplitude=1,period=3s,process=poisson");
    let runs = [cluster.api.start(&bursts.session()).await, cluster.api.start(&swing.session()).await];
    let logs = Logs(cluster.broker.jetstream().await);
    let mut found = Vec::new();
    for ((id, job), plan) in runs.iter().zip([&bursts, &swing]) {
        cluster.api.wait_for(id, "completed", Duration::from_secs(40)).await;
        let entries = Entries::read(&cluster.api, id).await;
        entries.must_be(&plan.ids(&logs, job).await);
        found.push(moments(&entries));
    }
    assert_eq!(found[0].len(), 1350);
    assert!(found[0].iter().all(|at| at % 500_000 < 100_000), "arrivals lie between the bursts");
    let halves = |half: i64| found[1].iter().filter(|at| (**at / 1_500_000) % 2 == half).count();
    assert!(halves(0) > 3 * halves(1), "{} in high halves, {} in low ones", halves(0), halves(1));
}

#[tokio::test]
async fn a_log_is_played_at_its_moments() {
    let cluster = Cluster::with_workers(2).await;
    let line = |n: u32| {
        let second = n * n / 4000 % 6;
        format!("192.0.2.7 - - [10/Oct/2000:13:55:{second:02} -0700] \"GET /{n} HTTP/1.1\" 200 12\n")
    };
    let log: String = (0..1500).map(line).chain(["what is this".to_owned()]).collect();
    let replay = read_log(log.as_bytes()).unwrap();
    let arrivals = Arrivals::Replay(replay.pack(2_000_000, false).unwrap());
    let length_ms = arrivals.length_ms().unwrap();
    #[allow(clippy::cast_precision_loss, reason = "a few thousand milliseconds")]
    let plan = Plan { arrivals, ..Plan::constant(313, 1, length_ms as f64 / 1000.0) };
    let mut session = plan.session();
    session["config"]["arrivals"] = json!({"type": "replay", "log": log, "speed": 2});
    session["duration_minutes"] = json!(10);
    let id = cluster.api.create(&session).await;
    let shown = cluster.api.get(&format!("/api/sessions/{id}")).await.expect(200);
    let shown = &shown["config"]["arrivals"];
    assert_eq!((&shown["speed"], &shown["count"], &shown["log"]), (&json!(2), &json!(1500), &json!(null)), "{shown}");
    cluster.api.set_status(&id, "running").await.expect(200);
    let job = cluster.api.generate(&id).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let entries = Entries::read(&cluster.api, &id).await;
    entries.must_be(&plan.ids(&logs, &job).await);
    let recorded: Vec<i64> = replay.offsets().iter().map(|at| i64::try_from(*at).unwrap()).collect();
    let played = moments(&entries);
    assert_eq!((played.len(), recorded.len()), (1500, 1500));
    // Both ends of a distance are shown in whole microseconds.
    let off = played.iter().zip(&recorded).find(|(played, recorded)| (**played * 2 - **recorded).abs() > 4);
    assert_eq!(off, None);
}

#[tokio::test]
async fn wrong_arrivals_are_refused_with_their_field() {
    let cluster = Cluster::with_workers(0).await;
    for (arrivals, field) in [
        (json!({"type": "burst", "on": 0.1, "off": 0.9, "rest": 2}), "config.arrivals.rest"),
        (json!({"type": "sine", "amplitude": 2}), "config.arrivals.amplitude"),
        (json!({"type": "replay", "timestamps": [0, "noon"]}), "config.arrivals.timestamps[1]"),
        (json!({"type": "replay", "log": "no times"}), "config.arrivals.log"),
        (json!("burst:on=1s"), "config.arrivals"),
    ] {
        let refused = cluster.api.post("/api/sessions/", &json!({"config": {"arrivals": arrivals}})).await.expect(400);
        assert_eq!(refused["details"][0]["field"], field, "{refused}");
    }
    let replay = json!({"config": {"arrivals": {"type": "replay", "timestamps": [0, 1, 1]}}});
    let taken = cluster.api.post("/api/sessions/", &replay).await.expect(201);
    let warnings = taken["warnings"].to_string();
    assert!(warnings.contains("`requests_per_minute` is kept and has no effect"), "{warnings}");
    assert!(warnings.contains("spread evenly") && warnings.contains("last recorded moment"), "{warnings}");
}
