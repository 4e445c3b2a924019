//! Answers to questions about visits: figures, funnels, cohorts, and the events themselves.
//!
//! What the figures mean, after Plausible's Stats API v1 where that says something:
//!
//! * Only events inside `[from, until)` exist. Rows of bots (their agent has a reason for it) and of kinds of traffic
//!   that the question leaves out do not exist either; sessions are made of what is left.
//! * A session is a run of one visitor's events with no gap of more than 30 minutes. Its entry page and everything that
//!   is called `visit:…` is that of its first event; its exit page is that of its last page view, or of its first event
//!   when it has no page view. Events of one visitor in the same millisecond keep the order of the data.
//! * Filters on `event:` properties choose events, the others choose whole sessions. A session counts (visits, bounces,
//!   duration) when it passes and at least one of its events is chosen; a visitor counts when one of its sessions does;
//!   page views and events are the chosen ones.
//! * A bounce is a session of one page view and nothing else. A session's duration is from its first to its last event,
//!   chosen or not.
//! * Grouped by an `event:` property, a session and its visitor count once under each value that a chosen event has.
//!   Events without the custom property that is asked for are in no group; filters see them as empty. Grouped by
//!   another property, everything counts under the session's value. Empty values are a group under the empty name.
//! * Grouped by goal, an event counts under every goal that it fulfils: path goals by page views, event goals by the
//!   event's name.
//! * Grouped by time, events, page views, revenue and visitors count by the event's time; visits, bounces and durations
//!   by the time of the session's first event.
//! * The total is of everything that fits, whether it is in a group or not.
//!
//! How it is done. The filters are tried on every distinct dictionary entry once (`plan`, `set`), and values get codes
//! that hold for all data sets (`names`). Then each of the 256 slices by visitor is worked on alone, on several threads:
//! its rows are gathered out of all data sets and brought into the order of visitors and time (`gather`), parted into
//! sessions (`sessions`) and counted in one walk (`tally`). Visitors of different slices are different ones, so the
//! sums of all slices are the answer. What is live needs no more than that: it is an answer over the last half hour.

mod effort;
mod event;
mod figures;
mod funnel;
mod gather;
mod judged;
mod names;
mod numbers;
mod pattern;
mod plan;
mod retention;
mod scan;
mod sessions;
mod set;
mod spread;
mod tally;
mod walk;

#[cfg(test)]
mod tests;

pub use effort::Effort;
pub use figures::answer;
pub use funnel::funnel;
pub use pattern::fits;
pub use retention::{Cohort, retention};
pub use scan::{Each, scan};
