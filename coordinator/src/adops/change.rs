//! The one way to change something: read, decide, write and note it in the audit log, as one batch.

use std::sync::atomic::{AtomicU64, Ordering};

use trafficlab_shared::clock;

use super::accounts::user::USERS;
use super::actor::Actor;
use super::audit::AuditEntry;
use super::privacy::due;
use super::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::table::Key;
use crate::store::{Batch, Record, Store, StoreError, Table};
use crate::systems::{Code, Fault, Outcome};

/// The last number of each kind that was given away.
const SEQUENCES: Table<String, u64> = Table::new("ads_sequence");

/// Moments that were used as keys, so that no two are the same.
static LAST_MOMENT: AtomicU64 = AtomicU64::new(0);

/// Now in nanoseconds, later than every moment this process was given before.
fn moment() -> u64 {
    let now = clock::wall_ns();
    let after = |last: u64| Some(now.max(last + 1));
    LAST_MOMENT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).map_or(now, |last| now.max(last + 1))
}

/// What is done when the batch is applied, while nobody else changes anything.
type Effect<'a> = Box<dyn FnOnce() + Send + 'a>;

/// A change being put together by one actor, under the store's lock.
pub struct Change<'a> {
    /// The store, to read from.
    pub store: &'a Store,
    /// Who changes.
    pub actor: &'a Actor,
    /// Nanoseconds since 1970; the same for all parts of the change.
    pub at_ns: u64,
    batch: Batch,
    effects: Vec<Effect<'a>>,
}

impl<'a> Change<'a> {
    /// Writes a record of the actor's tenant.
    pub fn put<K: Key, V: Record>(&mut self, table: &TenantTable<K, V>, key: K, value: &V) -> Stored<()> {
        table.put(&mut self.batch, self.actor.tenant, key, value)
    }

    /// Removes a record of the actor's tenant.
    pub fn delete<K: Key, V: Record>(&mut self, table: &TenantTable<K, V>, key: K) {
        table.delete(&mut self.batch, self.actor.tenant, key);
    }

    /// A record of the actor's tenant, as it was before this change.
    pub fn get<K: Key, V: Record>(&self, table: &TenantTable<K, V>, key: K) -> Stored<Option<V>> {
        table.get(self.store, self.actor.tenant, key)
    }

    /// The batch, for tables that belong to no tenant.
    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// The next number of a kind of thing, from 1. Asked for twice within one change it has to be told: see `ids`.
    pub fn next_id(&mut self, kind: &str) -> Stored<u64> {
        self.ids(kind, 1).map(|ids| ids.start)
    }

    /// The next `count` numbers of a kind. Once per kind in a change, since it reads what was stored before.
    pub fn ids(&mut self, kind: &str, count: u64) -> Stored<std::ops::Range<u64>> {
        let key = kind.to_owned();
        let first = SEQUENCES.get(self.store, &key)?.unwrap_or(0) + 1;
        SEQUENCES.put(&mut self.batch, &key, &(first + count.max(1) - 1))?;
        Ok(first..first + count)
    }

    /// A moment that no other key of this process has, for rows that lie in the order they were made in.
    #[must_use]
    pub fn moment(&self) -> u64 {
        moment()
    }

    /// Notes the change in the audit log.
    pub fn audit(&mut self, entry: &AuditEntry) -> Stored<()> {
        entry.put(&mut self.batch, self.actor.tenant, moment())
    }

    /// Something to do when the batch is applied, such as changing what is held in memory. It must not block.
    pub fn then(&mut self, effect: impl FnOnce() + Send + 'a) {
        self.effects.push(Box::new(effect));
    }
}

/// Makes a change and waits until it is on the disk. `work` runs under the store's lock: it reads, decides and fills the
/// change, and neither waits nor does long work. When it fails nothing is changed.
///
/// # Errors
/// What `work` answers, or the store.
pub async fn change<'a, T>(
    store: &'a Store,
    actor: &'a Actor,
    work: impl FnOnce(&mut Change<'a>) -> Outcome<T>,
) -> Outcome<T> {
    let done = apply(store, actor, work)?;
    store.durable().await?;
    Ok(done)
}

