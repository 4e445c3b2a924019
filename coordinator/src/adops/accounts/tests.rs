//! Tests of accounts as a whole, on a store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::net::Ipv4Addr;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use trafficlab_shared::config::{Purpose, Registration, Sources};

use super::reset::{RESETS, Reset};
use super::session::{REFRESH, RefreshToken, Session, hash_of};
use super::user::EMAILS;
use super::*;
use crate::adops::audit::AUDIT;
use crate::adops::change;
use crate::adops::mail;

const PASSWORD: &str = "correct horse battery staple";
const ORIGIN: Origin<'_> = Origin { request_id: "test", address: IpAddr::V4(Ipv4Addr::LOCALHOST) };

pub(super) fn config() -> Config {
    Config::load(&Sources::default(), Purpose::Print).unwrap()
}

fn open() -> (Store, Accounts) {
    let store = Store::in_memory().unwrap();
    let accounts = Accounts::open(&store, &config()).unwrap();
    (store, accounts)
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn registration(email: &str) -> Map<String, Value> {
    body(&json!({"email": email, "password": PASSWORD, "full_name": "Ada", "tenant_name": "Acme"}))
}

async fn registered(store: &Store, accounts: &Accounts) -> Registered {
    accounts.register(store, &registration("ada@example.com"), &ORIGIN).await.ok().unwrap()
}

fn who(store: &Store, accounts: &Accounts, credential: &str) -> Outcome<Actor> {
    accounts.authenticate(store, &Shown { credential, request_id: "test", address: ORIGIN.address })
}

fn code<T>(outcome: Outcome<T>) -> Option<Code> {
    outcome.err().map(|fault| fault.code)
}

fn actions(store: &Store, tenant: TenantId) -> Vec<String> {
    AUDIT.scan(store, tenant, false).map(|row| row.unwrap().1.action).collect()
}

/// The token of the newest mail.
async fn mailed(store: &Store, made: &Registered) -> Option<String> {
    reset::offer(store, &config(), "ada@example.com", &ORIGIN).await.unwrap();
    let letters = mail::about(store, made.tenant_id, made.id).unwrap();
    let (_, letter) = letters.into_iter().max_by_key(|(at, _)| *at)?;
    letter.text.lines().find(|line| line.starts_with("tlp_")).map(str::to_owned)
}

async fn reset(store: &Store, accounts: &Accounts, token: &str, new: &str) -> Outcome<()> {
    accounts.reset(store, &body(&json!({"token": token, "new_password": new})), &ORIGIN).await
}

#[tokio::test]
async fn whoever_registers_is_the_admin_of_a_new_tenant() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    assert_eq!((made.tenant_id, made.id), (TenantId(1), UserId(1)), "ids count from 1");
    let actor = who(&store, &accounts, &made.tokens.access).unwrap();
    assert_eq!((actor.tenant, actor.who, actor.role), (made.tenant_id, Who::User(made.id), Role::Admin));
    assert_eq!(actions(&store, made.tenant_id), ["tenant.created", "user.created"]);
    let again = accounts.register(&store, &registration("ADA@example.com"), &ORIGIN).await;
    assert_eq!(code(again), Some(Code::Conflict), "checklist 32");
    let user = USERS.get(&store, made.tenant_id, made.id).unwrap().unwrap();
    assert!(user.password_hash.starts_with("$argon2id$"), "checklist 22");
}

#[tokio::test]
async fn registration_may_be_for_the_first_or_for_nobody() {
    for (word, first, second) in [
        (Registration::Open, true, true),
        (Registration::Auto, true, true),
        (Registration::FirstOnly, true, false),
        (Registration::Closed, false, false),
    ] {
        let store = Store::in_memory().unwrap();
        let mut config = config();
        config.auth.registration = word;
        let accounts = Accounts::open(&store, &config).unwrap();
        for (email, open) in [("a@example.com", first), ("b@example.com", second)] {
            let made = accounts.register(&store, &registration(email), &ORIGIN).await;
            assert_eq!(code(made), (!open).then_some(Code::Forbidden), "{word:?} {email}");
        }
    }
    let mut reached = config();
    reached.listen = vec!["0.0.0.0:80".parse().unwrap()];
    assert_eq!(Policy::of(&reached), Policy::First);
}

