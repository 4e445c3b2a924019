//! What became of each visit of a batch.

use std::fmt::Write;

use serde_json::json;

use crate::systems::Fault;
use crate::visits::intake::Reason;
use crate::visits::store::{Ticket, VisitStore};

/// What became of one visit.
pub(super) enum Verdict {
    /// It is stored once the ticket says so.
    Accepted(Ticket),
    /// Its event id is known.
    Duplicate(Ticket),
    /// It is left out.
    Dropped(Reason),
    /// It is wrong.
    Rejected(Fault),
    /// The client sends too much; seconds until the next one is taken.
    Limited(u32),
    /// Too many visits wait for the disk.
    Busy,
}

/// The verdicts of a batch.
pub(super) struct Tally {
    /// Whether the accepted ones are listed too.
    all: bool,
    accepted: u64,
    duplicate: u64,
    dropped: u64,
    rejected: u64,
    /// The index of each visit that waits for the disk, and whether its event id was known.
    tickets: Vec<(usize, bool, Ticket)>,
    /// Index, word, and what belongs to it.
    results: Vec<(usize, &'static str, Option<Fault>, Option<Reason>)>,
}

impl Tally {
    pub(super) fn new(all: bool) -> Self {
        let (tickets, results) = (Vec::new(), Vec::new());
        Self { all, accepted: 0, duplicate: 0, dropped: 0, rejected: 0, tickets, results }
    }

    pub(super) fn add(&mut self, index: usize, verdict: Verdict) {
        let result = match verdict {
            Verdict::Accepted(ticket) => {
                self.accepted += 1;
                self.tickets.push((index, false, ticket));
                if !self.all {
                    return;
                }
                (index, "accepted", None, None)
            }
            Verdict::Duplicate(ticket) => {
                self.duplicate += 1;
                self.tickets.push((index, true, ticket));
                (index, "duplicate", None, None)
            }
            Verdict::Dropped(reason) => {
                self.dropped += 1;
                (index, "dropped", None, Some(reason))
            }
            Verdict::Rejected(fault) => {
                self.rejected += 1;
                (index, "rejected", Some(fault), None)
            }
            Verdict::Limited(seconds) => {
                self.rejected += 1;
                (index, "rejected", Some(super::outcome::too_many(seconds)), None)
            }
            Verdict::Busy => {
                self.rejected += 1;
                (index, "rejected", Some(crate::visits::store::VisitsError::Busy.into()), None)
            }
        };
        self.results.push(result);
    }

    /// Waits until every accepted visit is on the disk; answers the number of visits after the last of them. A large
    /// batch may be in several frames: visits of one that could not be written become rejected ones, so that the sender
    /// knows which to send again.
    ///
    /// # Errors
    /// When nothing at all could be written, or every visit was turned away for now: the sender may send it all again.
    pub(super) async fn settle(&mut self, store: &VisitStore) -> Result<u64, Fault> {
        let mut count = store.counts().total;
        let mut failed: Vec<(usize, Fault)> = Vec::new();
        for (index, known, ticket) in std::mem::take(&mut self.tickets) {
            match store.durable(&ticket).await {
                Ok(total) => count = count.max(total),
                Err(error) => {
                    let tally = if known { &mut self.duplicate } else { &mut self.accepted };
                    *tally = tally.saturating_sub(1);
                    self.rejected += 1;
                    failed.push((index, error.into()));
                }
            }
        }
        let nothing = self.accepted + self.duplicate + self.dropped == 0;
        if let (true, Some(fault)) = (nothing, self.all_turned_away()) {
            return Err(fault);
        }
        if let (true, Some((_, fault))) = (nothing, failed.first()) {
            return Err(fault.clone());
        }
        // Indexes were given out in order.
        self.results.retain(|result| failed.binary_search_by_key(&result.0, |(index, _)| *index).is_err());
        self.results.extend(failed.into_iter().map(|(index, fault)| (index, "rejected", Some(fault), None)));
        Ok(count)
    }

    /// Why, when that is only for a moment and the same for all.
    fn all_turned_away(&self) -> Option<Fault> {
        let for_now = |fault: &&Fault| fault.retry_after.is_some();
        let faults: Option<Vec<&Fault>> =
            self.results.iter().map(|(_, _, fault, _)| fault.as_ref().filter(for_now)).collect();
        faults?.into_iter().max_by_key(|fault| fault.retry_after).cloned()
    }

    /// The body of the answer, with the visits that were not accepted in the order they were sent.
    pub(super) fn rendered(mut self, count: u64) -> String {
        self.results.sort_unstable_by_key(|result| result.0);
        let mut text = format!(
            r#"{{"success":{},"accepted":{},"rejected":{},"duplicate":{},"dropped":{},"visit_count":{count},"results":["#,
            self.rejected == 0,
            self.accepted,
            self.rejected,
            self.duplicate,
            self.dropped,
        );
        for (at, (index, status, fault, reason)) in self.results.iter().enumerate() {
            let mut result = json!({"index": index, "status": status});
            if let (Some(fault), Some(members)) = (fault, result.as_object_mut()) {
                members.insert("code".to_owned(), fault.code.as_str().into());
                members.insert("error".to_owned(), fault.message.as_str().into());
                members.insert("details".to_owned(), json!(fault.details));
            }
            if let (Some(reason), Some(members)) = (reason, result.as_object_mut()) {
                members.insert("reason".to_owned(), reason.as_str().into());
            }
            let comma = if at == 0 { "" } else { "," };
            // Writing into a string cannot fail.
            write!(text, "{comma}{result}").unwrap_or_default();
        }
        text.push_str("]}");
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_batch_that_is_turned_away_as_a_whole_says_when_to_come_back() {
        let mut tally = Tally::new(false);
        assert!(tally.all_turned_away().is_none());
        tally.add(0, Verdict::Limited(4));
        tally.add(1, Verdict::Limited(9));
        assert_eq!(tally.all_turned_away().unwrap().retry_after, Some(9));
        tally.add(2, Verdict::Rejected(Fault::field("user_id", "is required")));
        assert!(tally.all_turned_away().is_none());
    }

    #[test]
    fn what_was_not_accepted_is_listed_in_order() {
        let mut tally = Tally::new(false);
        tally.add(3, Verdict::Dropped(Reason::Dnt));
        tally.add(1, Verdict::Rejected(Fault::field("user_id", "is required")));
        tally.add(2, Verdict::Limited(4));
        let body: Value = serde_json::from_str(&tally.rendered(7)).unwrap();
        assert_eq!((&body["success"], &body["rejected"], &body["dropped"]), (&json!(false), &json!(2), &json!(1)));
        assert_eq!(body["visit_count"], 7);
        let index: Vec<_> = body["results"].as_array().unwrap().iter().map(|result| &result["index"]).collect();
        assert_eq!(index, [1, 2, 3]);
        assert_eq!(body["results"][0]["details"][0]["field"], "user_id");
        assert_eq!(body["results"][1]["code"], "rate_limited");
        assert_eq!(body["results"][2]["reason"], "dnt");
    }
}
