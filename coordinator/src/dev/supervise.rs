//! Keeping one child running until it is told to stop.

use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;
use trafficlab_shared::clock;

use super::child::{RestartBudget, end_of, terminate};
use super::error::DevError;

/// A program that can be started again and again.
pub(super) trait Launch: Send + Sync + 'static {
    /// What log lines call it.
    fn name(&self) -> &str;
    /// Starts it and waits until it is of use.
    fn launch(&self) -> impl Future<Output = Result<Child, DevError>> + Send;
}

/// Set to true once; every copy of the receiver sees it.
pub(super) type Stop = watch::Receiver<bool>;

/// Waits for the word to stop; a sender that is gone is such a word too.
async fn stopped(stop: &mut Stop) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the development cluster is gone, so its children stop");
    }
}

/// Watches `child`, starts it again when it ends by itself, and stops it on request. The process id
/// of the running child is in `pid`; `None` means that it is being started again.
pub(super) async fn supervise<L: Launch>(launch: L, first: Child, pid: watch::Sender<Option<u32>>, mut stop: Stop) {
    let mut budget = RestartBudget::default();
    let mut child = first;
    loop {
        pid.send_replace(child.id());
        tokio::select! {
            () = stopped(&mut stop) => return terminate(launch.name(), &mut child).await,
            end = child.wait() => {
                tracing::error!(child = launch.name(), status = %end_of(end), "ended by itself");
            }
        }
        pid.send_replace(None);
        let next = tokio::select! {
            () = stopped(&mut stop) => None,
            next = restart(&launch, &mut budget) => Some(next),
        };
        let Some(next) = next else { return };
        child = next;
    }
}

async fn restart<L: Launch>(launch: &L, budget: &mut RestartBudget) -> Child {
    loop {
        let pause = budget.pause(Duration::from_nanos(clock::boot_ns()));
        let milliseconds = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(child = launch.name(), pause_ms = milliseconds, "starting again after a pause");
        tokio::time::sleep(pause).await;
        match launch.launch().await {
            Ok(child) => return child,
            Err(error) => {
                tracing::error!(child = launch.name(), %error, "could not be started again")
            }
        }
    }
}
