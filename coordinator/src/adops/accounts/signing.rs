//! The keys of access tokens: the one that signs, and former ones whose tokens are good until they end.

use serde::{Deserialize, Serialize};
use trafficlab_shared::clock;
use trafficlab_shared::config::AuthConfig;

use super::jwt::{self, Claims, Key, LEEWAY_S, Refusal};
use crate::store::{Batch, FirstVersion, Store, StoreError, Table};

const SECOND_NS: u64 = 1_000_000_000;

/// Which key signs, and since when.
pub const PRESENT: Table<(), PresentKey> = Table::new("ads_signing_key");

/// The key that signs. Not the key itself: its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentKey {
    /// The beginning of the hash of the secret.
    pub kid: String,
    /// Nanoseconds since 1970.
    pub since_ns: u64,
}

impl FirstVersion for PresentKey {}

/// The keys of this process.
pub(super) struct Keys {
    /// The one that signs, then the former ones.
    keys: Vec<Key>,
    since_s: u64,
}

impl Keys {
    /// The configured keys; notes when the first of them came into use. Blocks.
    pub(super) fn open(store: &Store, config: &AuthConfig) -> Result<Self, StoreError> {
        let mut made = [0; 32];
        let present = match &config.jwt_secret {
            Some(secret) => secret.expose().as_bytes(),
            None => {
                tracing::warn!("no `auth.jwt_secret`: everybody has to sign in again after a restart");
                let failed =
                    |error: getrandom::Error| StoreError::Engine { what: "draw a key", message: error.to_string() };
                getrandom::fill(&mut made).map_err(failed)?;
                made.as_slice()
            }
        };
        let former = config.jwt_previous.iter().map(|secret| secret.expose().as_bytes());
        let keys: Vec<Key> = std::iter::once(present).chain(former).filter_map(Key::new).collect();
        let kid = keys.first().map(|key| key.kid.clone()).unwrap_or_default();
        let since_ns = match PRESENT.get(store, &())? {
            Some(known) if known.kid == kid => known.since_ns,
            _ => {
                let new = PresentKey { kid, since_ns: clock::wall_ns() };
                let mut batch = Batch::new();
                PRESENT.put(&mut batch, &(), &new)?;
                store.apply(batch)?;
                new.since_ns
            }
        };
        Ok(Self { keys, since_s: since_ns / SECOND_NS })
    }

    pub(super) fn sign(&self, claims: &Claims) -> Option<String> {
        self.keys.first()?.sign(claims).ok()
    }

    /// The claims of a token that is good now.
    pub(super) fn read(&self, token: &str, now_s: u64) -> Result<Claims, Refusal> {
        let (claims, key) = jwt::read(&self.keys, token, now_s)?;
        let present = self.keys.first().is_some_and(|present| present.kid == key.kid);
        // A former key may have leaked: what it signs after it was replaced is not ours.
        if !present && claims.iat > self.since_s.saturating_add(LEEWAY_S) {
            return Err(Refusal::Invalid);
        }
        let longest = claims.iat.saturating_add(jwt::LIFETIME_S);
        if claims.exp > longest { Err(Refusal::Invalid) } else { Ok(claims) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::adops::accounts::tests::config;
    use trafficlab_shared::config::Secret;

    const OLD: &str = "an old secret with thirty-two byt";
    const NEW: &str = "a new secret with thirty-two byte";

    fn keys(store: &Store, present: &str, former: &[&str]) -> Keys {
        let mut config = config().auth;
        config.jwt_secret = Some(Secret::new(present));
        config.jwt_previous = former.iter().map(|&secret| Secret::new(secret)).collect();
        Keys::open(store, &config).unwrap()
    }

    fn claims(iat: u64) -> Claims {
        Claims {
            iss: jwt::ISSUER.to_owned(),
            aud: jwt::AUDIENCE.to_owned(),
            sub: "1".to_owned(),
            tenant_id: 1,
            role: String::new(),
            jti: "x".to_owned(),
            iat,
            nbf: iat,
            exp: iat + jwt::LIFETIME_S,
            kind: "access".to_owned(),
            generation: 0,
            sid: String::new(),
        }
    }

    // checklist 11
    #[test]
    fn tokens_of_a_former_key_are_taken_until_they_end_and_new_ones_of_it_never() {
        let store = Store::in_memory().unwrap();
        let now = clock::wall_ns() / SECOND_NS;
        let old = keys(&store, OLD, &[]);
        let before = old.sign(&claims(now)).unwrap();
        let replaced = keys(&store, NEW, &[OLD]);
        assert!(replaced.read(&before, now).is_ok());
        assert_eq!(replaced.read(&before, now + 2 * jwt::LIFETIME_S), Err(Refusal::Expired));
        let after = old.sign(&claims(now + 60)).unwrap();
        assert_eq!(replaced.read(&after, now + 60), Err(Refusal::Invalid), "made after the key was replaced");
        assert!(replaced.read(&replaced.sign(&claims(now + 60)).unwrap(), now + 60).is_ok());
        assert_eq!(keys(&store, NEW, &[]).read(&before, now), Err(Refusal::Invalid), "a key that is not named");
        let again = keys(&store, NEW, &[OLD]);
        assert_eq!(again.since_s, replaced.since_s, "a restart does not move the moment");
    }

    #[test]
    fn a_token_that_lives_longer_than_ours_is_refused() {
        let store = Store::in_memory().unwrap();
        let keys = keys(&store, NEW, &[]);
        let now = clock::wall_ns() / SECOND_NS;
        let long = Claims { exp: now + jwt::LIFETIME_S + 1, ..claims(now) };
        assert_eq!(keys.read(&keys.sign(&long).unwrap(), now), Err(Refusal::Invalid));
    }

    #[test]
    fn without_a_secret_one_is_made() {
        let store = Store::in_memory().unwrap();
        let mut config = config().auth;
        config.jwt_secret = None;
        let (one, other) = (Keys::open(&store, &config).unwrap(), Keys::open(&store, &config).unwrap());
        let now = clock::wall_ns() / SECOND_NS;
        let token = one.sign(&claims(now)).unwrap();
        assert!(one.read(&token, now).is_ok());
        assert_eq!(other.read(&token, now), Err(Refusal::Invalid));
    }
}