// checklist 19: whatever raises the generation, deactivates or ends a session is felt by the next request
#[tokio::test]
async fn a_credential_is_judged_by_what_is_stored_now() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let user = USERS.get(&store, made.tenant_id, made.id).unwrap().unwrap();
    let system = Actor::system(made.tenant_id, "test");
    let with = async |user: &User| {
        change(&store, &system, |change| Ok(change.put(&USERS, made.id, user)?)).await.unwrap();
    };
    with(&User { role: Role::Viewer, ..user.clone() }).await;
    assert_eq!(who(&store, &accounts, &made.tokens.access).unwrap().role, Role::Viewer);
    for changed in [
        User { active: false, ..user.clone() },
        User { generation: 1, ..user.clone() },
        User { anonymised_ns: Some(1), ..user.clone() },
    ] {
        with(&changed).await;
        assert_eq!(code(who(&store, &accounts, &made.tokens.access)), Some(Code::Unauthorized));
        with(&user).await;
        assert!(who(&store, &accounts, &made.tokens.access).is_ok());
    }
    change(&store, &system, |change| Ok(session::end_all(change, made.id)?)).await.unwrap();
    assert_eq!(code(who(&store, &accounts, &made.tokens.access)), Some(Code::Unauthorized));
    assert_eq!(code(accounts.refresh(&store, &made.tokens.refresh, &ORIGIN).await), Some(Code::Unauthorized));
}

// checklist 16, 17, 20
#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let other = accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await.ok().unwrap();
    let second = accounts.refresh(&store, &made.tokens.refresh, &ORIGIN).await.ok().unwrap();
    assert!(second.refresh != made.tokens.refresh && second.access != made.tokens.access);
    assert!(who(&store, &accounts, &second.access).is_ok());
    let third = accounts.refresh(&store, &second.refresh, &ORIGIN).await.ok().unwrap();
    assert_eq!(code(accounts.refresh(&store, &made.tokens.refresh, &ORIGIN).await), Some(Code::Unauthorized));
    assert_eq!(
        code(accounts.refresh(&store, &third.refresh, &ORIGIN).await),
        Some(Code::Unauthorized),
        "the newest too"
    );
    assert_eq!(code(who(&store, &accounts, &third.access)), Some(Code::Unauthorized));
    assert!(who(&store, &accounts, &other.access).is_ok(), "another session goes on");
    let reused = |action: &&String| *action == "auth.refresh_reused";
    assert_eq!(actions(&store, made.tenant_id).iter().filter(reused).count(), 1);
    assert!(REFRESH.contains(&store, &hash_of(&made.tokens.refresh)).unwrap(), "stored is the hash");
}

// checklist 18
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_refreshes_at_once_one_succeeds() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let user = made.user.clone();
    let actor = Actor::system(made.tenant_id, "test");
    for _ in 0..50 {
        let begun = change(&store, &actor, |change| session::begin(change, &accounts.keys, made.id, &user));
        let token = begun.await.ok().unwrap().refresh;
        let barrier = tokio::sync::Barrier::new(2);
        let exchange = async || {
            barrier.wait().await;
            accounts.refresh(&store, &token, &ORIGIN).await.ok()
        };
        let (one, two) = tokio::join!(exchange(), exchange());
        assert!(one.is_some() != two.is_some(), "exactly one");
        let winner = one.or(two).unwrap();
        assert_eq!(
            code(accounts.refresh(&store, &winner.refresh, &ORIGIN).await),
            Some(Code::Unauthorized),
            "no grace"
        );
    }
}

// checklist 24
#[tokio::test]
async fn an_old_hash_is_renewed_by_the_next_good_sign_in() {
    use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, Version};
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
    let hash: PasswordHash = weak.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes!!!").unwrap();
    let old = User { password_hash: hash.to_string(), ..made.user.clone() };
    let system = Actor::system(made.tenant_id, "test");
    change(&store, &system, |change| Ok(change.put(&USERS, made.id, &old)?)).await.unwrap();
    let stored = || USERS.get(&store, made.tenant_id, made.id).unwrap().unwrap().password_hash;
    assert!(accounts.sign_in(&store, "ada@example.com", "wrong password", &ORIGIN).await.is_err());
    assert_eq!(stored(), old.password_hash, "not by a bad one");
    assert!(accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await.is_ok());
    assert!(stored().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await.is_ok());
    assert!(who(&store, &accounts, &made.tokens.access).is_ok(), "sessions go on");
}

