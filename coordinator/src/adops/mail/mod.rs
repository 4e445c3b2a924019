//! Mails: queued in the batch of the change that causes them, delivered by one loop.
//!
//! Invariants: a mail is on the disk when the answer to its request is; it leaves the queue only after the mail server or
//! the outbox folder took it, so it may come twice after a crash (with the same `Message-ID`) and never gets lost; the log
//! names mails by tenant and number, never by address.

mod deliver;
mod message;
mod outbox;
#[cfg(test)]
mod tests;
mod transport;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::change::Change;
use super::ids::{TenantId, UserId};
use super::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{FirstVersion, Store};
use crate::systems::{Code, Fault, Outcome};

pub use deliver::run;
pub(super) use transport::OUTBOX_FOLDER;
pub use transport::{Mailer, MailerError};

/// What waits, by the moment it was queued.
pub(super) const QUEUE: TenantTable<u64, Queued> = TenantTable::new("ads_mail");
/// What it says, apart, so that looking through the queue reads little.
pub(super) const LETTERS: TenantTable<u64, Letter> = TenantTable::new("ads_mail_letter");

/// Mails of a tenant that wait at the most, those that failed for good included.
const MOST: usize = 10_000;
/// How long one is tried.
pub(super) const TRIED_NS: u64 = 24 * 3600 * 1_000_000_000;
/// How long one that failed is kept to be seen.
pub(super) const KEPT_NS: u64 = 7 * TRIED_NS;

/// Wakes the delivery when something was queued.
static QUEUED: Notify = Notify::const_new();

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// A file that goes with it.
    pub attachment: Option<Attachment>,
    /// The person it is for: with an erasure of theirs it is dropped.
    pub about: Option<UserId>,
    /// When it is of no use any more, nanoseconds since 1970; a day later at the most.
    pub useful_until_ns: Option<u64>,
}

/// A file of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    #[serde(with = "bytes_form")]
    pub bytes: Vec<u8>,
}

/// How far the delivery of a mail is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The person it is for.
    pub about: Option<UserId>,
    /// When it is of no use any more.
    pub until_ns: u64,
    /// Attempts so far.
    #[serde(default)]
    pub attempts: u32,
    /// Not before this moment.
    #[serde(default)]
    pub next_ns: u64,
    /// When it failed for good.
    #[serde(default)]
    pub failed_ns: Option<u64>,
}

/// The content of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// A file that goes with it.
    #[serde(default)]
    pub attachment: Option<Attachment>,
}

impl FirstVersion for Queued {}
impl FirstVersion for Letter {}

/// Queues a mail of the actor's tenant; it is durable with the change.
///
/// # Errors
/// 503 when too many wait, or the store.
pub fn queue(change: &mut Change<'_>, mail: &Mail) -> Outcome<()> {
    let waiting = QUEUE.scan(change.store, change.actor.tenant, false).take(MOST).count();
    if waiting == MOST {
        let fault = Fault::new(Code::Unavailable, "Too many mails wait to be sent");
        return Err(Fault { retry_after: Some(60), ..fault });
    }
    let key = change.moment();
    let longest = change.at_ns.saturating_add(TRIED_NS);
    let until_ns = mail.useful_until_ns.map_or(longest, |until| until.min(longest));
    let queued = Queued { about: mail.about, until_ns, attempts: 0, next_ns: 0, failed_ns: None };
    let letter = Letter {
        to: mail.to.clone(),
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        attachment: mail.attachment.clone(),
    };
    change.put(&QUEUE, key, &queued)?;
    change.put(&LETTERS, key, &letter)?;
    change.then(|| QUEUED.notify_one());
    Ok(())
}

/// Drops every mail for a person of the actor's tenant.
///
/// # Errors
/// When the store cannot be read.
pub fn forget(change: &mut Change<'_>, person: UserId) -> Stored<()> {
    for row in QUEUE.scan(change.store, change.actor.tenant, false) {
        let (key, queued) = row?;
        if queued.about == Some(person) {
            change.delete(&QUEUE, key);
            change.delete(&LETTERS, key);
        }
    }
    Ok(())
}

/// The mails that wait for a person, as they will be sent: for the export of what is held about them.
///
/// # Errors
/// When the store cannot be read.
pub fn about(store: &Store, tenant: TenantId, person: UserId) -> Stored<Vec<(u64, Letter)>> {
    let mut found = Vec::new();
    for row in QUEUE.scan(store, tenant, false) {
        let (key, queued) = row?;
        if queued.about == Some(person)
            && let Some(letter) = LETTERS.get(store, tenant, key)?
        {
            found.push((key, letter));
        }
    }
    Ok(found)
}

/// Bytes as a byte string of `MessagePack` in place of a list of numbers.
mod bytes_form {
    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        from.deserialize_byte_buf(Bytes)
    }
}
