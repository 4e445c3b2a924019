//! What turns due arrivals into results: drawn or really sent.

use trafficlab_shared::protocol::report::Cursor;

use super::clock::ShardClock;
use super::gather::Gather;

/// A kind of generation, driven by one shard on one lane.
pub(crate) trait Source {
    /// Whether it must be woken at every due moment; otherwise it catches up at each tick.
    const PACED: bool;
    /// Longest time between records, in nanoseconds, even when nothing happened.
    const KEEP_ALIVE_NS: Option<u64>;

    /// Takes an arrival that is due, or one again that an earlier owner left open.
    fn take(&mut self, at: Cursor, due_active: u64, clock: &ShardClock, gather: &mut Gather);

    /// Moves finished requests into `gather`.
    fn collect(&mut self, clock: &ShardClock, gather: &mut Gather);

    /// Arrivals taken and not finished, ascending.
    fn open(&self) -> Vec<Cursor>;

    /// Whether nothing is open.
    fn is_idle(&self) -> bool;

    /// Comes back when something has finished.
    fn progressed(&self) -> impl Future<Output = ()>;

    /// A record sent at this boot time is in the log: the right to send is renewed.
    fn confirmed(&mut self, sent_at_boot: u64);

    /// Ends sending. Open requests get `grace_ns`; what is open after that stays open when
    /// `keep_open`, else it becomes an aborted entry or, when never sent, a dropped arrival.
    fn close(
        &mut self,
        grace_ns: u64,
        keep_open: bool,
        clock: &ShardClock,
        gather: &mut Gather,
    ) -> impl Future<Output = ()>;
}