// checklist 27, 28
#[tokio::test]
async fn failures_are_alike_counted_and_noted_without_the_address() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    for name in ["ada@example.com", "nobody@example.com"] {
        let mut faults = Vec::new();
        for _ in 0..5 {
            faults.push(accounts.sign_in(&store, name, "wrong password", &ORIGIN).await.err().unwrap());
        }
        assert!(faults.iter().all(|fault| *fault == faults[0] && fault.code == Code::Unauthorized));
        let locked = accounts.sign_in(&store, name, PASSWORD, &ORIGIN).await.err().unwrap();
        assert_eq!(locked.code, Code::RateLimited);
        assert!(locked.retry_after.is_some_and(|seconds| (890..=900).contains(&seconds)));
    }
    let elsewhere = Origin { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7)), ..ORIGIN };
    assert!(
        accounts.sign_in(&store, "ada@example.com", PASSWORD, &elsewhere).await.is_ok(),
        "the owner is not locked out"
    );
    let failed: Vec<_> = AUDIT.scan(&store, made.tenant_id, false).map(|row| row.unwrap().1).collect();
    assert_eq!(failed.iter().filter(|entry| entry.refused.is_some()).count(), 5);
    assert!(failed.iter().all(|entry| !format!("{entry:?}").contains("ada")));
}

// checklist 29, 30, 31
#[tokio::test]
async fn a_mailed_token_sets_a_password_once() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    reset::offer(&store, &config(), "nobody@example.com", &ORIGIN).await.unwrap();
    assert!(mail::about(&store, made.tenant_id, made.id).unwrap().is_empty());
    let older = mailed(&store, &made).await.unwrap();
    let token = mailed(&store, &made).await.unwrap();
    let secret = token.rsplit('.').next().unwrap();
    assert_eq!(secret.len(), 43, "256 bits");
    let new = "a rather different phrase";
    let foreign = token.replace("tlp_1.1.", "tlp_1.2.");
    let mut answers = Vec::new();
    for bad in ["", "x", "tlp_", "tlp_1.1.", &older, &foreign, &format!("{token}x")] {
        answers.push(reset(&store, &accounts, bad, new).await.unwrap_err());
    }
    let weak = reset(&store, &accounts, &token, "password1").await.unwrap_err();
    assert_eq!(weak.details[0].field, "new_password", "checklist 26");
    reset(&store, &accounts, &token, new).await.unwrap();
    answers.push(reset(&store, &accounts, &token, new).await.unwrap_err());
    assert!(answers.iter().all(|fault| *fault == answers[0] && fault.code == Code::Validation));
    assert_eq!(code(who(&store, &accounts, &made.tokens.access)), Some(Code::Unauthorized), "checklist 19");
    assert_eq!(code(accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await), Some(Code::Unauthorized));
    assert!(accounts.sign_in(&store, "ada@example.com", new, &ORIGIN).await.is_ok());
}

#[tokio::test]
async fn a_mailed_token_ends_with_the_password_the_account_and_the_hour() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let token = mailed(&store, &made).await.unwrap();
    let actor = who(&store, &accounts, &made.tokens.access).unwrap();
    let wish = json!({"password": "a rather different phrase", "current_password": PASSWORD});
    assert!(accounts.change_me(&store, &actor, &body(&wish)).await.unwrap().signed_out);
    assert_eq!(code(reset(&store, &accounts, &token, "yet another phrase").await), Some(Code::Validation));

    let token = mailed(&store, &made).await.unwrap();
    let entry = RESETS.get(&store, made.tenant_id, made.id).unwrap().unwrap();
    let over = Reset { expires_ns: clock::wall_ns(), ..entry };
    let system = Actor::system(made.tenant_id, "test");
    change(&store, &system, |change| Ok(change.put(&RESETS, made.id, &over)?)).await.unwrap();
    assert_eq!(code(reset(&store, &accounts, &token, "yet another phrase").await), Some(Code::Validation));

    let sent = mail::about(&store, made.tenant_id, made.id).unwrap().len();
    let user = USERS.get(&store, made.tenant_id, made.id).unwrap().unwrap();
    let inactive = User { active: false, ..user };
    change(&store, &system, |change| Ok(change.put(&USERS, made.id, &inactive)?)).await.unwrap();
    mailed(&store, &made).await;
    assert_eq!(mail::about(&store, made.tenant_id, made.id).unwrap().len(), sent, "no mail for the inactive");
}

