//! `Idempotency-Key`: a repeated request gets the first answer, for 24 hours.

use poem::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trafficlab_shared::clock;

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
    scope: &'static str,
    key: String,
    digest: [u8; 32],
}

impl Repeatable {
    /// The key of a request, when it has one.
    ///
    /// # Errors
    /// A key that is empty, too long or not visible ASCII.
    pub fn read(headers: &HeaderMap, scope: &'static str, digest: [u8; 32]) -> Outcome<Option<Self>> {
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
        Ok(Some(Self { scope, key: key.to_owned(), digest }))
    }

    /// The first answer, when this is a repetition.
    ///
    /// # Errors
    /// The key was used with another body.
    pub fn earlier(&self, store: &Store) -> Outcome<Option<Value>> {
        let known = ANSWERS.get(store, &(self.scope.to_owned(), self.key.clone()))?;
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
        ANSWERS.put(batch, &(self.scope.to_owned(), self.key.clone()), &answered)
    }
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
}
