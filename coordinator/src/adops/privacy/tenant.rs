//! Erasing a tenant: every row of every table that has its number in front, and what points to them from elsewhere.

use super::due::{ERASURES, Erased, Erasure};
use super::erase::ERASING;
use super::reach;
use crate::adops::accounts::session::REFRESH;
use crate::adops::accounts::user::USERS;
use crate::adops::book::Book;
use crate::adops::change::Change;
use crate::adops::ids::TenantId;
use crate::adops::keys;
use crate::adops::tenant::TENANTS;
use crate::store::kv::{KeyRange, Result as Stored};
use crate::store::table::Key as _;
use crate::systems::Outcome;

/// The tables of tenants' rows, but the one that tells of erasures. A test compares them with the source.
pub(super) const TABLES: &[&str] = &[
    "ads_audit",
    "ads_audit_of",
    "ads_bulk",
    "ads_bulk_item",
    "ads_campaign",
    "ads_days",
    "ads_erasing",
    "ads_export",
    "ads_import",
    "ads_integration",
    "ads_key",
    "ads_mail",
    "ads_mail_letter",
    "ads_person_archive",
    "ads_report",
    "ads_reset",
    "ads_restatement",
    "ads_session",
    "ads_user",
    "ads_view",
];

const EXPORTS: &str = "ads_export";

/// The part of the change that takes a tenant away.
pub(super) fn erase(change: &mut Change<'_>, book: &Book) -> Outcome<(u64, Erasure)> {
    let tenant = change.actor.tenant;
    for (person, user) in USERS.scan(change.store, tenant, false).collect::<Stored<Vec<_>>>()? {
        reach::forget_address(change, person, &user)?;
        keys::remove_all(change, person)?;
    }
    for row in REFRESH.scan(change.store, false) {
        let (hash, token) = row?;
        if token.tenant == tenant {
            REFRESH.delete(change.batch(), &hash);
        }
    }
    book.remove_tenant(change)?;
    // Exports go next, with their files and what the broker holds of them; until then their rows tell of both.
    for table in TABLES.iter().filter(|table| **table != EXPORTS) {
        forget_rows(change, table, tenant)?;
    }
    TENANTS.delete(change.batch(), &tenant);
    let key = change.moment();
    let erasure =
        Erasure { kind: Erased::Tenant, id: tenant.get(), at_ns: change.at_ns, done_ns: None, compacted_ns: None };
    change.put(&ERASURES, key, &erasure)?;
    // A mail that is on its way comes into the outbox folder after this: it is looked for again before the compaction.
    change.put(&ERASING, key, &String::new())?;
    Ok((key, erasure))
}

fn forget_rows(change: &mut Change<'_>, table: &str, tenant: TenantId) -> Stored<()> {
    let mut prefix = table.as_bytes().to_vec();
    prefix.push(0);
    tenant.encode(&mut prefix);
    for row in change.store.scan(KeyRange::prefix(&prefix), false) {
        change.batch().delete(row?.0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use std::path::Path;

    /// The names of all tables of tenants' rows, as they stand in the source of the shipped code.
    fn named(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let text: String = text.split("\nmod tests {").next().unwrap().to_owned();
                // A long declaration is broken behind the opening brace.
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let text: String = code.map(str::trim).collect();
                let rest = text.split("TenantTable::new(\"").skip(1);
                found.extend(rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }

    #[test]
    fn no_table_is_forgotten() {
        let mut found = Vec::new();
        named(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adops"), &mut found);
        found.retain(|name| name.starts_with("ads_") && name != ERASURES_NAME);
        found.sort();
        assert!(found.is_sorted_by(|one, next| one < next), "a name is used twice: {found:?}");
        assert_eq!(found, TABLES, "every table of tenants' rows has to go with its tenant");
    }

    const ERASURES_NAME: &str = "ads_erasure";
}
