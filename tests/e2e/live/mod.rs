//! Capture jobs on real workers, asked for by a scripted coordinator: live captures and files.

mod captures;
mod files;
mod peer;

use std::process::Command;

/// Whether this machine lets us capture; else the test is skipped and says so.
pub(super) fn can_capture() -> bool {
    let able = rustix::process::geteuid().is_root() && has_net_raw();
    if !able {
        crate::harness::skipped("capturing needs root with CAP_NET_RAW");
    }
    able
}

/// Whether a program is there and ends well.
fn runs(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

/// Whether this process has CAP_NET_RAW, bit 13.
fn has_net_raw() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|set| set & (1 << 13) != 0)
}
