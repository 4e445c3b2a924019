//! `dump` and `restore` through the command line: everything is there again.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::harness::{Cluster, Entries, Plan, coordinator};

async fn archive(command: &str, file: &Path, data: &Path) -> (bool, String) {
    let output = Command::new(coordinator())
        .args([command, &file.display().to_string(), "--data-dir", &data.display().to_string()])
        .env("TRAFFICLAB_ENVIRONMENT", "development")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_restored_dump_is_the_same_server() {
    let mut cluster = Cluster::with_workers(1).await;
    let plan = Plan::constant(131, 240, 3.75);
    let (id, _) = cluster.api.start(&plan.session()).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    let sessions = cluster.api.get("/api/sessions/").await.expect(200);
    let stats = cluster.api.stats(&id).await;
    let entries = Entries::read(&cluster.api, &id).await;
    assert_eq!(entries.ids().len(), 900);

    let data = cluster.data_dir();
    let file = data.with_file_name("dump.jsonl");
    let (done, told) = archive("dump", &file, &data).await;
    assert!(!done && told.contains("stop the server"), "a running server was dumped: {told}");
    // The refused command may have made the file.
    drop(std::fs::remove_file(&file));
    assert!(cluster.coordinator.terminate().await.success());
    let (done, told) = archive("dump", &file, &data).await;
    assert!(done, "{told}");
    let (done, told) = archive("restore", &file, &data).await;
    assert!(!done && told.contains("not empty"), "a full folder was overwritten: {told}");
    std::fs::rename(&data, data.with_file_name("before")).unwrap();
    let (done, told) = archive("restore", &file, &data).await;
    assert!(done, "{told}");

    cluster.coordinator.up();
    cluster.ready().await;
    assert_eq!(cluster.api.get("/api/sessions/").await.expect(200), sessions);
    assert_eq!(cluster.api.stats(&id).await, stats);
    assert_eq!(Entries::read(&cluster.api, &id).await.0, entries.0);
    // And it goes on where it was.
    cluster.api.set_status(&id, "running").await.expect(200);
    cluster.api.generate(&id).await;
    cluster.api.wait_for(&id, "completed", Duration::from_secs(40)).await;
    assert_eq!(Entries::read(&cluster.api, &id).await.ids().len(), 1800);
}
