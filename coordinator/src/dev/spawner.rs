//! The one thread that starts children, alive for as long as they are.
//!
//! The kernel ties the parent-death signal to the thread that forked. A thread of the runtime's
//! pool may end at any time and would take the broker with it.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::DevError;

/// Children that may wait to be started; callers wait for each answer, so it is rarely more than one.
const WAITING: usize = 64;

struct Order {
    command: Command,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// A handle of the thread. Children are killed by the kernel once the last handle is gone.
#[derive(Debug, Clone)]
pub(super) struct Spawner {
    orders: mpsc::SyncSender<Order>,
    guard: PathBuf,
}

impl Spawner {
    /// Starts the thread; `guard` is our own program, which knows the `guard` command.
    pub(super) fn start(guard: PathBuf) -> Result<Self, DevError> {
        let (orders, incoming) = mpsc::sync_channel::<Order>(WAITING);
        let runtime = Handle::current();
        let serve = move || {
            let _entered = runtime.enter();
            for mut order in incoming {
                let started = order.command.spawn();
                if let Err(Ok(child)) = order.answer.send(started) {
                    // Nobody waits any more: dropping the child kills it (`kill_on_drop`).
                    drop(child);
                }
            }
        };
        let thread = std::thread::Builder::new().name("dev-spawner".to_owned());
        // The thread ends when the last handle is dropped; there is nothing to join for.
        let started = thread.spawn(serve).map(drop);
        started.map_err(|source| DevError::Spawn { program: guard.clone(), source })?;
        Ok(Self { orders, guard })
    }

    /// A command that runs `program` under the guard, in a process group of its own so that a
    /// Ctrl-C in the terminal reaches us alone and we stop the children in order.
    pub(super) fn guarded(&self, lock: Option<&PathBuf>, program: &PathBuf) -> Command {
        let mut command = Command::new(&self.guard);
        command.arg("guard").arg("--parent").arg(std::process::id().to_string());
        if let Some(lock) = lock {
            command.arg("--lock").arg(lock);
        }
        command.arg("--").arg(program).process_group(0).kill_on_drop(true);
        command
    }

    /// Starts `command` from the thread.
    pub(super) async fn spawn(&self, command: Command) -> Result<Child, DevError> {
        let (answer, started) = oneshot::channel();
        let order = Order { command, answer };
        self.orders.try_send(order).map_err(|_closed| DevError::SpawnerEnded)?;
        let child = started.await.map_err(|_closed| DevError::SpawnerEnded)?;
        child.map_err(|source| DevError::Spawn { program: self.guard.clone(), source })
    }
}
