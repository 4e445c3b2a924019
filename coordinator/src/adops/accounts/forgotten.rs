//! Who asked for a new password: worked off beside the requests, so that no answer tells by its time whether there is such
//! an account. What waits here at the end of the process is lost; people ask again.

use std::net::IpAddr;

use tokio::sync::{Mutex, mpsc};
use trafficlab_shared::config::Config;

use super::{Accounts, Origin, email, reset};
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

/// Requests that may wait.
const WAITING: usize = 1000;

struct Asked {
    /// The address in its one spelling.
    email: String,
    request_id: String,
    address: IpAddr,
}

/// The requests that wait.
pub(super) struct Forgotten {
    asked: mpsc::Sender<Asked>,
    queue: Mutex<mpsc::Receiver<Asked>>,
}

impl Forgotten {
    pub(super) fn new() -> Self {
        let (asked, queue) = mpsc::channel(WAITING);
        Self { asked, queue: Mutex::new(queue) }
    }

    pub(super) async fn run(&self, store: &Store, config: &Config) {
        let mut queue = self.queue.lock().await;
        while let Some(asked) = queue.recv().await {
            let origin = Origin { request_id: &asked.request_id, address: asked.address };
            if let Err(fault) = reset::offer(store, config, &asked.email, &origin).await {
                tracing::warn!(request_id = asked.request_id, %fault, "a mail for a new password was not queued");
            }
        }
    }
}

impl Accounts {
    /// Notes that somebody forgot the password of an account, if there is one.
    ///
    /// # Errors
    /// 503 when too many wait, whoever they are.
    pub fn forgot(&self, name: &str, origin: &Origin<'_>) -> Outcome<()> {
        let (email, request_id) = (email::fold(name), origin.request_id.to_owned());
        let asked = Asked { email, request_id, address: origin.address };
        self.forgotten.asked.try_send(asked).map_err(|_full| Fault {
            retry_after: Some(5),
            ..Fault::new(Code::Unavailable, "Too many people forgot their password")
        })
    }
}
