//! What each real request takes from its visitor's profile.

use std::io::Write;
use std::sync::Arc;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::rng::{Domain, EntryKey, EntryRng};
use trafficlab_engine::traffic::visitor::Profile;
use trafficlab_shared::clock;
use trafficlab_shared::template::Variable;

use crate::io::http::{HeaderSink, Ticket, TicketContent};

/// The visitors of one shard.
pub(crate) struct Visitor {
    content: Arc<Content>,
    seed: u64,
    shard: u32,
}

impl Visitor {
    pub(crate) const fn new(content: Arc<Content>, seed: u64, shard: u32) -> Self {
        Self { content, seed, shard }
    }

    const fn key(&self, ticket: Ticket) -> EntryKey {
        EntryKey { seed: self.seed, shard: self.shard, slot: ticket.slot, k: ticket.k }
    }

    fn profile(&self, ticket: Ticket) -> Profile<'_> {
        self.content.profile(self.key(ticket))
    }
}

impl TicketContent for Visitor {
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>) {
        let mut rng = EntryRng::new(self.key(ticket), Domain::Template);
        let profile = || self.profile(ticket);
        let written = match variable {
            Variable::Sequence => {
                let place = (u128::from(ticket.slot) << 52) | (u128::from(ticket.k) << 20) | u128::from(self.shard);
                write!(out, "{place}")
            }
            Variable::Uuid => {
                let bits = (u128::from(rng.word()) << 64) | u128::from(rng.word());
                let id = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
                write!(out, "{id}")
            }
            Variable::RandomInt(low, high) => {
                let width = high.saturating_sub(low).saturating_add(1);
                write!(out, "{}", low.saturating_add(rng.below(width)))
            }
            Variable::TimestampMs => {
                let ahead = i128::from(ticket.due_ns) - i128::from(clock::boot_ns());
                write!(out, "{}", (i128::from(clock::wall_ns()) + ahead) / 1_000_000)
            }
            Variable::UserAgent => write!(out, "{}", profile().client.user_agent),
            Variable::Ip => write!(out, "{}", profile().ip),
            Variable::Country => write!(out, "{}", profile().country.iso2),
            Variable::City => write!(out, "{}", profile().city.name),
            Variable::Language => write!(out, "{}", profile().language),
            Variable::DeviceModel => write!(out, "{}", profile().client.device.model),
            Variable::Os => write!(out, "{}", profile().client.device.os),
            Variable::Browser => write!(out, "{}", profile().client.browser),
            Variable::UserProfile => write!(out, "{}", profile().user_profile.name),
            // The sender itself knows these.
            Variable::Slot | Variable::Arrival | Variable::Id | Variable::CampaignId | Variable::RunId => Ok(()),
        };
        written.expect("a vector takes every byte");
    }

    fn headers(&self, ticket: Ticket, sink: &mut HeaderSink<'_>) {
        let profile = self.profile(ticket);
        sink.add("User-Agent", &profile.client.user_agent);
        sink.add("Accept-Language", profile.language);
    }
}
