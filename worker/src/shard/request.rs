//! What each real request takes from its visitor's profile.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::sync::Arc;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::fill;
use trafficlab_engine::traffic::rng::{Domain, EntryKey, EntryRng};
use trafficlab_engine::traffic::session::Visit;
use trafficlab_engine::traffic::visitor::Profile;
use trafficlab_shared::clock;
use trafficlab_shared::target::{Scheme, TargetUrl};
use trafficlab_shared::template::Variable;

use super::csv::CsvTable;
use crate::io::http::{HeaderSink, Ticket, TicketContent};

/// The visitors of one shard.
pub(crate) struct Visitor {
    content: Arc<Content>,
    seed: u64,
    shard: u32,
    target: Option<Target>,
    table: Option<Rows>,
    /// Room for a `Referer`, so that none is made for each request.
    referer: RefCell<Vec<u8>>,
}

/// What matters of the place that requests go to.
struct Target {
    /// `scheme://host`, with the port unless it is the usual one.
    root: String,
    path: String,
    /// Whether the pages of the sessions take the place of the path.
    is_root: bool,
    /// Whether browsers send client hints there: only over TLS or to the machine itself.
    is_secure: bool,
    /// Whether a person would navigate like this.
    is_page: bool,
}

/// A table, and the row that the ticket last asked about has taken.
struct Rows {
    table: Arc<CsvTable>,
    last: Cell<Option<(u32, u32, usize)>>,
}

impl Visitor {
    pub(crate) const fn new(content: Arc<Content>, seed: u64, shard: u32) -> Self {
        Self { content, seed, shard, target: None, table: None, referer: RefCell::new(Vec::new()) }
    }

    /// Requests look as they do on the way to `url`.
    pub(crate) fn with_target(self, url: &TargetUrl, method: &str) -> Self {
        let local = url.host == "localhost" || url.literal_address().is_some_and(|address| address.is_loopback());
        let constant = !url.path_and_query.contains("{{");
        let target = Target {
            root: format!("{}://{}", url.scheme.as_str(), url.authority()),
            path: if constant { url.path_and_query.clone() } else { "/".to_owned() },
            is_root: url.path_and_query == "/",
            is_secure: url.scheme == Scheme::Https || local,
            is_page: matches!(method, "GET" | "HEAD"),
        };
        Self { target: Some(target), ..self }
    }

    /// Every request takes the table's next row; what it writes again, as for a redirect, may take another.
    pub(crate) fn with_table(self, table: Arc<CsvTable>) -> Self {
        Self { table: Some(Rows { table, last: Cell::new(None) }), ..self }
    }

    const fn key(&self, ticket: Ticket) -> EntryKey {
        EntryKey { seed: self.seed, shard: self.shard, slot: ticket.slot, k: ticket.k }
    }

    fn profile(&self, ticket: Ticket) -> Profile<'_> {
        self.content.profile(self.key(ticket))
    }

    /// Where the request goes, unless the plan's own path says it.
    fn page<'a>(&self, profile: &Profile<'a>) -> Option<(&Target, Visit<'a>)> {
        let target = self.target.as_ref().filter(|target| target.is_root)?;
        profile.visit.filter(Visit::has_path).map(|visit| (target, visit))
    }

    /// Appends the URL of the page before; nothing on a session's first page.
    fn write_referer(&self, profile: &Profile<'_>, out: &mut Vec<u8>) {
        if let Some((target, visit)) = self.page(profile)
            && let Some(previous) = visit.previous()
        {
            out.extend_from_slice(target.root.as_bytes());
            previous.write_path(out, profile);
        }
    }

    fn write_path(&self, profile: &Profile<'_>, out: &mut Vec<u8>) {
        match (self.page(profile), &self.target) {
            (Some((_, visit)), _) => {
                visit.write_path(out, profile);
            }
            (None, Some(target)) => out.extend_from_slice(target.path.as_bytes()),
            (None, None) => out.push(b'/'),
        }
    }

    fn write_cell(&self, column: &str, ticket: Ticket, out: &mut Vec<u8>) {
        let Some(rows) = &self.table else {
            return;
        };
        let row = match rows.last.get() {
            Some((slot, k, row)) if (slot, k) == (ticket.slot, ticket.k) => row,
            _ => rows.table.next_row(),
        };
        rows.last.set(Some((ticket.slot, ticket.k, row)));
        out.extend_from_slice(rows.table.cell(row, column).as_bytes());
    }

    fn write_of_visitor(&self, variable: Variable, ticket: Ticket, stream: &mut EntryRng, out: &mut Vec<u8>) {
        let profile = self.profile(ticket);
        match variable {
            Variable::Path => self.write_path(&profile, out),
            Variable::Referer => self.write_referer(&profile, out),
            other => {
                let page_number = profile.visit.map_or(1, |visit| visit.page_number());
                fill::write(out, other, &profile, page_number, stream);
            }
        }
    }
}

impl TicketContent for Visitor {
    fn variable(&self, variable: Variable, ticket: Ticket, out: &mut Vec<u8>) {
        let mut stream = EntryRng::new(self.key(ticket), Domain::Template);
        let written = match variable {
            Variable::Sequence => {
                let place = (u128::from(ticket.slot) << 52) | (u128::from(ticket.k) << 20) | u128::from(self.shard);
                write!(out, "{place}")
            }
            Variable::Uuid => {
                fill::push_uuid(out, stream.word(), stream.word());
                Ok(())
            }
            Variable::RandomInt(low, high) => write!(out, "{}", fill::between(low, high, &mut stream)),
            Variable::TimestampMs => {
                let ahead = i128::from(ticket.due_ns) - i128::from(clock::boot_ns());
                write!(out, "{}", (i128::from(clock::wall_ns()) + ahead) / 1_000_000)
            }
            Variable::Csv(column) => {
                self.write_cell(column.as_str(), ticket, out);
                Ok(())
            }
            // The sender itself knows these.
            Variable::Slot | Variable::Arrival | Variable::Id | Variable::CampaignId | Variable::RunId => Ok(()),
            other => {
                self.write_of_visitor(other, ticket, &mut stream, out);
                Ok(())
            }
        };
        written.expect("a vector takes every byte");
    }

    fn headers(&self, ticket: Ticket, sink: &mut HeaderSink<'_>) {
        let profile = self.profile(ticket);
        let client = profile.client;
        sink.add("User-Agent", &client.user_agent);
        sink.add("Accept-Language", profile.accept_language);
        let Some(target) = &self.target else {
            return;
        };
        sink.add("Accept", if target.is_page { client.headers.accept } else { "*/*" });
        if let Some(hints) = client.headers.hints.as_ref().filter(|_| target.is_secure) {
            sink.add("Sec-CH-UA", &hints.brands);
            sink.add("Sec-CH-UA-Mobile", hints.mobile);
            sink.add("Sec-CH-UA-Platform", &hints.platform);
        }
        let mut referer = self.referer.borrow_mut();
        referer.clear();
        self.write_referer(&profile, &mut referer);
        if let Some(referer) = std::str::from_utf8(&referer).ok().filter(|referer| !referer.is_empty()) {
            sink.add("Referer", referer);
        }
    }

    fn path(&self, ticket: Ticket, out: &mut Vec<u8>) -> bool {
        if !self.content.has_pages() || !self.target.as_ref().is_some_and(|target| target.is_root) {
            return false;
        }
        let profile = self.profile(ticket);
        self.page(&profile).is_some_and(|(_, visit)| visit.write_path(out, &profile))
    }
}

#[cfg(test)]
mod tests;
