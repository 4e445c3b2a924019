//! Job messages that come twice: while the shard is leased, and after it is over.

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use trafficlab_shared::protocol::subject;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

#[tokio::test]
async fn a_job_message_that_comes_twice_runs_once() {
    let cluster = Cluster::with_workers(2).await;
    let plan = Plan::constant(41, 100, 7.5);
    let (id, job) = cluster.api.start(&plan.session()).await;
    let logs = Logs(cluster.broker.jetstream().await);
    let to = subject::traffic_job(&job, 0);
    let queued = async || logs.last(subject::JOBS_STREAM, &to).await;
    let message = soon("the job message", queued).await.payload;
    cluster.api.wait_for_entries(&id, 50).await;

    let second = logs.0.publish(to.clone(), message.clone()).await.unwrap().await;
    let refused = second.expect_err("the broker took a second message of a leased shard");
    assert_eq!(refused.kind(), PublishErrorKind::Other, "{refused}");

    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let emptied = async || queued().await.is_none().then_some(());
    soon("the job message being acknowledged", emptied).await;
    let before = logs.record(&job, 0).await.unwrap();
    logs.0.publish(to.clone(), message).await.unwrap().await.unwrap();
    soon("the late message being acknowledged", emptied).await;
    assert_eq!(logs.record(&job, 0).await.unwrap(), before, "a shard that is over was written to");
    Entries::read(&cluster.api, &id).await.must_be(&plan.ids(&logs, &job).await);
}
