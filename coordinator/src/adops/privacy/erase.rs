//! Erasing a person: the decision, the one change that does it, and what follows it piece by piece.

use serde_json::json;
use trafficlab_shared::clock;

use super::due::{ERASURES, Erased, Erasure};
use super::{Privacy, may_decide, missing, outbox, reach, tenant};
use crate::adops::accounts::email;
use crate::adops::accounts::user::{USERS, User};
use crate::adops::actor::{Actor, Role};
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::change::{Change, change};
use crate::adops::exports;
use crate::adops::ids::{TenantId, UserId};
use crate::adops::table::TenantTable;
use crate::dispatch::Dispatch;
use crate::store::kv::Result as Stored;
use crate::store::{Batch, Store};
use crate::systems::{Fault, Outcome};

/// The address whose mails in the outbox folder have to go, in its one spelling, until the compaction of the erasure: a
/// mail that was on its way comes there after the erasure. Empty for a tenant, all of whose mails go.
pub(super) const ERASING: TenantTable<u64, String> = TenantTable::new("ads_erasing");

/// What an erasure reaches into.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The store.
    pub store: &'a Store,
    /// Campaigns in memory.
    pub book: &'a Book,
    /// Exports, on the disk and under way; tests have none.
    pub dispatch: Option<&'a Dispatch>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Whether the number goes too.
    pub row_too: bool,
    /// Whether the tenant may go with its last admin.
    pub delete_tenant: bool,
    /// A word for the audit log.
    pub reason: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The person is erased.
    Erased,
    /// They were before.
    Already,
    /// The tenant is, with all its people.
    Tenant,
}

/// What one change found and did.
enum Step {
    Done { key: u64, erasure: Erasure },
    Already,
    TenantToo,
}

impl Privacy {
    /// Erases a person of the actor's tenant. It may be asked for again.
    ///
    /// # Errors
    /// 403, 404, 409 for the only admin of others.
    pub async fn erase(&self, parts: Parts<'_>, actor: &Actor, person: UserId, wish: &Wish) -> Outcome<Done> {
        may_decide(actor, person)?;
        let step = change(parts.store, actor, |change| decide(change, person, wish)).await?;
        match step {
            Step::Already => Ok(Done::Already),
            Step::TenantToo => self.erase_tenant(parts, actor).await.map(|()| Done::Tenant),
            Step::Done { key, erasure } => {
                self.finish(parts, actor.tenant, key, erasure).await?;
                Ok(Done::Erased)
            }
        }
    }

    async fn erase_tenant(&self, parts: Parts<'_>, actor: &Actor) -> Outcome<()> {
        let (key, erasure) = change(parts.store, actor, |change| tenant::erase(change, parts.book)).await?;
        tracing::info!(tenant = %actor.tenant, "a tenant was erased");
        self.finish(parts, actor.tenant, key, erasure).await
    }

    /// Does what follows the change, and notes that it is done. May be repeated.
    async fn finish(&self, parts: Parts<'_>, tenant: TenantId, key: u64, erasure: Erasure) -> Outcome<()> {
        let store = parts.store;
        self.listed(vec![erasure.line(tenant)]).await?;
        let person = (erasure.kind != Erased::Tenant).then_some(UserId(erasure.id));
        if let Some(person) = person {
            reach::forget_addresses(store, tenant, person).await?;
        }
        if let Some(dispatch) = parts.dispatch {
            let system = Actor::system(tenant, "gdpr");
            let gone = change(store, &system, |change| Ok(exports::plan_forget(change, dispatch, person)?)).await?;
            exports::drop_files(dispatch, &gone);
        }
        self.sweep(store, tenant, key, &erasure).await?;
        let mut batch = Batch::new();
        ERASURES.put(&mut batch, tenant, key, &Erasure { done_ns: Some(clock::wall_ns()), ..erasure })?;
        Ok(store.commit(batch).await?)
    }

