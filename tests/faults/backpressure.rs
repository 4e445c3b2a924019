//! The results stream is full: workers wait, and nothing is lost.

use std::time::Duration;

use tokio::time::sleep;
use trafficlab_shared::protocol::subject;

use crate::harness::{Cluster, Entries, Logs, Plan, soon};

#[tokio::test]
async fn a_full_results_stream_holds_workers_up_and_loses_nothing() {
    let mut cluster = Cluster::builder().workers(2).set("NATS__RESULTS_MAX_BYTES", "200KB").start().await;
    let plan = Plan::constant(151, 2000, 15.0);
    let (id, job) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for_entries(&id, 1000).await;
    cluster.coordinator.freeze();
    let logs = Logs(cluster.broker.jetstream().await);
    let full = async || {
        let stream = logs.0.get_stream(subject::RESULTS_STREAM).await.ok()?;
        (stream.cached_info().state.bytes > 150_000).then_some(())
    };
    soon("a full stream", full).await;
    // Longer than the lease: the workers must neither give up nor lose their shards to each other for ever.
    sleep(Duration::from_secs(5)).await;
    cluster.coordinator.thaw();
    cluster.api.wait_for(&id, "completed", Duration::from_secs(90)).await;
    let planned = plan.ids(&logs, &job).await;
    assert_eq!(planned.len(), 30_000);
    Entries::read(&cluster.api, &id).await.must_be(&planned);
}
