//! Goals of sites.

use trafficlab_engine::visit::question::{Goal, GoalTarget};
use trafficlab_shared::clock;

use super::{BookFault, id};
use crate::store::visit_settings::{GoalRecord, Target, VISIT_GOALS};
use crate::store::{Batch, Store, StoreError};

/// Goals of one site at the most.
const MOST: usize = 200;

/// A goal that is to be made.
#[derive(Debug, Clone)]
pub struct NewGoal {
    /// Its name.
    pub name: String,
    /// What fulfils it.
    pub target: Target,
    /// Currency of its revenue.
    pub currency: Option<String>,
}

impl From<&Target> for GoalTarget {
    fn from(target: &Target) -> Self {
        match target {
            Target::Path(path) => Self::Path(path.clone()),
            Target::Event(event) => Self::Event(event.clone()),
        }
    }
}

impl From<&GoalRecord> for Goal {
    fn from(goal: &GoalRecord) -> Self {
        Self { name: goal.name.clone(), target: (&goal.target).into() }
    }
}

/// The goals of a site, the oldest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &Store, site: &str) -> Result<Vec<GoalRecord>, StoreError> {
    VISIT_GOALS.scan_prefix(store, &site.to_owned(), false).map(|row| row.map(|(_, goal)| goal)).collect()
}

/// Makes a goal, durably.
///
/// # Errors
/// `Taken` when the site has one of this name, `TooMany`, `Store`.
pub async fn add(store: &Store, site: &str, new: NewGoal) -> Result<GoalRecord, BookFault> {
    let goal = {
        let _changing = store.lock();
        let goals = list(store, site)?;
        if goals.len() >= MOST {
            return Err(BookFault::TooMany(MOST));
        }
        if goals.iter().any(|goal| goal.name == new.name) {
            return Err(BookFault::Taken(new.name));
        }
        let NewGoal { name, target, currency } = new;
        let goal = GoalRecord { id: id(), name, target, currency, created_ns: clock::wall_ns() };
        let mut batch = Batch::new();
        VISIT_GOALS.put(&mut batch, &(site.to_owned(), goal.id.clone()), &goal)?;
        store.apply(batch)?;
        goal
    };
    store.durable().await?;
    Ok(goal)
}

/// Removes the goal with this id, whatever its site. Comes back with whether there was one.
///
/// # Errors
/// When the store fails.
pub async fn remove(store: &Store, id: &str) -> Result<bool, StoreError> {
    {
        let _changing = store.lock();
        let mut batch = Batch::new();
        for row in VISIT_GOALS.scan(store, false) {
            let (key, _) = row?;
            if key.1 == id {
                VISIT_GOALS.delete(&mut batch, &key);
            }
        }
        if batch.is_empty() {
            return Ok(false);
        }
        store.apply(batch)?;
    }
    store.durable().await?;
    Ok(true)
}

/// Adds the removal of all goals of a site to `batch`.
///
/// # Errors
/// When the store fails.
pub fn forget(store: &Store, site: &str, batch: &mut Batch) -> Result<(), StoreError> {
    for row in VISIT_GOALS.scan_prefix(store, &site.to_owned(), false) {
        VISIT_GOALS.delete(batch, &row?.0);
    }
    Ok(())
}
