//! Faults on demand, so that tests can see what a broken generator does; not in release builds.

use std::sync::atomic::{AtomicU32, Ordering};

/// `panic:<shard>[:<times>]`; without `times` it never ends. `hold:export`: an export stops after its first piece.
const VARIABLE: &str = "TRAFFICLAB_FAULT";

static STRUCK: AtomicU32 = AtomicU32::new(0);

/// Panics when the environment asks for it.
#[allow(clippy::panic, reason = "what was asked for")]
pub(crate) fn strike(shard: u32) {
    let Ok(wish) = std::env::var(VARIABLE) else {
        return;
    };
    if wanted(&wish, shard).is_some_and(|times| STRUCK.fetch_add(1, Ordering::Relaxed) < times) {
        panic!("asked for by {VARIABLE}");
    }
}

/// Whether the environment asks for exports that go no further than their first piece.
pub(crate) fn holds_exports() -> bool {
    std::env::var(VARIABLE).is_ok_and(|wish| wish == "hold:export")
}

/// How many panics the wish has for this shard.
fn wanted(wish: &str, shard: u32) -> Option<u32> {
    let mut parts = wish.strip_prefix("panic:")?.split(':');
    let named: u32 = parts.next()?.parse().ok()?;
    let times = parts.next().map_or(Some(u32::MAX), |times| times.parse().ok())?;
    (named == shard).then_some(times)
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn wishes_name_a_shard_and_how_often() {
        assert_eq!(wanted("panic:3", 3), Some(u32::MAX));
        assert_eq!(wanted("panic:0:2", 0), Some(2));
        for other in ["panic:3", "panic:x", "", "panic:1:x"] {
            assert_eq!(wanted(other, 1), None, "{other}");
        }
    }
}
