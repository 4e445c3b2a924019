//! Labels: which there are, and which a campaign has.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use super::MOST_LABELS;
use super::edit::{find, store};
use super::read;
use crate::adops::book::Book;
use crate::adops::change::Change;
use crate::adops::ids::{CampaignId, TenantId};
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};

/// What is done with labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// The campaign gets them.
    Add,
    /// The campaign loses them.
    Remove,
}

/// The labels in use and how many campaigns have each, by label.
#[must_use]
pub fn all(book: &Book, tenant: TenantId) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for entry in book.all(tenant) {
        for label in &entry.campaign.labels {
            match counts.get_mut(label) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(label.clone(), 1);
                }
            }
        }
    }
    counts
}

/// Reads `{"labels": [...]}`.
///
/// # Errors
/// 400 naming the mistakes.
pub fn of_body(body: &Map<String, Value>) -> Outcome<Vec<String>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body, "", &mut faults);
    let labels = fields.get("labels").and_then(|value| read::labels(value, "labels", fields.faults()));
    let unknown = fields.unknown(&[]);
    faults.extend(unknown.into_iter().map(|member| FieldFault::new(member, "unknown field")));
    match labels {
        _ if !faults.is_empty() => Err(Fault::validation(faults)),
        Some(labels) if !labels.is_empty() => Ok(labels),
        _ => Err(Fault::field("labels", "is required")),
    }
}

/// Gives labels to a campaign or takes them away; those it has, or has not, are passed over.
///
/// # Errors
/// 404, 422 when it would have too many.
pub fn edit(change: &mut Change<'_>, book: &Book, id: CampaignId, doing: Doing, labels: &[String]) -> Outcome<()> {
    let entry = find(book, change.actor.tenant, id)?;
    let mut campaign = entry.campaign.clone();
    let (add, remove): (&[String], &[String]) = match doing {
        Doing::Add => (labels, &[]),
        Doing::Remove => (&[], labels),
    };
    campaign.labels = with(&campaign.labels, add, remove);
    if campaign.labels.len() > MOST_LABELS {
        let message = format!("A campaign has at most {MOST_LABELS} labels");
        return Err(Fault::new(Code::Unprocessable, message).detail("labels", "are too many"));
    }
    store(change, book, &entry.campaign, campaign, "campaign.labelled")
}

/// Labels with others added at the end, and without some.
pub(super) fn with(labels: &[String], add: &[String], remove: &[String]) -> Vec<String> {
    let kept = labels.iter().filter(|label| !remove.contains(label));
    let new = add.iter().filter(|label| !labels.contains(label));
    kept.chain(new).cloned().collect()
}
