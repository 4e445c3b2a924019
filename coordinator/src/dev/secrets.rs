//! The secrets of development, made once and kept beside the data.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use serde::Deserialize;
use trafficlab_shared::config::{Config, Secret};

use super::error::DevError;

/// Passwords of the broker's users and keys of the coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevSecrets {
    /// Of the broker's user `coordinator`.
    pub coordinator_password: Secret,
    /// Of the broker's user `worker`.
    pub worker_password: Secret,
    /// Of the broker's user `results`, who may only read.
    pub results_password: Secret,
    /// Stands in for `auth.jwt_secret`.
    pub jwt_secret: Secret,
    /// Stands in for `auth.secrets_key`.
    pub secrets_key: Secret,
    /// Stands in for `generator.ownership_secret`.
    pub ownership_secret: Secret,
}

const NAMES: [&str; 6] =
    ["coordinator_password", "worker_password", "results_password", "jwt_secret", "secrets_key", "ownership_secret"];

impl DevSecrets {
    /// Reads `secrets.toml` in `folder`, or makes it with mode 0600.
    ///
    /// # Errors
    /// The file cannot be written or read, or others may read it.
    pub fn load_or_make(folder: &Path) -> Result<Self, DevError> {
        let path = folder.join("secrets.toml");
        if !path.exists() {
            make(folder, &path)?;
        }
        let bad = |message: String| DevError::Secrets { path: path.clone(), message };
        let mode = fs::metadata(&path).map_err(DevError::file("read", &path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(bad("can be read by others; run `chmod 600` on it".to_owned()));
        }
        let text = fs::read_to_string(&path).map_err(DevError::file("read", &path))?;
        // The parser's own message may show a line of the file, so it is not passed on.
        let table = text.parse::<trafficlab_shared::config::Table>();
        let secrets = table.ok().and_then(|table| table.try_into().ok());
        secrets.ok_or_else(|| bad("is damaged; remove it and new secrets are made".to_owned()))
    }

    /// Fills in what the configuration leaves out.
    pub fn fill(&self, config: &mut Config) {
        let set = |slot: &mut Option<Secret>, secret: &Secret| {
            slot.get_or_insert_with(|| secret.clone());
        };
        set(&mut config.auth.jwt_secret, &self.jwt_secret);
        set(&mut config.auth.secrets_key, &self.secrets_key);
        set(&mut config.generator.ownership_secret, &self.ownership_secret);
    }
}

/// Writes beside the file and renames, so that a crash leaves either none or all of it.
fn make(folder: &Path, path: &Path) -> Result<(), DevError> {
    let mut text = String::from("# Secrets of this development installation. Keep the file to yourself.\n");
    for name in NAMES {
        text.push_str(&format!("{name} = \"{}\"\n", random_hex(path)?));
    }
    let fresh = folder.join("secrets.toml.new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(DevError::file("write", path))
}

fn random_hex(path: &Path) -> Result<String, DevError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| DevError::Secrets {
        path: path.to_owned(),
        message: format!("cannot be made: no random bytes ({error})"),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_shared::config::{DEV_PRESET, Purpose, Sources};

    #[test]
    fn secrets_are_made_once_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = DevSecrets::load_or_make(folder.path()).unwrap();
        let path = folder.path().join("secrets.toml");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(DevSecrets::load_or_make(folder.path()).unwrap(), first);
        assert_eq!(first.jwt_secret.expose().len(), 64);
        assert_ne!(first.jwt_secret, first.secrets_key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = DevSecrets::load_or_make(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn what_is_configured_stays() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = DevSecrets::load_or_make(folder.path()).unwrap();
        let sources = Sources { preset: Some(DEV_PRESET), ..Sources::default() };
        let mut config = Config::load(&sources, Purpose::Coordinator).unwrap();
        config.auth.jwt_secret = Some(Secret::new("mine"));
        secrets.fill(&mut config);
        assert_eq!(config.auth.jwt_secret, Some(Secret::new("mine")));
        assert_eq!(config.auth.secrets_key, Some(secrets.secrets_key));
    }
}
