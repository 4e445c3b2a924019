//! Sizes and times of the visit store, and where it reads the clock.

use std::sync::Arc;

use trafficlab_shared::clock;

use super::caps::Caps;

/// Milliseconds of the Unix epoch.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Settings; only tests have others than the default ones.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) clock: Clock,
    /// Rows in the frames being built. Beyond, senders are told to come again.
    pub(crate) most_waiting: usize,
    /// A log with so many rows is sealed: they are some 20 MB in memory, and read at a start in a tenth of a second.
    pub(crate) seal_rows: usize,
    /// A log whose texts take so much memory is sealed.
    pub(crate) seal_text_bytes: usize,
    /// Closed logs that may await their sealing. Beyond, senders are told to come again.
    pub(crate) most_closed: usize,
    /// A site's day with more parts than these is merged, over or not.
    pub(crate) most_parts: usize,
    /// The parts of a day that is over are merged when the youngest is this old, since an import brings many.
    pub(crate) quiet_ms: i64,
    /// Distinct texts of a site, day and dictionary.
    #[cfg(test)]
    pub(crate) most_texts: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(|| i64::try_from(clock::wall_ns() / 1_000_000).unwrap_or(i64::MAX)),
            most_waiting: 64 * 1024,
            seal_rows: 256 * 1024,
            seal_text_bytes: 32 * 1024 * 1024,
            most_closed: 3,
            most_parts: 8,
            quiet_ms: 60_000,
            #[cfg(test)]
            most_texts: None,
        }
    }
}

impl Options {
    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// New bounds of distinct texts.
    #[allow(clippy::unused_self, reason = "tests have smaller bounds")]
    pub(crate) fn caps(&self) -> Caps {
        #[cfg(test)]
        if let Some(most) = self.most_texts {
            return Caps::with_most(most);
        }
        Caps::default()
    }

    pub(crate) fn now_s(&self) -> u32 {
        seconds(self.now_ms())
    }
}

/// Whole seconds; enough until the year 2106.
pub(crate) fn seconds(ms: i64) -> u32 {
    u32::try_from(ms.div_euclid(1000)).unwrap_or(0)
}
