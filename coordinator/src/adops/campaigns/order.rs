//! In which order campaigns are listed.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::adops::book::Entry;
use crate::systems::time::float;
use crate::systems::{Fault, Outcome};

/// What campaigns can be sorted by, by its word.
const SORTS: [(&str, By); 13] = [
    ("name", By::Name),
    ("spend", By::Spend),
    ("roas", By::Roas),
    ("created_at", By::Created),
    ("updated_at", By::Updated),
    ("start_date", By::Start),
    ("daily_budget", By::DailyBudget),
    ("impressions", By::Impressions),
    ("clicks", By::Clicks),
    ("conversions", By::Conversions),
    ("revenue", By::Revenue),
    ("ctr", By::Ctr),
    ("cpa", By::Cpa),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Spend,
    Roas,
    Created,
    Updated,
    Start,
    DailyBudget,
    Impressions,
    Clicks,
    Conversions,
    Revenue,
    Ctr,
    Cpa,
}

/// An order of campaigns. Those without the value come last, equal ones by their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    by: By,
    descending: bool,
}

/// What a campaign is compared by.
enum Key<'a> {
    Text(&'a str),
    Number(f64),
    Moment(u64),
    Nothing,
}

impl Order {
    /// Reads the two parameters. Without a word the newest come first; names rise and all else falls unless said.
    ///
    /// # Errors
    /// 400 naming the one that is unknown.
    pub fn read(sort_by: Option<&str>, sort_order: Option<&str>) -> Outcome<Self> {
        let word = sort_by.unwrap_or("created_at");
        let Some((_, by)) = SORTS.iter().find(|(known, _)| *known == word) else {
            let known: Vec<&str> = SORTS.iter().map(|(known, _)| *known).collect();
            return Err(Fault::field("sort_by", format!("must be one of {}", known.join(", "))));
        };
        let descending = match sort_order {
            Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Fault::field("sort_order", "must be asc or desc")),
            None => *by != By::Name,
        };
        Ok(Self { by: *by, descending })
    }

    /// Sorts campaigns that come by their id.
    #[must_use]
    pub fn sort<'a>(self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> Vec<&'a Arc<Entry>> {
        let mut keyed: Vec<_> = entries.enumerate().map(|(place, entry)| (self.key(entry), place, entry)).collect();
        keyed.sort_unstable_by(|one, other| self.compare(&one.0, &other.0).then(one.1.cmp(&other.1)));
        keyed.into_iter().map(|(_, _, entry)| entry).collect()
    }

    fn compare(self, one: &Key<'_>, other: &Key<'_>) -> Ordering {
        let risen = match (one, other) {
            (Key::Nothing, Key::Nothing) => return Ordering::Equal,
            (Key::Nothing, _) => return Ordering::Greater,
            (_, Key::Nothing) => return Ordering::Less,
            (Key::Text(one), Key::Text(other)) => one.cmp(other),
            (Key::Number(one), Key::Number(other)) => one.total_cmp(other),
            (Key::Moment(one), Key::Moment(other)) => one.cmp(other),
            // All keys of one order are of one kind.
            _ => Ordering::Equal,
        };
        if self.descending { risen.reverse() } else { risen }
    }

    fn key(self, entry: &Entry) -> Key<'_> {
        let (campaign, totals) = (&entry.campaign, &entry.totals);
        let money = |minor| Key::Number(campaign.currency.major(minor));
        let count = |count| Key::Number(float(count));
        // Unrounded, so that campaigns that differ in a later digit do not count as equal.
        let ratio = |above: f64, below: u64| if below == 0 { Key::Nothing } else { Key::Number(above / float(below)) };
        match self.by {
            By::Name => Key::Text(&entry.folded),
            By::Created => Key::Moment(campaign.created_ns),
            By::Updated => Key::Moment(campaign.updated_ns),
            By::Start => campaign.start.map_or(Key::Nothing, |day| Key::Number(f64::from(day.0))),
            By::DailyBudget => campaign.daily_budget.map_or(Key::Nothing, money),
            By::Spend => money(totals.spend),
            By::Revenue => money(totals.revenue),
            By::Impressions => count(totals.impressions),
            By::Clicks => count(totals.clicks),
            By::Conversions => count(totals.conversions_milli),
            By::Roas => ratio(float(totals.revenue), totals.spend),
            By::Ctr => ratio(float(totals.clicks), totals.impressions),
            By::Cpa => ratio(campaign.currency.major(totals.spend), totals.conversions_milli),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::super::samples::{entry, sample};
    use super::*;

    fn ids(order: Order, entries: &[Arc<Entry>]) -> Vec<u64> {
        order.sort(entries.iter()).iter().map(|entry| entry.campaign.id.get()).collect()
    }

    #[test]
    fn nothing_comes_last_and_equals_by_id() {
        let roas = [None, Some(2), Some(3), None, Some(2)];
        let entries: Vec<Arc<Entry>> = (1..)
            .zip(roas)
            .map(|(id, roas)| {
                let mut made = entry(sample(id, "x"));
                made.totals.spend = u64::from(roas.is_some());
                made.totals.revenue = roas.unwrap_or(0);
                Arc::new(made)
            })
            .collect();
        let order = |order| Order::read(Some("roas"), Some(order)).unwrap();
        assert_eq!(ids(order("desc"), &entries), [3, 2, 5, 1, 4]);
        assert_eq!(ids(order("asc"), &entries), [2, 5, 3, 1, 4]);
    }

    #[test]
    fn the_newest_first_and_names_from_a() {
        let mut entries: Vec<Entry> =
            ["b", "A", "c"].into_iter().zip(1..).map(|(name, id)| entry(sample(id, name))).collect();
        entries[1].campaign.created_ns = 9;
        let entries: Vec<Arc<Entry>> = entries.into_iter().map(Arc::new).collect();
        assert_eq!(ids(Order::read(None, None).unwrap(), &entries)[0], 2);
        assert_eq!(ids(Order::read(Some("name"), None).unwrap(), &entries), [2, 1, 3]);
    }

    // checklist 44
    #[test]
    fn unknown_orders_are_refused() {
        for (by, order) in [(Some("secret"), None), (Some("name\0"), None), (None, Some("up")), (Some(""), None)] {
            let fault = Order::read(by, order).unwrap_err();
            let field = if by.is_some() { "sort_by" } else { "sort_order" };
            assert_eq!(fault.details[0].field, field);
        }
        for (word, _) in SORTS {
            assert!(Order::read(Some(word), Some("asc")).is_ok());
        }
    }
}
