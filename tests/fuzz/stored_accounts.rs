//! The stored records of people and their credentials: one value of each, the same in every run.

use std::collections::BTreeMap;

use coordinator::adops::Role;
use coordinator::adops::accounts::reset::Reset;
use coordinator::adops::accounts::session::{RefreshToken, Session};
use coordinator::adops::accounts::signing::PresentKey;
use coordinator::adops::accounts::user::{Consent, User};
use coordinator::adops::privacy::archive::Archive;
use coordinator::adops::privacy::{Erased, Erasure};
use serde::de::DeserializeOwned;

const CREATED: u64 = 1_767_225_601_000_000_000;

/// An id of any kind.
fn id<T: DeserializeOwned>(number: u64) -> T {
    serde_json::from_value(number.into()).unwrap()
}

pub(super) fn user() -> User {
    User {
        email: "ada@example.com".into(),
        full_name: "Ada Admin".into(),
        role: Role::Admin,
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
        active: true,
        generation: 2,
        created_ns: CREATED,
        last_login_ns: Some(CREATED + 1),
        anonymised_ns: None,
        consents: BTreeMap::from([("newsletter".into(), Consent { granted: true, at_ns: CREATED + 2 })]),
    }
}

pub(super) fn session() -> Session {
    Session { refresh: [7; 32], generation: 2, created_ns: CREATED, expires_ns: CREATED + 1 }
}

pub(super) fn refresh() -> RefreshToken {
    RefreshToken { tenant: id(1), user: id(3), session: [5; 16], expires_ns: CREATED }
}

pub(super) fn reset() -> Reset {
    Reset { hash: Some([200; 32]), generation: 2, expires_ns: CREATED, mails: 1, since_ns: CREATED }
}

pub(super) fn key() -> PresentKey {
    PresentKey { kid: "0123456789abcdef".into(), since_ns: CREATED }
}

pub(super) fn erasure() -> Erasure {
    Erasure {
        kind: Erased::Anonymised,
        id: 3,
        at_ns: CREATED,
        done_ns: Some(CREATED + 1),
        compacted_ns: Some(CREATED + 2),
    }
}

pub(super) fn archive() -> Archive {
    Archive {
        person: id(3),
        asked_by: Some(id(1)),
        hash: [9; 32],
        bytes: 4096,
        created_ns: CREATED,
        expires_ns: CREATED + 1,
    }
}
