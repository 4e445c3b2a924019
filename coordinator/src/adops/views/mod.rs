//! Saved views: the filters and order of a list under a name, of one person or shared with the tenant.

mod change;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::actor::{Actor, Role};
use super::change::Change;
use super::ids::UserId;
use super::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{FirstVersion, Store};
use crate::systems::{Fault, Outcome};

pub use change::{create, remove, update};

/// Views by their number.
pub(super) const VIEWS: TenantTable<u64, SavedView> = TenantTable::new("ads_view");

/// The page a view is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// The list of campaigns.
    Campaigns,
    /// Key figures and breakdowns.
    Analytics,
}

impl Page {
    /// All.
    pub const ALL: [Self; 2] = [Self::Campaigns, Self::Analytics];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Campaigns => "campaigns",
            Self::Analytics => "analytics",
        }
    }

    /// The page of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == word)
    }

    /// The parameters its requests know.
    #[must_use]
    pub const fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Campaigns => &[
                "platform",
                "status",
                "search",
                "sort_by",
                "sort_order",
                "date_from",
                "date_to",
                "label",
                "deleted",
                "page_size",
            ],
            Self::Analytics => &[
                "date_from",
                "date_to",
                "platform",
                "compare_period",
                "label",
                "campaign_ids",
                "synthetic",
                "granularity",
                "interval",
                "sort_by",
                "sort_order",
            ],
        }
    }
}

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// Whose it is.
    pub owner: UserId,
    /// Its name, one of a person's once.
    pub name: String,
    /// The page it is of.
    pub page: Page,
    /// Parameters of the page's requests.
    pub query: BTreeMap<String, String>,
    /// Whether everybody of the tenant sees it.
    #[serde(default)]
    pub shared: bool,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    pub updated_ns: u64,
}

impl FirstVersion for SavedView {}

impl SavedView {
    fn seen_by(&self, actor: &Actor) -> bool {
        self.shared || self.owned_by(actor)
    }

    fn owned_by(&self, actor: &Actor) -> bool {
        actor.who.user() == Some(self.owner)
    }

    /// Its owner writes it; an admin writes those they see.
    fn written_by(&self, actor: &Actor) -> bool {
        self.owned_by(actor) || self.shared && actor.role == Role::Admin
    }
}

/// One's own views and the shared ones, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store, actor: &Actor, page: Option<Page>) -> Stored<Vec<(u64, SavedView)>> {
    let all = VIEWS.scan(store, actor.tenant, false).collect::<Stored<Vec<_>>>()?;
    let wanted = |view: &SavedView| view.seen_by(actor) && page.is_none_or(|page| page == view.page);
    let mut seen: Vec<_> = all.into_iter().filter(|(_, view)| wanted(view)).collect();
    seen.sort_by(|(one, left), (other, right)| (&left.name, one).cmp(&(&right.name, other)));
    Ok(seen)
}

/// One view.
///
/// # Errors
/// 404, also for another person's that is not shared.
pub fn get(store: &Store, actor: &Actor, id: u64) -> Outcome<SavedView> {
    VIEWS.get(store, actor.tenant, id)?.filter(|view| view.seen_by(actor)).ok_or_else(missing)
}

/// All views of a person, for the export of what is held about them.
///
/// # Errors
/// When the store cannot be read.
pub fn of(store: &Store, tenant: super::ids::TenantId, owner: UserId) -> Stored<Vec<(u64, SavedView)>> {
    let all = VIEWS.scan(store, tenant, false);
    all.filter(|row| row.as_ref().map_or(true, |(_, view)| view.owner == owner)).collect()
}

/// Removes all views of a person of the actor's tenant, shared ones too: what somebody searched for may name people.
///
/// # Errors
/// When the store cannot be read.
pub fn forget(change: &mut Change<'_>, owner: UserId) -> Stored<()> {
    for (id, _) in of(change.store, change.actor.tenant, owner)? {
        change.delete(&VIEWS, id);
    }
    Ok(())
}

fn missing() -> Fault {
    Fault::not_found("View not found")
}
