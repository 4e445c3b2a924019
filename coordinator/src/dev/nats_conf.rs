//! The broker's configuration file, from the template that production uses too.

use std::path::PathBuf;

use super::secrets::DevSecrets;

const TEMPLATE: &str = include_str!("../../../config/nats.conf");

/// Where the broker keeps things, all below the data folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) config: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) store: PathBuf,
    pub(super) ports: PathBuf,
    pub(super) log: PathBuf,
}

impl Layout {
    pub(super) fn below(data_dir: &std::path::Path) -> Self {
        let nats = data_dir.join("nats");
        Self {
            config: nats.join("nats.conf"),
            lock: nats.join("lock"),
            store: nats.join("store"),
            ports: nats.join("ports"),
            log: data_dir.join("logs/nats.log"),
        }
    }
}

/// Fills in the template. Without a port the broker takes a free one and tells it in a file.
pub(super) fn render(layout: &Layout, port: Option<u16>, max_file_store: u64, secrets: &DevSecrets) -> String {
    let quoted = |path: &PathBuf| path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let listen = port.map_or_else(|| "127.0.0.1:-1".to_owned(), |port| format!("127.0.0.1:{port}"));
    let words = [
        ("server_name", "trafficlab".to_owned()),
        ("listen", listen),
        ("ports_file_dir", format!("ports_file_dir: \"{}\"", quoted(&layout.ports))),
        ("log_file", quoted(&layout.log)),
        ("store_dir", quoted(&layout.store)),
        ("max_file_store", max_file_store.to_string()),
        ("coordinator_password", secrets.coordinator_password.expose().to_owned()),
        ("worker_password", secrets.worker_password.expose().to_owned()),
        ("results_password", secrets.results_password.expose().to_owned()),
    ];
    words.iter().fold(TEMPLATE.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn every_word_is_filled_in() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = DevSecrets::load_or_make(folder.path()).unwrap();
        let layout = Layout::below(folder.path());
        let text = render(&layout, None, 1 << 30, &secrets);
        assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
        assert!(text.contains("127.0.0.1:-1") && text.contains("sync_interval: always"));
        assert!(text.contains(secrets.worker_password.expose()));
        let fixed = render(&layout, Some(4222), 1 << 30, &secrets);
        assert!(fixed.contains("listen: \"127.0.0.1:4222\""), "{fixed}");
    }
}
