//! Messages on every subject that are not what they should be: counted, set aside, and nothing else.

use std::time::Duration;

use trafficlab_shared::protocol::subject;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

#[tokio::test]
async fn nonsense_on_every_subject_is_set_aside() {
    let mut cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(71, 50, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 20).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let stored = [
        subject::traffic_results("0190-none", 0),
        subject::traffic_results(&job, 7),
        "tl.v1.res.nobody.knows.this".to_owned(),
        "tl.v1.res.x".to_owned(),
        subject::traffic_job("0190-none", 0),
    ];
    for subject in &stored {
        for payload in ["", "nonsense", "\u{81}\u{a1}v\u{ff}"] {
            let sent = logs.0.publish(subject.clone(), payload.into()).await.unwrap().await;
            // A second job message of the same shard is refused while the first one waits.
            assert!(sent.is_ok() || subject.starts_with("tl.v1.job."), "{subject}: {sent:?}");
        }
    }
    let client = cluster.broker.client("coordinator").await;
    client.publish(subject::heartbeat("w1"), "nonsense".into()).await.unwrap();
    client.publish(subject::heartbeat("ghost"), "nonsense".into()).await.unwrap();
    client.flush().await.unwrap();
    let bucket = logs.0.get_key_value(subject::CONTROL_BUCKET).await.unwrap();
    for key in [subject::job_key("0190-none"), subject::worker_key("w1"), "strange".to_owned()] {
        bucket.put(key, "nonsense".into()).await.unwrap();
    }

    let aside = async || {
        let list = cluster.api.try_get("/api/cluster/quarantine").await.ok()?;
        let count = list.text.matches("\"reason\"").count();
        (count >= 13).then_some(list)
    };
    let list = soon("the messages being set aside", aside).await;
    assert!(list.text.contains("tl.v1.res.nobody.knows.this"), "{}", list.text);
    let metrics = cluster.api.client.get(format!("{}/metrics", cluster.api.base)).header("accept", "text/plain");
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let counted = metrics.lines().find_map(|line| line.strip_prefix("trafficlab_ingest_set_aside_total "));
    assert!(counted.unwrap().parse::<u64>().unwrap() >= 13, "{counted:?}");
    let emptied = async || logs.last(subject::JOBS_STREAM, &stored[4]).await.is_none().then_some(());
    soon("the worker dropping the malformed job", emptied).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    cluster.ready().await;
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
    // The same over a restart: what was set aside is not taken again.
    cluster.restart_coordinator().await;
    let again = cluster.api.get("/api/cluster/quarantine").await.text;
    assert_eq!(again.matches("\"reason\"").count(), list.text.matches("\"reason\"").count());
}
