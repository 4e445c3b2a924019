//! The worker processes of a development cluster.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Child;
use trafficlab_shared::config::{Config, ENV_PREFIX, LogFormat, Secret, Value};

use super::broker::append;
use super::error::DevError;
use super::spawner::Spawner;
use super::supervise::Launch;

/// What is needed to start one worker again.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) spawner: Spawner,
    pub(super) program: PathBuf,
    pub(super) log: PathBuf,
    pub(super) url: String,
    pub(super) variables: Vec<(String, String)>,
}

impl Launch for Worker {
    fn name(&self) -> &str {
        &self.name
    }

    async fn launch(&self) -> Result<Child, DevError> {
        let output = append(&self.log)?;
        let errors = output.try_clone().map_err(DevError::file("open", &self.log))?;
        let mut command = self.spawner.guarded(None, &self.program);
        command.args(["serve", "--nats", &self.url, "--id", &self.name]);
        // Our own variables may name another worker or broker; what applies is in `variables`.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(ENV_PREFIX) {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let child = self.spawner.spawn(command).await?;
        tracing::info!(worker_id = %self.name, pid = child.id(), "worker started");
        Ok(child)
    }
}

/// The environment that gives a worker its part of our configuration. The password is here and not
/// among the arguments, which every user of the machine can read.
pub(super) fn variables(config: &Config, password: &Secret) -> Vec<(String, String)> {
    let list = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect()).to_string();
    let labels = config.worker.labels.iter().map(|(name, text)| (name.clone(), Value::String(text.clone())));
    let format = match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let kept = config.worker.capture_dir.clone().unwrap_or_else(|| config.data_dir.join("kept"));
    let secrets_key = config.auth.secrets_key.as_ref().map(|key| ("AUTH__SECRETS_KEY", key.expose().to_owned()));
    [
        ("ENVIRONMENT", "development".to_owned()),
        ("NATS__USER", "worker".to_owned()),
        ("NATS__PASSWORD", password.expose().to_owned()),
        ("GENERATOR__ALLOW_TARGETS", list(&config.generator.allow_targets)),
        ("GENERATOR__CATCH_UP", config.generator.catch_up.to_string()),
        ("WORKER__CAPACITY", config.worker.capacity.to_string()),
        ("WORKER__LANES", config.worker.lanes.to_string()),
        ("WORKER__LABELS", Value::Table(labels.collect()).to_string()),
        ("WORKER__CAPTURE_DIR", kept.display().to_string()),
        ("LOG__LEVEL", config.log.level.clone()),
        ("LOG__FORMAT", format.to_owned()),
    ]
    .into_iter()
    .chain(secrets_key)
    .map(|(key, text)| (format!("{ENV_PREFIX}{key}"), text))
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{Purpose, Sources, Table};

    #[test]
    fn a_worker_reads_back_what_it_is_given() {
        let flags: Table = "generator = { allow_targets = ['10.0.0.0/8', '*.a.example'], catch_up = '1500ms' }\n\
             auth = { secrets_key = 'a key that is thirty-two bytes long' }\n\
             worker = { capacity = 3, labels = { zone = 'a \"b' } }\nlog = { level = 'debug', format = 'json' }"
            .parse()
            .unwrap();
        let ours = Config::load(&Sources { flags, ..Sources::default() }, Purpose::Worker).unwrap();
        let env = variables(&ours, &Secret::new("pw"));
        let theirs = Config::load(&Sources { env, ..Sources::default() }, Purpose::Worker).unwrap();
        assert_eq!(theirs.generator.allow_targets, ours.generator.allow_targets);
        assert_eq!(theirs.generator.catch_up, ours.generator.catch_up);
        assert_eq!(theirs.worker.labels, ours.worker.labels);
        assert_eq!(theirs.worker.capacity, 3);
        assert_eq!(theirs.log.level, "debug");
        assert_eq!(theirs.auth.secrets_key, ours.auth.secrets_key);
        assert!(theirs.auth.secrets_key.is_some());
        assert_eq!(theirs.nats.password, Some(Secret::new("pw")));
    }
}
