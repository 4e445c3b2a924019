//! Takes a bulk change back, where nobody has changed a campaign's part since.

use serde_json::{Value, json};

use super::super::edit::store;
use super::record::{BULKS, Bulk, UNDOABLE_NS, items};
use super::{Became, Judged};
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::change::Change;
use crate::store::StoreError;
use crate::systems::{Code, Fault, Outcome};

/// Takes a bulk change back. The rules of statuses do not hold here: what was before is restored.
///
/// # Errors
/// 404, 422 when it was undone before or is too old.
pub fn undo(change: &mut Change<'_>, book: &Book, bulk_id: u64) -> Outcome<Judged> {
    let unknown = || Fault::not_found(format!("Bulk change {bulk_id} not found"));
    let bulk = change.get(&BULKS, bulk_id)?.ok_or_else(unknown)?;
    if bulk.undone_ns.is_some() {
        return Err(Fault::new(Code::Unprocessable, "This bulk change is undone already"));
    }
    if change.at_ns.saturating_sub(bulk.created_ns) >= UNDOABLE_NS {
        return Err(Fault::new(Code::Unprocessable, "A bulk change can be undone for 30 days"));
    }
    let mut judged = Judged { bulk_id: Some(bulk_id), ..Judged::new(false) };
    let done: Vec<_> = items(change.store, change.actor.tenant, bulk_id).collect::<Result<_, StoreError>>()?;
    for (id, done) in done {
        let Some(entry) = book.get(change.actor.tenant, id) else {
            judged.add(id, Became::Skipped("deleted since".to_owned()));
            continue;
        };
        let mut campaign = entry.campaign.clone();
        if !done.take_back(&mut campaign) {
            judged.add(id, Became::Skipped("changed since".to_owned()));
            continue;
        }
        judged.add(id, Became::Done { old: done.shown(&entry.campaign), new: done.shown(&campaign) });
        store(change, book, &entry.campaign, campaign, "campaign.updated")?;
    }
    change.put(&BULKS, bulk_id, &Bulk { undone_ns: Some(change.at_ns), ..bulk })?;
    let counts = json!({"done": judged.done, "skipped": judged.skipped});
    change.audit(&AuditEntry::new(change.actor, "bulk.undone", "bulk", bulk_id).change(&Value::Null, &counts))?;
    Ok(judged)
}
