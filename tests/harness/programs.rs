//! Where the programs under test and the broker are.

use std::env;
use std::path::{Path, PathBuf};

/// The coordinator's binary.
pub(crate) fn coordinator() -> PathBuf {
    beside("trafficlab-coordinator")
}

/// The worker's binary.
pub(crate) fn worker() -> PathBuf {
    beside("trafficlab-worker")
}

/// Binaries lie in the parent of the folder that this test's executable lies in.
fn beside(name: &str) -> PathBuf {
    let own = env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join(name);
    assert!(program.is_file(), "{} is missing: run `cargo build --workspace --bins` first", program.display());
    program
}

/// A broker program: named by the environment, on PATH, or in the project's `.tools/bin`.
pub(crate) fn nats_server() -> PathBuf {
    if let Some(named) = env::var_os("TRAFFICLAB_NATS_SERVER").filter(|path| !path.is_empty()) {
        return PathBuf::from(named);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_tools = here.ancestors().map(|folder| folder.join(".tools/bin"));
    let mut candidates = in_tools.chain(env::split_paths(&path)).map(|folder| folder.join("nats-server"));
    candidates.find(|program| program.is_file()).expect("a nats-server: run `scripts/test`, which installs one")
}

/// A port nobody listens on, outside the range the system gives to outgoing connections, so that a
/// process which is down for a while finds its port free when it comes back.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static TRIED: AtomicU32 = AtomicU32::new(0);
    for _ in 0..2000 {
        let step = TRIED.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(61).wrapping_add(step) % 12_000;
        let port = 20_000 + u16::try_from(place).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from 20000 to 32000");
}
