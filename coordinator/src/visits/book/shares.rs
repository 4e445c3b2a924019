//! Links that show a site's figures to whoever has them. The token is 128 random bits and is stored as its hash only, so
//! that nobody who reads the store can open a link.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use trafficlab_shared::clock;

use super::{BookFault, id};
use crate::store::visit_settings::{ShareRecord, VISIT_SHARES};
use crate::store::{Batch, Store, StoreError};

/// Links of one site at the most.
const MOST: usize = 100;

/// The links of a site, or of all, the oldest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &Store, site: Option<&str>) -> Result<Vec<ShareRecord>, StoreError> {
    let mut shares = Vec::new();
    for row in VISIT_SHARES.scan(store, false) {
        let (_, share) = row?;
        if site.is_none_or(|site| share.site == site) {
            shares.push(share);
        }
    }
    shares.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(shares)
}

/// Makes a link, durably, and comes back with its token, which nobody can find out later.
///
/// # Errors
/// `TooMany`, `Store`, also when the system gives no random bytes.
pub async fn add(
    store: &Store,
    site: &str,
    name: String,
    expires_ns: Option<u64>,
) -> Result<(ShareRecord, String), BookFault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Engine { what: "take random bytes", message: error.to_string() })?;
    let mut token = String::with_capacity(32);
    for byte in bytes {
        write!(token, "{byte:02x}").expect("writing to a string does not fail");
    }
    let share = ShareRecord { id: id(), site: site.to_owned(), name, expires_ns, created_ns: clock::wall_ns() };
    {
        let _changing = store.lock();
        if list(store, Some(site))?.len() >= MOST {
            return Err(BookFault::TooMany(MOST));
        }
        let mut batch = Batch::new();
        VISIT_SHARES.put(&mut batch, &hash(&token), &share)?;
        store.apply(batch)?;
    }
    store.durable().await?;
    Ok((share, token))
}

/// The link of a token, unless it is revoked or over.
///
/// # Errors
/// When the store fails.
pub fn find(store: &Store, token: &str, now_ns: u64) -> Result<Option<ShareRecord>, StoreError> {
    let share = VISIT_SHARES.get(store, &hash(token))?;
    Ok(share.filter(|share| share.expires_ns.is_none_or(|end| now_ns < end)))
}

/// Revokes the link with this id: it is gone for the next request. Comes back with whether there was one.
///
/// # Errors
/// When the store fails.
pub async fn remove(store: &Store, id: &str) -> Result<bool, StoreError> {
    {
        let _changing = store.lock();
        let mut batch = Batch::new();
        for row in VISIT_SHARES.scan(store, false) {
            let (key, share) = row?;
            if share.id == id {
                VISIT_SHARES.delete(&mut batch, &key);
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

/// Adds the removal of all links of a site to `batch`.
///
/// # Errors
/// When the store fails.
pub fn forget(store: &Store, site: &str, batch: &mut Batch) -> Result<(), StoreError> {
    for row in VISIT_SHARES.scan(store, false) {
        let (key, share) = row?;
        if share.site == site {
            VISIT_SHARES.delete(batch, &key);
        }
    }
    Ok(())
}

/// A token has 128 random bits, so a plain hash is enough: there is nothing to guess from.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
