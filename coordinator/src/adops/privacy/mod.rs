//! The rights of persons over what is held about them: to see it, to have it erased, to agree or not.
//!
//! Invariants: an erasure is one change beside its audit entry, which names nobody; what it takes away is gone from every
//! file once the store was compacted, at the latest after `gdpr.erase_within`; an erasure outlives a restored dump, by a
//! list of numbers that say nothing to anybody else.

pub mod archive;
pub mod consents;
pub mod due;
mod erase;
mod held;
pub mod list;
mod outbox;
mod reach;
mod restored;
pub mod retention;
mod stored;
mod tenant;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use trafficlab_shared::config::Config;

use super::actor::{Actor, Role};
use super::ids::UserId;
use crate::store::Store;
use crate::systems::{Code, Fault, Outcome};

pub use due::{ERASURES, Erased, Erasure};
pub use erase::{Done, Parts, Wish};
pub use list::{ErasedList, ListError, carry_over};

/// What erasing needs beside the store.
pub struct Privacy {
    list: ErasedList,
    compactions: due::Compactions,
    rounds: retention::Rounds,
    outbox: PathBuf,
    archives: PathBuf,
}

/// Why erasing cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// The list of what was erased.
    #[error(transparent)]
    List(#[from] ListError),
    /// What a restored dump brought back cannot be erased again.
    #[error("what was erased before the dump was restored cannot be erased again: {0}")]
    Again(Fault),
}

impl Privacy {
    /// Opens the list, completes it, and erases again what a restored dump brought back. Blocks.
    ///
    /// # Errors
    /// When the list or the store cannot be read or written.
    pub fn open(store: &Store, book: &super::book::Book, config: &Config) -> Result<Self, PrivacyError> {
        let privacy = Self {
            list: ErasedList::open(&config.data_dir)?,
            compactions: due::Compactions::new(config),
            rounds: retention::Rounds::default(),
            outbox: config.data_dir.join(super::mail::OUTBOX_FOLDER),
            archives: config.data_dir.join(archive::FOLDER),
        };
        restored::complete(store, &privacy.list).map_err(PrivacyError::Again)?;
        restored::erase_again(store, book, &privacy).map_err(PrivacyError::Again)?;
        Ok(privacy)
    }
}

/// Whether somebody may decide over a person: it is they themselves, or an admin of their tenant.
///
/// # Errors
/// 403, also for those who are not of the tenant: nobody learns who exists.
pub fn may_decide(actor: &Actor, person: UserId) -> Outcome<()> {
    if actor.role == Role::Admin || actor.who.user() == Some(person) {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden, "Only the person themselves or an admin may do this"))
}

fn missing() -> Fault {
    Fault::not_found("User not found")
}
