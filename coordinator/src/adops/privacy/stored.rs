//! Rows of other parts' tables that name a person, as they are stored: which tables those are, and which of their members
//! name somebody. Every table of tenants' rows stands here or in `elsewhere`, so that a new one cannot be forgotten.

use std::io;

use serde_json::Value;

use crate::adops::ids::{TenantId, UserId};
use crate::store::Store;
use crate::store::kv::KeyRange;
use crate::store::table::Key as _;

/// Rows of a table in the archive.
#[derive(Debug)]
pub(super) struct Section {
    /// Its name in the archive.
    pub(super) member: &'static str,
    /// The table.
    pub(super) table: &'static str,
    /// The members of a row that may name a person: a number, a list of numbers, or the one who acted.
    pub(super) names: &'static [&'static str],
    /// Members that are not shown.
    pub(super) hidden: &'static [&'static str],
}

/// All sections.
pub(super) const SECTIONS: &[Section] = &[
    Section { member: "bulk_changes", table: "ads_bulk", names: &["who"], hidden: &[] },
    Section { member: "exports", table: "ads_export", names: &["who"], hidden: &["links"] },
    Section { member: "imports", table: "ads_import", names: &["who"], hidden: &[] },
    Section { member: "restatements", table: "ads_restatement", names: &["who"], hidden: &["old", "new"] },
    Section { member: "saved_views", table: "ads_view", names: &["owner"], hidden: &[] },
    Section { member: "scheduled_reports", table: "ads_report", names: &["owner", "recipients"], hidden: &[] },
];

/// The rows of a section that name the person.
pub(super) fn rows<'a>(
    store: &'a Store,
    tenant: TenantId,
    person: UserId,
    section: &'a Section,
) -> impl Iterator<Item = io::Result<Value>> + 'a {
    let mut prefix = section.table.as_bytes().to_vec();
    prefix.push(0);
    tenant.encode(&mut prefix);
    store.scan(KeyRange::prefix(&prefix), false).filter_map(move |pair| match pair {
        Ok((_, value)) => shown(&value, person, section).transpose(),
        Err(error) => Some(Err(io::Error::other(error))),
    })
}

/// A stored row as JSON, when it names the person.
fn shown(record: &[u8], person: UserId, section: &Section) -> io::Result<Option<Value>> {
    // One byte of version stands before named MessagePack.
    let body = record.split_first().map_or(&[][..], |(_, body)| body);
    let mut row: Value = rmp_serde::from_slice(body).map_err(io::Error::other)?;
    if !section.names.iter().any(|member| names(&row, member, person.get())) {
        return Ok(None);
    }
    if let Some(members) = row.as_object_mut() {
        for hidden in section.hidden {
            members.remove(*hidden);
        }
    }
    Ok(Some(row))
}

fn names(row: &Value, member: &str, person: u64) -> bool {
    let is = |value: &Value| value.as_u64() == Some(person);
    match row.get(member) {
        Some(Value::Array(list)) => list.iter().any(is),
        // `Who`: a user, or a key and whose it is.
        Some(Value::Object(who)) => {
            who.get("user").is_some_and(is) || who.get("key").and_then(|key| key.get(1)).is_some_and(is)
        }
        Some(value) => is(value),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::adops::actor::Who;
    use crate::adops::ids::KeyId;
    use crate::adops::privacy::tenant::TABLES;
    use serde_json::json;

    /// Tables that the archive shows by other ways, or that name nobody.
    const ELSEWHERE: &[&str] = &[
        "ads_audit",
        "ads_audit_of",
        "ads_bulk_item",
        "ads_campaign",
        "ads_days",
        "ads_erasing",
        "ads_integration",
        "ads_key",
        "ads_mail",
        "ads_mail_letter",
        "ads_person_archive",
        "ads_reset",
        "ads_session",
        "ads_user",
    ];

    // checklist 78
    #[test]
    fn every_table_is_shown_or_known_to_name_nobody() {
        let mut known: Vec<&str> = ELSEWHERE.iter().copied().chain(SECTIONS.iter().map(|one| one.table)).collect();
        known.sort_unstable();
        assert_eq!(known, TABLES);
    }

    #[test]
    fn a_person_is_found_however_they_are_named() {
        let person = |value: Value| names(&json!({"x": value}), "x", 7);
        let who = |who: Who| person(serde_json::to_value(who).unwrap());
        assert!(who(Who::User(UserId(7))) && who(Who::Key(KeyId(1), UserId(7))) && person(json!([1, 7])));
        assert!(!who(Who::User(UserId(8))) && !who(Who::Key(KeyId(7), UserId(8))) && !who(Who::System));
        assert!(!person(json!([1, 2])) && !person(json!("7")) && !names(&json!({}), "x", 7));
    }
}
