//! `Idempotency-Key`: a repeated request gets the first answer, for 24 hours.

use poem::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trafficlab_shared::clock;

use crate::adops::{Actor, TenantId, UserId, Who};
use crate::store::{Batch, FirstVersion, Store, StoreError, Table};
use crate::systems::time::SECOND_NS;
use crate::systems::{Fault, Outcome};

/// Answers by the kind of request and the caller's key.
pub const ANSWERS: Table<(String, String), Answered> = Table::new("idempotent");

const KEEP_NS: u64 = 24 * 3600 * SECOND_NS;
const LONGEST_KEY: usize = 255;

/// The answer to a request that carried a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// SHA-256 of the request's body.
    pub digest: [u8; 32],
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// The answer's body as JSON text.
    pub body: String,
}

impl FirstVersion for Answered {}

/// A request that may be a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    scope: String,
    key: String,
    digest: [u8; 32],
}

impl Repeatable {
    /// The key of a request, when it has one. `scope` is the kind of request and, where callers differ, the caller:
    /// nobody gets the answer to another's request by guessing a key.
    ///
    /// # Errors
    /// A key that is empty, too long or not visible ASCII.
    pub fn read(headers: &HeaderMap, scope: impl Into<String>, digest: [u8; 32]) -> Outcome<Option<Self>> {
        let Some(value) = headers.get("idempotency-key") else {
            return Ok(None);
        };
        let key = value.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
        let Some(key) = key else {
            return Err(Fault::field(
                "Idempotency-Key",
                format!("must have 1 to {LONGEST_KEY} visible ASCII characters"),
            ));
        };
        Ok(Some(Self { scope: scope.into(), key: key.to_owned(), digest }))
    }

    /// As `read`, of a request by `actor`: the scope is its tenant's and its credential's.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_of(headers: &HeaderMap, kind: &str, actor: &Actor, digest: [u8; 32]) -> Outcome<Option<Self>> {
        let credential = match actor.who {
            Who::User(user) => format!("user {user}"),
            Who::Key(key, _) => format!("key {key}"),
            Who::System => "system".to_owned(),
        };
        Self::read(headers, format!("{kind} of tenant {}, {credential}", actor.tenant), digest)
    }

    /// The first answer, when this is a repetition.
    ///
    /// # Errors
    /// The key was used with another body.
    pub fn earlier(&self, store: &Store) -> Outcome<Option<Value>> {
        let known = ANSWERS.get(store, &(self.scope.clone(), self.key.clone()))?;
        let Some(known) = known.filter(|known| clock::wall_ns().saturating_sub(known.at_ns) < KEEP_NS) else {
            return Ok(None);
        };
        if known.digest != self.digest {
            return Err(Fault::conflict("This Idempotency-Key was used with another body"));
        }
        let body = serde_json::from_str(&known.body);
        body.map(Some).map_err(|error| Fault::internal("stored answer", &error))
    }

    /// Keeps `body` in the batch that does what it tells of.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn keep(&self, batch: &mut Batch, body: &Value) -> Result<(), StoreError> {
        let answered = Answered { digest: self.digest, at_ns: clock::wall_ns(), body: body.to_string() };
        ANSWERS.put(batch, &(self.scope.clone(), self.key.clone()), &answered)
    }
}

/// Removes the answers to a person of a tenant, or to everybody of it.
///
/// # Errors
/// When the store fails.
pub async fn forget_of(store: &Store, tenant: TenantId, person: Option<UserId>) -> Result<(), StoreError> {
    let credential = person.map_or_else(String::new, |user| format!("user {user}"));
    let scope = format!(" of tenant {tenant}, {credential}");
    let mut batch = Batch::new();
    for row in ANSWERS.scan(store, false) {
        let (key, _) = row?;
        if if person.is_some() { key.0.ends_with(&scope) } else { key.0.contains(&scope) } {
            ANSWERS.delete(&mut batch, &key);
        }
    }
    store.commit(batch).await
}

/// Removes answers that are older than a day.
///
/// # Errors
/// When the store fails.
pub async fn forget_old(store: &Store) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for row in ANSWERS.scan(store, false) {
        let (key, answered) = row?;
        if clock::wall_ns().saturating_sub(answered.at_ns) >= KEEP_NS {
            ANSWERS.delete(&mut batch, &key);
        }
    }
    store.commit(batch).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::adops::KeyId;
    use crate::systems::Code;
    use serde_json::json;

    fn request(key: &'static str, digest: u8) -> Outcome<Option<Repeatable>> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", key.parse().unwrap());
        Repeatable::read(&headers, "generate", [digest; 32])
    }

    #[test]
    fn the_first_answer_comes_again_and_another_body_is_a_conflict() {
        let store = Store::in_memory().unwrap();
        let first = request("k", 1).unwrap().unwrap();
        assert_eq!(first.earlier(&store).unwrap(), None);
        let mut batch = Batch::new();
        first.keep(&mut batch, &json!({"a": 1})).unwrap();
        store.apply(batch).unwrap();
        assert_eq!(first.earlier(&store).unwrap(), Some(json!({"a": 1})));
        let other = request("k", 2).unwrap().unwrap();
        assert_eq!(other.earlier(&store).unwrap_err().code, Code::Conflict);
        assert_eq!(request("", 1).unwrap_err().code, Code::Validation);
    }

    // checklist 52
    #[test]
    fn a_key_belongs_to_the_credential_that_used_it() {
        let store = Store::in_memory().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", "k".parse().unwrap());
        let request = |tenant, who| {
            let actor = Actor { who, ..Actor::system(TenantId(tenant), "test") };
            Repeatable::read_of(&headers, "campaign", &actor, [1; 32]).unwrap().unwrap()
        };
        let (user, key) = (Who::User(UserId(3)), Who::Key(KeyId(3), UserId(3)));
        let mut batch = Batch::new();
        request(1, user).keep(&mut batch, &json!({"id": 7})).unwrap();
        store.apply(batch).unwrap();
        assert!(request(1, user).earlier(&store).unwrap().is_some());
        for other in [request(2, user), request(1, key), request(1, Who::User(UserId(4)))] {
            assert_eq!(other.earlier(&store).unwrap(), None, "{other:?}");
        }
    }

    #[tokio::test]
    async fn an_erased_persons_answers_go() {
        let store = Store::in_memory().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", "k".parse().unwrap());
        let request = |tenant, user| {
            let actor = Actor { who: Who::User(UserId(user)), ..Actor::system(TenantId(tenant), "test") };
            Repeatable::read_of(&headers, "campaign", &actor, [1; 32]).unwrap().unwrap()
        };
        let all = [(1, 3), (1, 33), (11, 3)];
        let mut batch = Batch::new();
        for (tenant, user) in all {
            request(tenant, user).keep(&mut batch, &json!({"id": 7})).unwrap();
        }
        store.apply(batch).unwrap();
        let known = || all.map(|(tenant, user)| request(tenant, user).earlier(&store).unwrap().is_some());
        forget_of(&store, TenantId(1), Some(UserId(3))).await.unwrap();
        assert_eq!(known(), [false, true, true]);
        forget_of(&store, TenantId(1), None).await.unwrap();
        assert_eq!(known(), [false, false, true]);
    }
}