    async fn listed(&self, lines: Vec<super::list::Line>) -> Outcome<()> {
        // The file is a few bytes; its fsync blocks for as long as the store's does.
        let list = self.list.clone();
        let added = tokio::task::spawn_blocking(move || list.add(&lines)).await;
        let failed = |error: &dyn std::fmt::Display| Fault::internal("the list of erasures", error);
        added.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    /// Removes the files of an erasure that hold something of the person or tenant.
    pub(super) async fn sweep(&self, store: &Store, tenant: TenantId, key: u64, erasure: &Erasure) -> Outcome<()> {
        let goes = match erasure.kind {
            Erased::Tenant => outbox::Whose::Tenant,
            Erased::Anonymised | Erased::Deleted => {
                outbox::Whose::Person { number: erasure.id, address: ERASING.get(store, tenant, key)? }
            }
        };
        let (outbox, archives, own) = (self.outbox.clone(), self.archives.clone(), store.clone());
        let swept = tokio::task::spawn_blocking(move || {
            outbox::remove(&outbox, tenant, &goes)?;
            super::archive::remove_unknown(&own, &archives)
        });
        let failed = |error: &dyn std::fmt::Display| Fault::internal("files of an erased person", error);
        swept.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    /// Goes on with erasures that a crash interrupted.
    ///
    /// # Errors
    /// When a disk refuses.
    pub async fn go_on(&self, parts: Parts<'_>) -> Outcome<()> {
        let open = ERASURES
            .everyone(parts.store)
            .filter(|row| row.as_ref().map_or(true, |(_, erasure)| erasure.done_ns.is_none()));
        for row in open.collect::<Stored<Vec<_>>>()? {
            let ((tenant, key), erasure) = row;
            self.finish(parts, tenant, key, erasure).await?;
        }
        Ok(())
    }

    /// Looks for mails a last time and forgets the addresses they were found by, so that a compaction can follow.
    pub(super) async fn forget_erasing(&self, store: &Store) -> Outcome<()> {
        let all = ERASING.everyone(store).map(|row| row.map(|(key, _)| key)).collect::<Stored<Vec<_>>>()?;
        let mut batch = Batch::new();
        for (tenant, key) in all {
            let Some(erasure) = ERASURES.get(store, tenant, key)? else { continue };
            if erasure.done_ns.is_some() {
                self.sweep(store, tenant, key, &erasure).await?;
                ERASING.delete(&mut batch, tenant, key);
            }
        }
        Ok(store.commit(batch).await?)
    }
}

fn decide(change: &mut Change<'_>, person: UserId, wish: &Wish) -> Outcome<Step> {
    let user = change.get(&USERS, person)?.ok_or_else(missing)?;
    let was_erased = user.anonymised_ns.is_some();
    if was_erased && !wish.row_too {
        return Ok(Step::Already);
    }
    if !was_erased && is_only_admin(change, person, &user)? {
        let others = people(change, person)?.into_iter().any(|(_, other)| other.anonymised_ns.is_none());
        if others && !wish.delete_tenant {
            let message = "This is the tenant's only admin: make somebody else one first, or erase the whole tenant with \
                           `?delete_tenant=true`";
            return Err(Fault::conflict(message));
        }
        return Ok(Step::TenantToo);
    }
    let (key, erasure) = erase(change, person, &user, wish.row_too)?;
    let action = if wish.row_too { "gdpr.deleted" } else { "gdpr.anonymised" };
    let mut entry = AuditEntry::new(change.actor, action, "user", person);
    if let Some(reason) = &wish.reason {
        entry = entry.change(&json!({}), &json!({"reason": reason}));
    }
    if change.actor.who.user() == Some(person) {
        entry = AuditEntry { address: None, request_id: String::new(), ..entry };
    }
    change.audit(&entry)?;
    Ok(Step::Done { key, erasure })
}

/// The part of the change that takes a person away.
pub(super) fn erase(change: &mut Change<'_>, person: UserId, user: &User, row_too: bool) -> Outcome<(u64, Erasure)> {
    let key = change.moment();
    reach::forget_person(change, person, user)?;
    if user.anonymised_ns.is_none() {
        change.put(&ERASING, key, &email::fold(&user.email))?;
    }
    if row_too {
        change.delete(&USERS, person);
    } else {
        change.put(&USERS, person, &tombstone(user, change.at_ns))?;
    }
    let kind = if row_too { Erased::Deleted } else { Erased::Anonymised };
    let erasure = Erasure { kind, id: person.get(), at_ns: change.at_ns, done_ns: None, compacted_ns: None };
    change.put(&ERASURES, key, &erasure)?;
    Ok((key, erasure))
}

/// What stays of an anonymised person: the number, and what they could do.
fn tombstone(user: &User, at_ns: u64) -> User {
    User {
        email: String::new(),
        full_name: String::new(),
        password_hash: String::new(),
        active: false,
        generation: user.generation.saturating_add(1),
        last_login_ns: None,
        anonymised_ns: Some(at_ns),
        consents: std::collections::BTreeMap::new(),
        ..*user
    }
}

fn people(change: &Change<'_>, but: UserId) -> Stored<Vec<(UserId, User)>> {
    let all = USERS.scan(change.store, change.actor.tenant, false);
    all.filter(|row| row.as_ref().map_or(true, |(id, _)| *id != but)).collect()
}

fn is_only_admin(change: &Change<'_>, person: UserId, user: &User) -> Stored<bool> {
    let is_admin = |user: &User| user.active && user.role == Role::Admin;
    Ok(is_admin(user) && !people(change, person)?.iter().any(|(_, other)| is_admin(other)))
}
