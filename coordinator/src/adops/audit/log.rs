//! Reading the audit log.

use std::ops::Range;

use crate::adops::audit::{AUDIT, AuditEntry};
use crate::adops::ids::{TenantId, UserId};
use crate::store::Store;
use crate::store::kv::Result as Stored;

/// Which entries are asked for; none takes all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The whole word, or its part before the dot.
    pub action: Option<String>,
    /// The kind of thing.
    pub object: Option<String>,
    /// The thing.
    pub id: Option<String>,
    /// The person behind it, by session or key.
    pub user: Option<UserId>,
    /// Those that were refused, or those that were done.
    pub refused: Option<bool>,
    /// From this moment on, nanoseconds since 1970.
    pub from_ns: Option<u64>,
    /// Before this moment.
    pub before_ns: Option<u64>,
}

impl Filter {
    fn takes(&self, entry: &AuditEntry) -> bool {
        let action = |wanted: &String| {
            let kind = entry.action.split('.').next().unwrap_or_default();
            *wanted == entry.action || wanted == kind
        };
        self.action.as_ref().is_none_or(action)
            && self.object.as_ref().is_none_or(|object| *object == entry.object)
            && self.id.as_ref().is_none_or(|id| *id == entry.id)
            && self.user.is_none_or(|user| entry.who.user() == Some(user))
            && self.refused.is_none_or(|refused| refused == entry.refused.is_some())
    }

    fn moments(&self) -> Range<u64> {
        self.from_ns.unwrap_or(0)..self.before_ns.unwrap_or(u64::MAX)
    }
}

/// The entries that fit, the newest first, of which `skip` are passed over and `take` are kept; and how many fit in all.
/// Reads every entry of the time that is asked for, so it belongs beside the async threads.
///
/// # Errors
/// When the store cannot be read.
pub fn list(
    store: &Store,
    tenant: TenantId,
    filter: &Filter,
    skip: u64,
    take: usize,
) -> Stored<(Vec<(u64, AuditEntry)>, u64)> {
    let (mut found, mut total) = (Vec::new(), 0_u64);
    let moments = filter.moments();
    if moments.is_empty() {
        return Ok((found, total));
    }
    for row in AUDIT.range(store, tenant, moments.start, moments.end, true) {
        let (at, entry) = row?;
        if !filter.takes(&entry) {
            continue;
        }
        if total >= skip && found.len() < take {
            found.push((at, entry));
        }
        total += 1;
    }
    Ok((found, total))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::adops::actor::{Actor, Role, Who};
    use crate::adops::change::{change, note};
    use crate::adops::ids::KeyId;

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

    fn actor(tenant: u64, who: Who) -> Actor {
        let request_id = "r".to_owned();
        Actor { tenant: TenantId(tenant), who, role: Role::Admin, request_id, address: Some(ADDRESS) }
    }

    async fn filled() -> Store {
        let store = Store::in_memory().unwrap();
        let (one, two) = (Who::User(UserId(1)), Who::Key(KeyId(5), UserId(2)));
        for (who, action) in [(one, "campaign.created"), (two, "campaign.updated"), (one, "user.created")] {
            let actor = actor(1, who);
            let object = action.split('.').next().unwrap();
            let done = change(&store, &actor, |change| Ok(change.audit(&AuditEntry::new(&actor, action, object, 3))?));
            done.await.unwrap();
        }
        let refused = actor(1, two);
        note(&store, &refused, &AuditEntry::new(&refused, "user.sign_in", "user", 2).refused("password"))
            .await
            .unwrap();
        let other = actor(2, one);
        note(&store, &other, &AuditEntry::new(&other, "campaign.created", "campaign", 9)).await.unwrap();
        store
    }

    fn actions(store: &Store, filter: &Filter) -> Vec<String> {
        let (found, total) = list(store, TenantId(1), filter, 0, 100).unwrap();
        assert_eq!(found.len(), usize::try_from(total).unwrap());
        found.into_iter().map(|(_, entry)| entry.action).collect()
    }

    // checklist 86
    #[tokio::test]
    async fn entries_come_newest_first_and_by_filter() {
        let store = filled().await;
        let all = ["user.sign_in", "user.created", "campaign.updated", "campaign.created"];
        assert_eq!(actions(&store, &Filter::default()), all);
        let by = |action: &str| Filter { action: Some(action.to_owned()), ..Filter::default() };
        assert_eq!(actions(&store, &by("campaign")), all[2..]);
        assert_eq!(actions(&store, &by("campaign.updated")), all[2..3]);
        assert_eq!(actions(&store, &by("camp")), [""; 0]);
        let filter = Filter { user: Some(UserId(2)), ..Filter::default() };
        assert_eq!(actions(&store, &filter), ["user.sign_in", "campaign.updated"]);
        assert_eq!(actions(&store, &Filter { refused: Some(true), ..Filter::default() }), all[..1]);
        assert_eq!(
            actions(&store, &Filter { object: Some("user".into()), id: Some("3".into()), ..Filter::default() }),
            all[1..2]
        );
        let (page, total) = list(&store, TenantId(1), &Filter::default(), 1, 2).unwrap();
        assert_eq!((page[0].1.action.as_str(), page.len(), total), (all[1], 2, 4));
        let middle = page[0].0;
        let from = Filter { from_ns: Some(middle), ..Filter::default() };
        let before = Filter { before_ns: Some(middle), ..Filter::default() };
        assert_eq!(actions(&store, &from), all[..2]);
        assert_eq!(actions(&store, &before), all[2..]);
        let nothing = Filter { from_ns: Some(9), before_ns: Some(9), ..Filter::default() };
        assert_eq!(list(&store, TenantId(1), &nothing, 0, 10).unwrap().1, 0);
    }
}
