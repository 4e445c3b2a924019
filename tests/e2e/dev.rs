//! `trafficlab-coordinator dev`: everything starts together, works, and is gone together.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Dev, Entries, Plan, descendants, is_gone, soon};

async fn all_gone(pids: &[u32]) {
    let gone = async || pids.iter().all(|pid| is_gone(*pid)).then_some(());
    soon("the end of every process of dev", gone).await;
}

#[tokio::test]
async fn dev_works_and_leaves_no_process_behind() {
    let mut dev = Dev::start(2).await;
    let pids = descendants(dev.process.pid());
    assert_eq!(pids.len(), 3, "a broker and two workers: {pids:?}");
    let (id, _) = dev.api.start(&Plan::constant(141, 240, 3.75).session()).await;
    dev.api.wait_for(&id, "completed", Duration::from_secs(60)).await;
    assert_eq!(Entries::read(&dev.api, &id).await.ids().len(), 900);
    assert_eq!(dev.api.get("/health").await.expect(200)["environment"], "development");
    let status = dev.process.terminate().await;
    assert!(status.success(), "{status}");
    all_gone(&pids).await;
}

#[tokio::test]
async fn a_killed_dev_takes_everything_with_it() {
    let mut dev = Dev::start(2).await;
    let pids = descendants(dev.process.pid());
    assert_eq!(pids.len(), 3, "{pids:?}");
    dev.api.create(&json!({})).await;
    dev.process.kill();
    all_gone(&pids).await;
}
