//! Figures of this process from `/proc`; what cannot be read is 0.

use std::time::Duration;

/// Figures of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ProcessFigures {
    /// Mean share of one core since the start, in percent.
    pub(crate) cpu_percent: f64,
    /// Processor seconds since the start.
    pub(crate) cpu_seconds: f64,
    /// Resident bytes.
    pub(crate) rss_bytes: u64,
    /// Resident share of the machine's memory, in percent.
    pub(crate) memory_percent: f64,
    /// Threads.
    pub(crate) threads: u64,
    /// Open files.
    pub(crate) open_files: u64,
}

/// Reads the figures; `uptime` is the time since the process began to serve.
pub(crate) fn figures(uptime: Duration) -> ProcessFigures {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let rss_kb = number(&status, "VmRSS:");
    let total_kb = number(&memory, "MemTotal:");
    let cpu_seconds = cpu_seconds();
    let open_files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    ProcessFigures {
        cpu_percent: share(cpu_seconds, uptime.as_secs_f64()),
        cpu_seconds,
        rss_bytes: rss_kb * 1024,
        memory_percent: share(float(rss_kb), float(total_kb)),
        threads: number(&status, "Threads:"),
        open_files: u64::try_from(open_files).unwrap_or(0),
    }
}

use crate::systems::time::float;

fn share(part: f64, whole: f64) -> f64 {
    crate::systems::time::round3(100.0 * crate::systems::time::ratio(part, whole))
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn cpu_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
    let ns = u64::try_from(used.tv_nsec).unwrap_or(0);
    float(seconds) + float(ns) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_figures() {
        let found = figures(Duration::from_secs(10));
        assert!(found.rss_bytes > 100_000 && found.threads >= 1 && found.open_files >= 3, "{found:?}");
        assert!(found.memory_percent > 0.0 && found.memory_percent < 100.0, "{found:?}");
    }
}
