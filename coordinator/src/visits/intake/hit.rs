//! A visit as its sender tells it, and the same after it was judged and enriched.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use trafficlab_engine::visit::column::Traffic;
use trafficlab_engine::visit::enrich::agent::AgentOwned;
use trafficlab_engine::visit::enrich::page::PageUrl;
use trafficlab_engine::visit::enrich::source::Source;
use trafficlab_engine::visit::record::{Page, Visit};
use trafficlab_shared::clock;

use super::client::Sender;
use super::places::PlaceOwned;
use crate::visits::sites::Site;

/// The name of the event that a page view is.
pub const PAGEVIEW: &str = "pageview";

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Milliseconds of the Unix epoch.
    pub wall_ms: i64,
    /// Nanoseconds since the machine started, for intervals.
    pub boot_ns: u64,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self { wall_ms: super::now_ms(), boot_ns: clock::boot_ns() }
    }
}

/// What a request says about its sender beside its body.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// When the request came.
    pub at: Moment,
    /// The client.
    pub sender: Sender,
    /// `User-Agent`, or nothing.
    pub user_agent: &'a str,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `DNT: 1`.
    pub dnt: bool,
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// `X-Synthetic-Traffic`.
    pub mark: Option<&'a str>,
    /// Why the headers alone tell that nobody looks at the page, such as a prefetch.
    pub unseen: Option<&'static str>,
}

/// A visit whose fields are well formed. Texts are clean and at most 2 KiB long.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The page.
    pub page: PageUrl<'a>,
    /// The site that the sender names; else it is the page's host.
    pub site: Option<Cow<'a, str>>,
    /// Whether the sender says that its pages differ in the fragment.
    pub hash_routing: bool,
    /// The sender's id of the visitor.
    pub user_id: Option<Cow<'a, str>>,
    /// The visitor's `User-Agent` where it is not the request's.
    pub user_agent: Option<&'a str>,
    /// The visitor's address where it is not the client's and the sender may say so.
    pub address: Option<IpAddr>,
    /// The referring page.
    pub referrer: Option<&'a str>,
    /// Name of the event.
    pub event: Cow<'a, str>,
    /// Properties in their canonical form.
    pub props: String,
    /// Revenue in millionths and its currency.
    pub revenue: Option<(i64, &'static str)>,
    /// The sender's id of the event.
    pub event_id: Option<Cow<'a, str>>,
    /// When, where it is not now and the sender may say so.
    pub time_ms: Option<i64>,
}

impl<'a> Hit<'a> {
    /// A page view without anything else.
    #[must_use]
    pub const fn new(page: PageUrl<'a>) -> Self {
        Self {
            page,
            site: None,
            hash_routing: false,
            user_id: None,
            user_agent: None,
            address: None,
            referrer: None,
            event: Cow::Borrowed(PAGEVIEW),
            props: String::new(),
            revenue: None,
            event_id: None,
            time_ms: None,
        }
    }
}

/// A visit that will be stored.
pub struct Admitted<'a> {
    pub(super) hit: Hit<'a>,
    pub(super) site: Arc<Site>,
    pub(super) path: Cow<'a, str>,
    pub(super) agent: Arc<AgentOwned>,
    pub(super) unseen: Option<&'static str>,
    pub(super) place: Arc<PlaceOwned>,
    pub(super) visitor: u64,
    pub(super) event_id: u64,
    pub(super) time_ms: i64,
    pub(super) traffic: Traffic,
    pub(super) campaign: &'a str,
    pub(super) keep_user: bool,
}

impl Admitted<'_> {
    /// How the visitor came.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        Source::of(self.hit.referrer, &self.hit.page.query, &self.site.domain)
    }

    /// The visit to be stored, by somebody who came by `source`.
    #[must_use]
    pub fn visit<'s>(&'s self, source: &'s Source<'s>) -> Visit<'s> {
        let hit = &self.hit;
        let mut agent = self.agent.as_agent();
        if let Some(reason) = self.unseen.filter(|_| agent.bot.is_empty()) {
            agent.bot = reason;
        }
        let (revenue_micros, currency) = hit.revenue.unwrap_or((0, ""));
        Visit {
            time_ms: self.time_ms,
            site: &self.site.domain,
            visitor: self.visitor,
            page: Page { host: &hit.page.host, path: &self.path },
            agent,
            acquisition: source.acquisition(),
            place: self.place.as_place(),
            event: &hit.event,
            props: &hit.props,
            user: if self.keep_user { hit.user_id.as_deref().unwrap_or_default() } else { "" },
            click: source.click(),
            campaign: self.campaign,
            traffic: self.traffic,
            revenue_micros,
            currency,
            event_id: self.event_id,
        }
    }
}
