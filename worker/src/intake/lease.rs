//! Holding a job message: renewed while its shard lives, answered when the log says so.

use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::Acker;
use trafficlab_shared::protocol::report::Delivery;

/// A delivered job message of a running shard.
pub struct Lease {
    acker: Acker,
    /// Which delivery it is.
    pub delivery: Delivery,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Lease").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl Lease {
    /// Takes over a message.
    #[must_use]
    pub const fn new(acker: Acker, delivery: Delivery) -> Self {
        Self { acker, delivery }
    }

    /// Keeps the message from being delivered to others for another `AckWait`.
    pub async fn renew(&self) {
        self.answer(AckKind::Progress).await;
    }

    /// The log has its end: nobody needs the message any more.
    pub async fn done(&self) {
        self.answer(AckKind::Ack).await;
    }

    /// The log says it was given back: deliver it to somebody else.
    pub async fn give_back(&self) {
        self.answer(AckKind::Nak(None)).await;
    }

    /// An answer that is lost only means that the message comes again and the log decides.
    async fn answer(&self, kind: AckKind) {
        if let Err(error) = self.acker.ack_with(kind).await {
            tracing::warn!(sequence = self.delivery.sequence, %error, "job message could not be answered");
        }
    }
}
