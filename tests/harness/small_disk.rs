//! A disk of a few megabytes that fills up: memory, mounted where only the processes in its namespace see it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::process::{Process, Program};
use super::wait::eventually;

const MOUNT: &str = r#"mount -t tmpfs -o size="$1" none "$2" && touch "$2/mounted" && exec sleep 600"#;

/// A mounted disk; gone when dropped.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    holder: Process,
    folder: PathBuf,
}

impl SmallDisk {
    /// Whether this machine lets us make one.
    pub(crate) fn possible() -> bool {
        let tried = Command::new("unshare").args(["--mount", "--map-root-user", "true"]).status();
        tried.is_ok_and(|status| status.success())
    }

    /// A disk of `mebibytes` at `folder`, which is made.
    pub(crate) async fn mount(folder: &Path, mebibytes: u32) -> Self {
        fs::create_dir_all(folder).unwrap();
        let size = format!("{mebibytes}m");
        let path = folder.display().to_string();
        let args = ["--mount", "--map-root-user", "sh", "-c", MOUNT, "sh", &size, &path];
        let holder = Process::start(&Program {
            name: "small-disk".into(),
            path: "unshare".into(),
            args: args.map(str::to_owned).to_vec(),
            env: Vec::new(),
            log: folder.with_extension("log"),
        });
        let disk = Self { holder, folder: folder.to_owned() };
        let mounted = async || disk.seen().join("mounted").is_file().then_some(());
        eventually(Duration::from_secs(20), "the small disk", mounted).await;
        disk
    }

    /// The folder as the processes on the disk see it.
    pub(crate) fn seen(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.pid()));
        root.join(self.folder.strip_prefix("/").unwrap())
    }

    /// The same program, started where the disk is mounted.
    pub(crate) fn around(&self, mut program: Program) -> Program {
        let pid = self.holder.pid().to_string();
        let mut args = ["--target", &pid, "--user", "--preserve-credentials", "--mount"].map(str::to_owned).to_vec();
        args.push(program.path.display().to_string());
        args.append(&mut program.args);
        Program { path: "nsenter".into(), args, ..program }
    }

    /// Takes all the space that is left.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.seen().join("filler")).unwrap();
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    /// Gives it back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.seen().join("filler")).unwrap();
    }
}
