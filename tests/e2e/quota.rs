//! The quota: the oldest finished run goes first, then new runs are refused.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Plan};

/// Less than one of the runs below stores.
const QUOTA: &str = "2000";

#[tokio::test]
async fn at_the_quota_the_oldest_finished_run_goes_and_then_nothing_starts() {
    let cluster = Cluster::builder().workers(1).set("GENERATOR__QUOTA_BYTES", QUOTA).start().await;
    let (oldest, _) = cluster.api.start(&Plan::constant(131, 240, 3.0).session()).await;
    cluster.api.wait_for(&oldest, "completed", Duration::from_secs(30)).await;
    assert_eq!(cluster.api.stats(&oldest).await["stored_entries"], 720);

    let (running, _) = cluster.api.start(&Plan::constant(132, 240, 60.0).session()).await;
    assert_eq!(cluster.api.stats(&oldest).await["stored_entries"], 0, "its run was removed for the new one");
    cluster.api.wait_for_entries(&running, 720).await;

    let third = cluster.api.create(&Plan::constant(133, 240, 3.0).session()).await;
    cluster.api.set_status(&third, "running").await.expect(200);
    let refused = cluster.api.post("/api/traffic/generate", &json!({"campaign_id": third})).await.expect(507);
    assert_eq!(refused["code"], "insufficient_storage");
    assert_eq!(cluster.api.status(&running).await.as_deref(), Some("running"), "what runs is left alone");
}
