//! Files of `testdata/config`, and the rules that bind schema, types and printing together.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn load_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let sources = Sources { env: env(pairs), ..Sources::default() };
    Config::load(&sources, Purpose::Worker)
}

fn files(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config").join(kind);
    let mut found: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    found.sort();
    assert!(!found.is_empty(), "no files of kind {kind}");
    found
}

fn load_file(path: &Path) -> Result<Config, ConfigErrors> {
    let sources = Sources { file: Some(path.to_owned()), ..Sources::default() };
    Config::load(&sources, Purpose::Coordinator)
}

// checklist 12
#[test]
fn defaults_alone_are_readable_and_need_secrets_only() {
    let sources = Sources::default();
    let config = Config::load(&sources, Purpose::Worker).unwrap();
    assert_eq!(config.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.environment, Environment::Production);
    let missing = Config::load(&sources, Purpose::Coordinator).unwrap_err();
    let keys: Vec<_> = missing.0.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["auth.jwt_secret", "auth.secrets_key", "generator.ownership_secret"]);
    let development = Sources { preset: Some(DEV_PRESET), ..Sources::default() };
    Config::load(&development, Purpose::Coordinator).unwrap();
}

#[test]
fn good_files_load() {
    for path in files("good") {
        if let Err(errors) = load_file(&path) {
            panic!("{}: {errors}", path.display());
        }
    }
}

/// Each line `#! text` of a bad file must appear in its error, and there are as many mistakes as lines.
#[test]
fn bad_files_report_every_mistake() {
    for path in files("bad") {
        let text = std::fs::read_to_string(&path).unwrap();
        let errors = load_file(&path).unwrap_err();
        let expected: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("#! ")).collect();
        let shown = errors.to_string();
        for part in &expected {
            assert!(shown.contains(part), "{}: `{part}` is not in\n{shown}", path.display());
        }
        assert_eq!(errors.0.len(), expected.len(), "{}:\n{shown}", path.display());
        assert!(shown.contains("file "), "{shown}");
    }
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/good/layers.toml");
    let flags = "[worker]\ncapacity = 7\n".parse().unwrap();
    let variables = [("TRAFFICLAB_WORKER__CAPACITY", "6"), ("TRAFFICLAB_WORKER__LANES", "2"), ("PATH", "/bin")];
    let sources = Sources { preset: None, file: Some(file), env: env(&variables), flags };
    let config = Config::load(&sources, Purpose::Worker).unwrap();
    assert_eq!((config.worker.capacity, config.worker.lanes), (7, 2));
    assert_eq!(config.generator.max_shards, 9);
    let shown = config.to_toml_masked();
    for line in [
        "capacity = 7 # from flag",
        "lanes = 2 # from env TRAFFICLAB_WORKER__LANES",
        "max_shards = 9 # from file ",
        "keep_days = 30 # from default",
    ] {
        assert!(shown.contains(line), "`{line}` is not in\n{shown}");
    }
}

#[test]
fn variables_are_read_like_their_defaults() {
    let config = load_env(&[
        ("TRAFFICLAB_GENERATOR__ALLOW_TARGETS", "[\"10.0.0.0/8\", '*.example.com']"),
        ("TRAFFICLAB_WORKER__LABELS", "{ zone = \"a\" }"),
        ("TRAFFICLAB_CURRENCY__RATES", "{ EUR = 1, GBP = 0.8 }"),
        ("TRAFFICLAB_AUTH__OPEN", "yes"),
        ("TRAFFICLAB_ANOMALIES__HIGH_LATENCY_MS", "150"),
        ("TRAFFICLAB_GENERATOR__QUOTA_BYTES", "1048576"),
        ("TRAFFICLAB_GENERATOR__CATCH_UP", "250ms"),
        ("TRAFFICLAB_PLATFORMS__META__PIXEL_ID", "123"),
        ("TRAFFICLAB_NATS_SERVER", "/usr/bin/nats-server"),
    ])
    .unwrap();
    assert_eq!(config.generator.allow_targets, ["10.0.0.0/8", "*.example.com"]);
    assert_eq!(config.worker.labels.get("zone").map(String::as_str), Some("a"));
    assert!(config.auth.open);
    assert_eq!(config.generator.quota_bytes, ByteSize(1 << 20));
    assert_eq!(config.generator.catch_up.nanoseconds(), 250_000_000);
    assert_eq!(config.platforms.meta.pixel_id.as_deref(), Some("123"));
}

