//! A real browser without a window, and the tracker package that Plausible publishes.

use std::env;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::process::{Process, Program};
use super::skipped;

/// What a person's browser says; a headless one would say that it is one.
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--window-size=1280,800",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--enable-logging=stderr",
    // Every name of a test leads here.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/// A browser that shows one page until it is dropped.
#[derive(Debug)]
pub(crate) struct Browser {
    // Ends before its folder is removed.
    _process: Process,
    _folder: TempDir,
}

impl Browser {
    /// Opens `url` in the browser of this machine.
    pub(crate) fn open(program: &Path, url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = FLAGS.map(str::to_owned).to_vec();
        args.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        args.push(format!("--user-agent={USER_AGENT}"));
        args.push(url.to_owned());
        let home = folder.path().display().to_string();
        let process = Process::start(&Program {
            name: "browser".into(),
            path: program.to_owned(),
            args,
            env: vec![("HOME".into(), home)],
            log: folder.path().join("browser.log"),
        });
        Self { _process: process, _folder: folder }
    }
}

/// Chromium or Chrome on PATH. Where there is none, the test is skipped, but not in CI.
pub(crate) fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    needed(found.into_iter().find(|program| program.is_file()), "no Chromium is installed")
}

/// The folder of Plausible's package, as `scripts/test` unpacks it. Without it, as without a browser.
pub(crate) fn plausible_package() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = here.ancestors().map(|folder| folder.join(".tools/plausible-tracker"));
    needed(folders.find(|folder| folder.is_dir()), "Plausible's tracker package is missing: run `scripts/test`")
}

fn needed(found: Option<PathBuf>, why: &str) -> Option<PathBuf> {
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "{why}");
        skipped(why);
    }
    found
}
