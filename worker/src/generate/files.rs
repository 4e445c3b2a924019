//! Whether this process may open as many connections as were asked for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files of the process itself: standard streams, signals, the collector's runtime, reports.
const OWN: u64 = 20;
/// Open files of a thread besides its connections: runtime, timer, what it reads of the system.
const PER_THREAD: u64 = 8;

/// Raises the limit of open files as far as it takes. Without this a refusal of our own system would be counted as a
/// failure of the target.
///
/// # Errors
/// A sentence when more are needed than the system lets this process have.
pub(super) fn provide(connections: usize, threads: u32) -> Result<(), String> {
    let connections = u64::try_from(connections).unwrap_or(u64::MAX);
    let needed = connections.saturating_add(OWN + PER_THREAD * u64::from(threads));
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(most) = limit.maximum.filter(|most| *most < needed) {
        return Err(format!(
            "`--connections {connections}` needs {needed} open files and this process may have {most}; raise `ulimit -n`"
        ));
    }
    let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).map_err(|error| format!("the limit of open files cannot be raised: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn what_is_enough_stays_and_what_is_too_much_is_named() {
        let before = getrlimit(Resource::Nofile);
        provide(1, 1).unwrap();
        assert_eq!(getrlimit(Resource::Nofile), before);
        if before.maximum.is_some() {
            assert!(provide(usize::MAX, 1).unwrap_err().contains("ulimit -n"));
        }
        let Some(current) = before.current.filter(|current| before.maximum.is_none_or(|most| most > current + 100))
        else {
            return;
        };
        provide(usize::try_from(current).unwrap(), 1).unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(current + OWN + PER_THREAD));
    }
}
