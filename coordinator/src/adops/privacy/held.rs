//! Everything that is held about a person, as one JSON document. Secrets stay where they are: hashes of passwords, tokens
//! and keys say nothing to the person.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::stored;
use crate::adops::accounts::session;
use crate::adops::accounts::user::{USERS, User};
use crate::adops::actor::Who;
use crate::adops::audit::{AUDIT, AuditEntry};
use crate::adops::book::Book;
use crate::adops::ids::{TenantId, UserId};
use crate::adops::keys::KEYS;
use crate::adops::mail;
use crate::store::Store;
use crate::systems::time::{maybe_rfc3339, now, rfc3339};

/// The form of the document; a higher number when it changes.
const VERSION: u32 = 1;

/// Writes the document, member by member, so that a long history needs no memory.
///
/// # Errors
/// When the store cannot be read, or the document not written.
pub(super) fn write(
    out: &mut impl Write,
    store: &Store,
    book: &Book,
    tenant: TenantId,
    person: UserId,
) -> io::Result<()> {
    let user = USERS.get(store, tenant, person).map_err(io::Error::other)?;
    let user = user.ok_or_else(|| io::Error::other("the person is gone"))?;
    let head = json!({"format": "trafficlab-person", "version": VERSION, "made_at": now(), "user_id": person.get(),
        "tenant_id": tenant.get()});
    let text = head.to_string();
    out.write_all(text.strip_suffix('}').unwrap_or(&text).as_bytes())?;
    member(out, "profile", &profile(&user))?;
    member(out, "consents", &consents(&user))?;
    list(
        out,
        "sessions",
        session::of(store, tenant, person)
            .map_err(io::Error::other)?
            .iter()
            .map(|(_, one)| Ok(json!({"created_at": rfc3339(one.created_ns), "expires_at": rfc3339(one.expires_ns)}))),
    )?;
    list(out, "api_keys", KEYS.scan(store, tenant, false).filter_map(|row| match row {
        Ok((_, key)) if key.owner != person => None,
        Ok((id, key)) => Some(Ok(json!({"id": id.get(), "name": key.name, "role": key.role.as_str(),
            "beginning": key.beginning, "created_at": rfc3339(key.created_ns), "expires_at": maybe_rfc3339(key.expires_ns)}))),
        Err(error) => Some(Err(io::Error::other(error))),
    }))?;
    list(out, "campaigns_created", campaigns(book, tenant, person))?;
    list(
        out,
        "mails_waiting",
        mail::about(store, tenant, person)
            .map_err(io::Error::other)?
            .iter()
            .map(|(_, one)| Ok(json!({"to": one.to, "subject": one.subject, "text": one.text}))),
    )?;
    for section in stored::SECTIONS {
        list(out, section.member, stored::rows(store, tenant, person, section))?;
    }
    list(
        out,
        "audit",
        AUDIT.scan(store, tenant, false).filter_map(|row| match row {
            Ok((at, entry)) => concerns(&entry, person).then(|| Ok(audit(at, &entry))),
            Err(error) => Some(Err(io::Error::other(error))),
        }),
    )?;
    out.write_all(b"}\n")
}

fn member(out: &mut impl Write, name: &str, value: &Value) -> io::Result<()> {
    write!(out, ",\n\"{name}\":{value}")
}

fn list(out: &mut impl Write, name: &str, items: impl Iterator<Item = io::Result<Value>>) -> io::Result<()> {
    write!(out, ",\n\"{name}\":[")?;
    for (at, item) in items.enumerate() {
        let comma = if at == 0 { "" } else { ",\n" };
        write!(out, "{comma}{}", item?)?;
    }
    out.write_all(b"]")
}

fn profile(user: &User) -> Value {
    json!({
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role.as_str(),
        "active": user.active,
        "has_password": !user.password_hash.is_empty(),
        "created_at": rfc3339(user.created_ns),
        "last_login_at": maybe_rfc3339(user.last_login_ns),
        "anonymised_at": maybe_rfc3339(user.anonymised_ns),
    })
}

fn consents(user: &User) -> Value {
    let all = user.consents.iter().map(
        |(purpose, consent)| json!({"purpose": purpose, "granted": consent.granted, "at": rfc3339(consent.at_ns)}),
    );
    Value::Array(all.collect())
}

fn campaigns(book: &Book, tenant: TenantId, person: UserId) -> impl Iterator<Item = io::Result<Value>> {
    let own = book.all_any(tenant).into_iter().filter(move |entry| entry.campaign.created_by == Some(person));
    own.map(|entry| {
        let campaign = &entry.campaign;
        Ok(json!({"id": campaign.id.get(), "name": campaign.name, "platform": campaign.platform.as_str(),
            "status": campaign.status.as_str(), "created_at": rfc3339(campaign.created_ns),
            "deleted_at": maybe_rfc3339(campaign.deleted_ns)}))
    })
}

fn concerns(entry: &AuditEntry, person: UserId) -> bool {
    entry.who.user() == Some(person) || (entry.object == "user" && entry.id == person.to_string())
}

fn audit(at: u64, entry: &AuditEntry) -> Value {
    let object = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let who = match entry.who {
        Who::User(user) => json!({"user_id": user.get()}),
        Who::Key(key, user) => json!({"api_key_id": key.get(), "user_id": user.get()}),
        Who::System => json!("system"),
    };
    json!({"at": rfc3339(at), "who": who, "action": entry.action, "object": entry.object, "id": entry.id,
        "old": object(&entry.old), "new": object(&entry.new), "request_id": entry.request_id, "address": entry.address,
        "refused": entry.refused})
}
