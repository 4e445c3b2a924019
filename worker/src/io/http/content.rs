//! What the caller contributes to each request: values for templates and profile headers.

use trafficlab_shared::target::is_safe_value;
use trafficlab_shared::template::Variable;

use super::Ticket;

/// The content of a request beyond the plan, made by the engine from (seed, shard, slot, k).
pub trait TicketContent {
    /// Appends the value of `variable` for this ticket; slot, arrival and ids are filled in without asking.
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>);

    /// Adds the headers of this ticket, such as the profile's `User-Agent`.
    fn headers(&self, ticket: Ticket, sink: &mut HeaderSink<'_>);

    /// Appends path and query of this ticket in place of the plan's, or leaves `out` alone and says false.
    fn path(&self, _ticket: Ticket, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Appends the body of this ticket in place of the plan's, or leaves `out` alone and says false.
    fn body(&self, _ticket: Ticket, _out: &mut Vec<u8>) -> bool {
        false
    }
}

/// No profile: variables are empty and no header is added.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContent;

impl TicketContent for NoContent {
    fn variable(&self, _variable: Variable, _ticket: Ticket, _out: &mut Vec<u8>) {}

    fn headers(&self, _ticket: Ticket, _sink: &mut HeaderSink<'_>) {}
}

/// Where the headers of one request go. A header the campaign sets itself is left out.
pub struct HeaderSink<'a> {
    out: &'a mut Vec<u8>,
    campaign_names: &'a [String],
    unsafe_value: bool,
}

impl<'a> HeaderSink<'a> {
    pub(crate) const fn new(out: &'a mut Vec<u8>, campaign_names: &'a [String]) -> Self {
        Self { out, campaign_names, unsafe_value: false }
    }

    /// Adds one header line. A value with a line break fails the whole request before it is sent.
    pub fn add(&mut self, name: &str, value: &str) {
        if self.campaign_names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return;
        }
        self.unsafe_value |= !is_safe_value(value.as_bytes());
        for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            self.out.extend_from_slice(part);
        }
    }

    pub(crate) const fn is_safe(&self) -> bool {
        !self.unsafe_value
    }
}
