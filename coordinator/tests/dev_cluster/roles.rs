//! What each broker user may do, tried against the real server with the real template.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, Context, consumer, kv, stream};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::{connect, start};

const FORBIDDEN_TO_WORKERS: [&str; 3] = ["tl.v1.job.traffic.any.2.0", "$KV.TL_CTL.job.1", "tl.v1.live.c1"];
const FORBIDDEN_TO_READERS: [&str; 4] =
    ["tl.v1.live.c1", "tl.v1.res.traffic.1.0", "tl.v1.job.traffic.any.2.0", "$KV.TL_CTL.job.1"];

async fn make_streams(js: &Context) {
    for (name, subject) in [("TL_JOBS", "tl.v1.job.>"), ("TL_RES", "tl.v1.res.>"), ("TL_LIVE", "tl.v1.live.*")] {
        let config = stream::Config { name: name.into(), subjects: vec![subject.into()], ..Default::default() };
        js.create_stream(config).await.unwrap();
    }
    let jobs = js.get_stream("TL_JOBS").await.unwrap();
    let pull = consumer::pull::Config { durable_name: Some("any".into()), ..Default::default() };
    jobs.create_consumer(pull).await.unwrap();
    let bucket = kv::Config { bucket: "TL_CTL".into(), ..Default::default() };
    let states = js.create_key_value(bucket).await.unwrap();
    states.put("job.1", "running".into()).await.unwrap();
    for subject in ["tl.v1.job.traffic.any.1.0", "tl.v1.live.c1"] {
        js.publish(subject, "first".into()).await.unwrap().await.unwrap();
    }
}

/// Publishes without waiting for answers that never come, and makes sure that the broker saw it.
async fn try_to_forge(client: &Client, subjects: &[&str]) {
    for subject in subjects {
        client.publish((*subject).to_owned(), "forged".into()).await.unwrap();
    }
    client.flush().await.unwrap();
}

async fn work(worker: &Context) {
    let consumer: consumer::PullConsumer = worker.get_consumer_from_stream("any", "TL_JOBS").await.unwrap();
    let mut jobs = consumer.fetch().max_messages(1).messages().await.unwrap();
    jobs.next().await.unwrap().unwrap().double_ack().await.unwrap();
    let record = "tl.v1.res.traffic.1.0";
    worker.publish(record, "record".into()).await.unwrap().await.unwrap();
    let results = worker.get_stream("TL_RES").await.unwrap();
    results.get_last_raw_message_by_subject(record).await.unwrap();
    let states = worker.get_key_value("TL_CTL").await.unwrap();
    assert_eq!(states.get("job.1").await.unwrap().unwrap(), "running");
    let mut watch = states.watch_with_history(">").await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().key, "job.1");
}

async fn read(reader: &Context) {
    let live = reader.get_stream("TL_LIVE").await.unwrap();
    let ordered = live.create_consumer(consumer::pull::OrderedConfig::default()).await.unwrap();
    let message = ordered.messages().await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(message.payload, "first");
    // A refused request looks like a time-out, of ours or of the client.
    let jobs = timeout(Duration::from_secs(1), reader.get_stream("TL_JOBS")).await;
    assert!(!matches!(jobs, Ok(Ok(_))), "a reader saw the jobs");
}

async fn stored(js: &Context, name: &str) -> u64 {
    js.get_stream(name).await.unwrap().cached_info().state.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_its_work_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = start(folder.path(), 0).await.unwrap();
    let secrets = cluster.secrets();
    let client = connect(&cluster, "coordinator", &secrets.coordinator_password, "_INBOX").await;
    let coordinator = jetstream::new(client);
    make_streams(&coordinator).await;

    let client = connect(&cluster, "worker", &secrets.worker_password, "_INBOX").await;
    work(&jetstream::new(client.clone())).await;
    try_to_forge(&client, &FORBIDDEN_TO_WORKERS).await;
    let client = connect(&cluster, "results", &secrets.results_password, "_INBOX_results").await;
    read(&jetstream::new(client.clone())).await;
    try_to_forge(&client, &FORBIDDEN_TO_READERS).await;

    for name in ["TL_LIVE", "TL_RES"] {
        assert_eq!(stored(&coordinator, name).await, 1, "{name}");
    }
    let states = coordinator.get_key_value("TL_CTL").await.unwrap();
    assert_eq!(states.get("job.1").await.unwrap().unwrap(), "running");
    assert_eq!(stored(&coordinator, "TL_JOBS").await, 1);
    cluster.stop().await;
}
