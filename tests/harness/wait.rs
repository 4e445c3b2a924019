//! Waiting for a condition, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until there is something; panics with `what` when it takes longer than `within`.
pub(crate) async fn eventually<T>(within: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        sleep(LOOK_EVERY).await;
    }
}

/// `eventually` within 30 s, which is long on a busy machine and short for a stuck test.
pub(crate) async fn soon<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually(Duration::from_secs(30), what, look).await
}
