//! What goes into the pool and what comes out.

use trafficlab_shared::model::error_kind::ErrorKind;

/// One arrival that is due: send it now, or as soon as a connection is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Second of active time.
    pub slot: u32,
    /// Number within the slot and shard.
    pub k: u32,
    /// The intended moment, boot-time nanoseconds.
    pub due_ns: u64,
}

/// What became of an offered ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    /// It waits or is being sent; a [`Done`] or a return at close will follow.
    Queued,
    /// The queue was at its cap; nothing will follow.
    Dropped,
}

/// One finished request. Times are boot-time nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Second of active time.
    pub slot: u32,
    /// Number within the slot and shard.
    pub k: u32,
    /// The intended moment: response time counts from here.
    pub due_ns: u64,
    /// The moment of the first write, or of the attempt when nothing could be written: service time counts from here.
    pub sent_ns: u64,
    /// The moment the response was whole or the request failed.
    pub done_ns: u64,
    /// Status code of the last response, 0 without one.
    pub status: u16,
    /// Bytes received, heads and bodies of every hop.
    pub bytes_in: u64,
    /// Bytes written, of every hop and attempt; 0 means that nothing went out.
    pub bytes_out: u64,
    /// How often it was written: 2 when a kept connection turned out to be closed.
    pub attempts: u8,
    /// Why it failed, or `None`.
    pub error: ErrorKind,
    /// 2xx or 3xx, or what the response checks said where there are some.
    pub success: bool,
    /// The response's body, as far as `PlanSpec::keep_body` keeps it.
    pub body: Option<Box<[u8]>>,
}