#[tokio::test]
async fn one_is_mailed_five_tokens_an_hour_at_most() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    for _ in 0..8 {
        mailed(&store, &made).await;
    }
    assert_eq!(mail::about(&store, made.tenant_id, made.id).unwrap().len(), 5);
}

#[tokio::test]
async fn a_new_password_asks_for_the_present_one() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let actor = who(&store, &accounts, &made.tokens.access).unwrap();
    let asked = async |wish: Value| accounts.change_me(&store, &actor, &body(&wish)).await.err().unwrap();
    let missing = asked(json!({"password": "a rather different phrase"})).await;
    assert_eq!(missing.details[0].field, "current_password");
    let wrong = asked(json!({"password": "a rather different phrase", "current_password": "wrong password"})).await;
    assert_eq!((wrong.code, wrong.details[0].field.as_str()), (Code::Validation, "current_password"));
    let same = asked(json!({"password": PASSWORD, "current_password": PASSWORD})).await;
    assert_eq!(same.code, Code::Unprocessable);
    assert!(who(&store, &accounts, &made.tokens.access).is_ok(), "nothing was changed");
}

#[tokio::test]
async fn what_is_over_is_forgotten_and_what_is_not_stays() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let old = accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await.ok().unwrap();
    let hash = hash_of(&old.refresh);
    let token = REFRESH.get(&store, &hash).unwrap().unwrap();
    let at = (token.user, token.session);
    let session = SESSIONS.get(&store, token.tenant, at).unwrap().unwrap();
    let system = Actor::system(made.tenant_id, "test");
    let aged = change(&store, &system, |change| {
        change.put(&SESSIONS, at, &Session { expires_ns: 1, ..session })?;
        REFRESH.put(change.batch(), &hash, &RefreshToken { expires_ns: 1, ..token })?;
        Ok(())
    });
    aged.await.unwrap();
    assert_eq!(code(accounts.refresh(&store, &old.refresh, &ORIGIN).await), Some(Code::Unauthorized));
    accounts.forget_old(&store).await.unwrap();
    assert_eq!(REFRESH.scan(&store, false).count(), 1);
    assert_eq!(session::of(&store, made.tenant_id, made.id).unwrap().len(), 1);
    assert!(who(&store, &accounts, &made.tokens.access).is_ok());
}

#[tokio::test]
async fn a_person_has_a_hundred_sessions_at_most() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let actor = Actor::system(made.tenant_id, "test");
    for _ in 0..105 {
        let begun = change(&store, &actor, |change| session::begin(change, &accounts.keys, made.id, &made.user));
        assert!(begun.await.is_ok());
    }
    assert_eq!(session::of(&store, made.tenant_id, made.id).unwrap().len(), 100);
    assert_eq!(code(who(&store, &accounts, &made.tokens.access)), Some(Code::Unauthorized), "the oldest ended");
}

// checklist 21
#[tokio::test]
async fn nothing_is_left_of_a_user_who_is_gone() {
    let (store, accounts) = open();
    let made = registered(&store, &accounts).await;
    let system = Actor::system(made.tenant_id, "test");
    let gone = change(&store, &system, |change| {
        change.delete(&USERS, made.id);
        EMAILS.delete(change.batch(), &"ada@example.com".to_owned());
        Ok(())
    });
    gone.await.unwrap();
    assert_eq!(code(who(&store, &accounts, &made.tokens.access)), Some(Code::Unauthorized));
    assert_eq!(code(accounts.refresh(&store, &made.tokens.refresh, &ORIGIN).await), Some(Code::Unauthorized));
    assert_eq!(code(accounts.sign_in(&store, "ada@example.com", PASSWORD, &ORIGIN).await), Some(Code::Unauthorized));
}

proptest! {
    // checklist 8
    #[test]
    fn any_text_as_a_credential_is_refused(text in ".{0,120}", beginning in "(tlk_|tlr_|tlp_|eyJ)?") {
        let (store, accounts) = open();
        let refused = who(&store, &accounts, &format!("{beginning}{text}"));
        prop_assert_eq!(code(refused), Some(Code::Unauthorized));
    }
}