/// `change` for threads.
///
/// # Errors
/// As `change`.
pub fn change_blocking<'a, T>(
    store: &'a Store,
    actor: &'a Actor,
    work: impl FnOnce(&mut Change<'a>) -> Outcome<T>,
) -> Outcome<T> {
    let done = apply(store, actor, work)?;
    store.durable_blocking()?;
    Ok(done)
}

fn apply<'a, T>(store: &'a Store, actor: &'a Actor, work: impl FnOnce(&mut Change<'a>) -> Outcome<T>) -> Outcome<T> {
    let _alone = store.lock();
    still_there(store, actor)?;
    let mut change = Change { store, actor, at_ns: clock::wall_ns(), batch: Batch::new(), effects: Vec::new() };
    let done = work(&mut change)?;
    store.apply(change.batch)?;
    for effect in change.effects {
        effect();
    }
    Ok(done)
}

/// Refuses somebody who was erased after their credential was judged: what they wrote would outlast the erasure, and in a
/// tenant that is gone nothing would ever remove it.
fn still_there(store: &Store, actor: &Actor) -> Outcome<()> {
    let Some(person) = actor.who.user() else { return Ok(()) };
    let erased = match USERS.get(store, actor.tenant, person)? {
        Some(user) => user.anonymised_ns.is_some(),
        None => due::is_gone(store, actor.tenant, person)?,
    };
    if erased { Err(Fault::new(Code::Unauthorized, "The token is not valid")) } else { Ok(()) }
}

/// Notes something that was refused, without changing anything else.
///
/// # Errors
/// When the store fails.
pub async fn note(store: &Store, actor: &Actor, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    entry.put(&mut batch, actor.tenant, moment())?;
    store.commit(batch).await
}

/// `note` without waiting for the disk, where waiting would tell something. A crash at that moment loses the entry.
///
/// # Errors
/// When the store fails.
pub fn note_soon(store: &Store, actor: &Actor, entry: &AuditEntry) -> Stored<()> {
    let mut batch = Batch::new();
    entry.put(&mut batch, actor.tenant, moment())?;
    store.apply(batch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::adops::audit::AUDIT;
    use crate::adops::ids::TenantId;

    const NAMES: TenantTable<u64, String> = TenantTable::new("test_name");

    #[tokio::test]
    async fn a_change_lies_beside_its_audit_entry_and_a_refused_one_leaves_nothing() {
        let store = Store::in_memory().unwrap();
        let (one, two) = (Actor::system(TenantId(1), "test"), Actor::system(TenantId(2), "test"));
        let id = change(&store, &one, |change| {
            let id = change.next_id("name")?;
            change.put(&NAMES, id, &"first".to_owned())?;
            change.audit(&AuditEntry::new(change.actor, "name.created", "name", id))?;
            Ok(id)
        });
        assert_eq!(id.await.unwrap(), 1);
        let refused = change(&store, &two, |change| {
            change.put(&NAMES, 9, &"never".to_owned())?;
            Err::<(), _>(Fault::conflict("no"))
        });
        assert_eq!(refused.await.unwrap_err().code, Code::Conflict);
        let names = |tenant| NAMES.scan(&store, TenantId(tenant), false).map(|row| row.unwrap().1).collect::<Vec<_>>();
        assert_eq!((names(1), names(2)), (vec!["first".to_owned()], vec![]));
        assert_eq!(AUDIT.scan(&store, TenantId(1), false).count(), 1);
        assert_eq!(AUDIT.scan(&store, TenantId(2), false).count(), 0);
    }

    #[test]
    fn moments_are_never_the_same() {
        let moments: Vec<u64> = (0..1000).map(|_| moment()).collect();
        assert!(moments.is_sorted_by(|one, next| one < next));
    }
}
