//! Commands that print and end.

use std::process::Output;

use tokio::process::Command;

use crate::harness::{coordinator, worker};

async fn run(program: std::path::PathBuf, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRAFFICLAB_") {
            command.env_remove(name);
        }
    }
    command.args(args).envs(env.iter().copied()).kill_on_drop(true);
    command.output().await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn the_configuration_is_shown_with_its_origins_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "[generator]\nmax_rate = 4321\nmax_shards = 7\n").unwrap();
    let file = file.display().to_string();
    let env = [("TRAFFICLAB_AUTH__SECRETS_KEY", "hush-hush-hush"), ("TRAFFICLAB_GENERATOR__MAX_SHARDS", "9")];
    let args = ["serve", "--config", &file, "--listen", "127.0.0.1:8099", "--print-config"];
    let shown = run(coordinator(), &args, &env).await;
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    assert!(!shown.contains("hush"), "{shown}");
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert!(line("max_rate ").contains("4321") && line("max_rate ").contains("# from file"), "{shown}");
    assert!(line("max_shards").contains('9') && line("max_shards").contains("# from env"), "{shown}");
    assert!(line("listen").contains("8099") && line("listen").contains("# from flag"), "{shown}");
    let shown = run(worker(), &["serve", "--id", "w9", "--print-config"], &[]).await;
    assert!(shown.status.success() && text(&shown.stdout).contains("w9"), "{}", text(&shown.stderr));
}

#[tokio::test]
async fn all_mistakes_are_named_together() {
    let env = [("TRAFFICLAB_GENERATOR__MAX_RAET", "5"), ("TRAFFICLAB_WORKER__CAPACITY", "many")];
    for (program, args) in
        [(coordinator(), ["serve", "--nats", "nats://127.0.0.1:1"]), (worker(), ["serve", "--nats", "x"])]
    {
        let refused = run(program, &args, &env).await;
        let told = text(&refused.stderr);
        assert!(!refused.status.success(), "{told}");
        assert!(told.contains("generator.max_raet") && told.contains("worker.capacity"), "{told}");
    }
    // Without a broker, without secrets, or open to others, the server does not start.
    for (args, word) in [
        (vec!["serve"], "nats.url"),
        (vec!["serve", "--nats", "nats://127.0.0.1:1"], "auth.secrets_key"),
        (vec!["serve", "--nats", "nats://127.0.0.1:1", "--listen", "0.0.0.0:0"], "auth.api_tokens"),
        (vec!["serve", "--nats", "nats://u:p@127.0.0.1:1"], "nats.user"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let data = data.path().display().to_string();
        let args: Vec<&str> = args.into_iter().chain(["--data-dir", &data]).collect();
        let environment = if word == "nats.url" { "development" } else { "production" };
        let refused = run(coordinator(), &args, &[("TRAFFICLAB_ENVIRONMENT", environment)]).await;
        assert!(!refused.status.success());
        assert!(text(&refused.stderr).contains(word), "{args:?}: {}", text(&refused.stderr));
    }
}
