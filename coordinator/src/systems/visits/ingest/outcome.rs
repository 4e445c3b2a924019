//! Recording one visit and waiting until it is on the disk.

use crate::systems::{Code, Fault};
use crate::visits::Visits;
use crate::visits::intake::{Admitted, Asker, Hit, Reason, Refusal};
use crate::visits::store::{Recorded, Ticket, VisitsError};

/// What became of a well-formed visit.
pub(super) enum Outcome {
    /// It will be durable when the ticket says so.
    Recorded(Ticket),
    /// It is one that is known already.
    Duplicate(Ticket),
    /// It is left out.
    Dropped(Reason),
}

/// Judges and records a visit.
///
/// # Errors
/// 429 for a client that sends too much, 503 when too many visits wait for the disk.
pub(super) fn record<'a>(visits: &Visits, asker: &Asker<'a>, hit: Hit<'a>) -> Result<Outcome, Fault> {
    let admitted: Admitted<'_> = match visits.intake.admit(&visits.sites, asker, hit) {
        Ok(admitted) => admitted,
        Err(Refusal::Dropped(reason)) => return Ok(Outcome::Dropped(reason)),
        Err(Refusal::TooMany(seconds)) => return Err(too_many(seconds)),
    };
    let source = admitted.source();
    match visits.store.record(&admitted.visit(&source)) {
        Recorded::Accepted(ticket) => Ok(Outcome::Recorded(ticket)),
        Recorded::Duplicate(ticket) => Ok(Outcome::Duplicate(ticket)),
        Recorded::Full => Err(VisitsError::Busy.into()),
    }
}

/// A client over its rate.
pub(super) fn too_many(seconds: u32) -> Fault {
    let message = format!("Too many visits from this client; the next one is taken in {seconds} s");
    Fault { retry_after: Some(seconds.max(1)), ..Fault::new(Code::RateLimited, message) }
}
