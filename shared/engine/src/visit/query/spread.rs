//! Work shared out over threads.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::effort::Effort;
use crate::visit::data::DataFault;

/// Does `work` for every number below `count` on the threads that `how` allows, the caller's one among them. Each
/// thread has a state of its own made by `make`; they come back in no order. The first failure ends the work.
///
/// # Errors
/// `Stopped`, and what `work` says.
pub(super) fn spread<T: Send>(
    how: &Effort<'_>,
    count: usize,
    make: impl Fn() -> T + Sync,
    work: impl Fn(&mut T, usize) -> Result<(), DataFault> + Sync,
) -> Result<Vec<T>, DataFault> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let run = || {
        let mut state = make();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || failed.load(Ordering::Relaxed) {
                return Ok(state);
            }
            if let Err(fault) = how.go_on().and_then(|()| work(&mut state, number)) {
                failed.store(true, Ordering::Relaxed);
                return Err(fault);
            }
        }
    };
    thread::scope(|scope| {
        // Where the system gives no further thread, those that there are do the work.
        let helpers: Vec<_> = (1..how.threads.get().min(count))
            .map_while(|_| thread::Builder::new().name("question".to_owned()).spawn_scoped(scope, run).ok())
            .collect();
        let own = run();
        let others = helpers.into_iter().map(|helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        others.chain([own]).collect()
    })
}