#[test]
fn wrong_variables_are_all_reported_and_secrets_never_shown() {
    let errors = load_env(&[
        ("TRAFFICLAB_NATS_URL", "nats://x"),
        ("TRAFFICLAB_WORKER__CAPACITY", "many"),
        ("TRAFFICLAB_WORKER__LABELS", "zone"),
        ("TRAFFICLAB_HTTP", "x"),
        ("TRAFFICLAB_TRACKER__INGEST_KEYS", SECRET),
        ("TRAFFICLAB_LOG__FORMAT", "xml"),
        ("TRAFFICLAB_NATS__URL", "nats://user:pw@host:4222"),
        ("TRAFFICLAB_GENERATOR__MAX_SHARDS", "-1"),
        ("TRAFFICLAB_ANOMALIES__TRAFFIC_SPIKE_RATIO", "0.5"),
        ("TRAFFICLAB_ANOMALIES__FLOW_LOSS_PERCENT", "nan"),
    ])
    .unwrap_err();
    let shown = errors.to_string();
    for part in [
        "`nats_url` (env TRAFFICLAB_NATS_URL): unknown key; did you mean `TRAFFICLAB_NATS__URL`",
        "`worker.capacity` (env TRAFFICLAB_WORKER__CAPACITY): `many` is not a whole number",
        "`worker.labels`",
        "`http` (env TRAFFICLAB_HTTP): a section",
        "`tracker.ingest_keys` (env TRAFFICLAB_TRACKER__INGEST_KEYS): not of the right form",
        "`log.format`",
        "must not carry credentials",
        "`generator.max_shards`",
        "`anomalies.traffic_spike_ratio`",
        "`anomalies.flow_loss_percent`",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    assert_eq!(errors.0.len(), 10, "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains("pw@"), "{shown}");
}

/// Sets every text to a sentinel. Keys whose type is `Secret` are those that `Debug` does not show,
/// and exactly those must be masked in print as well.
#[test]
fn masked_keys_are_exactly_the_secret_types() {
    let defaults = schema::defaults();
    let mut secret_types = BTreeSet::new();
    let mut masked = BTreeSet::new();
    for key in schema::keys(&defaults) {
        let sentinel = format!("sentinel-{}", key.replace('.', "-"));
        let value = match schema::lookup(&defaults, &key) {
            Some(Value::String(_)) => Value::String(sentinel.clone()),
            Some(Value::Array(_)) => Value::Array(vec![Value::String(sentinel.clone())]),
            _ => continue,
        };
        let mut flags = Table::new();
        schema::place(&mut flags, &key, value);
        let sources = Sources { flags, ..Sources::default() };
        // Values with a form of their own refuse the sentinel; they are no secrets.
        let Ok(mut config) = Config::load(&sources, Purpose::Print) else {
            continue;
        };
        if !std::mem::take(&mut config.printed).contains(&sentinel) {
            masked.insert(key.clone());
        }
        if !format!("{config:?}").contains(&sentinel) {
            secret_types.insert(key);
        }
    }
    assert_eq!(masked, secret_types);
    assert!(masked.len() >= 15, "{masked:?}");
}

#[test]
fn the_printed_form_is_a_configuration_again() {
    let sources = Sources { env: env(&[("TRAFFICLAB_AUTH__JWT_SECRET", SECRET)]), ..Sources::default() };
    let first = Config::load(&sources, Purpose::Worker).unwrap();
    assert!(first.to_toml_masked().contains("jwt_secret = \"***\""), "{}", first.to_toml_masked());
    let flags: Table = first.to_toml_masked().parse().unwrap();
    let again = Config::load(&Sources { flags, ..Sources::default() }, Purpose::Print).unwrap();
    assert_eq!(again.listen, first.listen);
    assert_eq!(again.generator.quota_bytes, first.generator.quota_bytes);
}

#[test]
fn what_strangers_can_reach_needs_tokens_or_a_word() {
    let open = Table::from_iter([("open".to_owned(), Value::Boolean(true))]);
    for (text, exposed) in [
        ("listen = [\"127.0.0.1:80\", \"[::1]:80\"]", None),
        ("listen = [\"127.0.0.1:80\", \"0.0.0.0:80\"]", Some("listen")),
        ("listen = [\"[::]:80\"]", Some("listen")),
        ("public_url = \"https://lab.example.com\"", Some("public_url")),
        ("http = { trusted_proxies = [\"10.0.0.1\"] }", Some("http.trusted_proxies")),
    ] {
        let mut flags: Table = text.parse().unwrap();
        let load = |flags: &Table| {
            let sources = Sources { preset: Some(DEV_PRESET), flags: flags.clone(), ..Sources::default() };
            Config::load(&sources, Purpose::Coordinator)
        };
        let fault = load(&flags).err().map(|errors| errors.0);
        let keys: Option<Vec<_>> = fault.map(|faults| faults.into_iter().map(|fault| fault.key).collect());
        assert_eq!(keys, exposed.map(|key| vec![key.to_owned()]), "{text}");
        flags.insert("auth".to_owned(), Value::Table(open.clone()));
        let config = load(&flags).unwrap();
        assert_eq!(config.is_loopback_only(), exposed.is_none(), "{text}");
    }
}
