//! A visitor's events, parted into sessions.

use super::event::Event;
use super::plan::mark;
use crate::visit::question::SESSION_GAP_MS;

/// A run of one visitor's events without a gap of more than 30 minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) events: &'a [Event],
    /// The last page view, or the first event when there is no page view.
    pub(super) exit: Event,
    pub(super) first: Event,
    last_ms: i64,
    pageviews: u32,
    /// How many events are chosen, and how many of them are page views.
    pub(super) chosen: u32,
    pub(super) chosen_pageviews: u32,
    /// Whether a chosen event has revenue.
    pub(super) pays: bool,
}

impl<'a> Session<'a> {
    pub(super) fn duration_ms(&self) -> u64 {
        u64::try_from(self.last_ms.saturating_sub(self.first.time_ms)).unwrap_or(0)
    }

    /// Whether it is one page view and nothing else.
    pub(super) const fn is_bounce(&self) -> bool {
        self.events.len() == 1 && self.pageviews == 1
    }

    /// Its events on which the filters hold.
    pub(super) fn chosen(&self) -> impl Iterator<Item = Event> + use<'a> {
        self.events.iter().copied().filter(|event| event.is_chosen())
    }

    /// The session at the front of a visitor's events, whether it counts or not.
    fn first_of(events: &'a [Event]) -> Option<Self> {
        let first = *events.first()?;
        let mut session = Self {
            events,
            exit: first,
            first,
            last_ms: first.time_ms,
            pageviews: 0,
            chosen: 0,
            chosen_pageviews: 0,
            pays: false,
        };
        let mut count = 0;
        for event in events {
            if event.time_ms.saturating_sub(session.last_ms) > SESSION_GAP_MS {
                break;
            }
            session.last_ms = event.time_ms;
            count += 1;
            let (viewed, chosen) = (event.has(mark::PAGEVIEW), event.is_chosen());
            if viewed {
                session.exit = *event;
            }
            session.pageviews += u32::from(viewed);
            session.chosen += u32::from(chosen);
            session.chosen_pageviews += u32::from(viewed & chosen);
            session.pays |= chosen & (event.money() != 0);
        }
        session.events = events.get(..count)?;
        Some(session)
    }
}

/// The sessions that count: those on which the filters hold and of which at least one event is chosen. `events` are
/// all of one visitor, in the order of time.
pub(super) fn sessions(events: &[Event]) -> impl Iterator<Item = Session<'_>> {
    let mut rest = events;
    let all = std::iter::from_fn(move || {
        let session = Session::first_of(rest)?;
        rest = rest.get(session.events.len()..)?;
        Some(session)
    });
    all.filter(|session| session.chosen > 0 && session.first.has(mark::SESSION) && session.exit.has(mark::EXIT))
}
