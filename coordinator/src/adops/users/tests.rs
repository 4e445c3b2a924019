//! Tests of the people of a tenant, and people for other tests.

#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::{Map, Value, json};

use super::*;
use crate::adops::accounts::reset::{RESETS, Reset};
use crate::adops::accounts::user::EMAILS;
use crate::adops::actor::{Actor, Role, Who};
use crate::adops::audit::AUDIT;
use crate::adops::change::{Change, change};
use crate::systems::Code;

const GOOD: &str = "correct horse battery staple";

/// Stores a person who cannot sign in with a password, and comes back as them.
pub(in crate::adops) async fn person(store: &Store, tenant: u64, id: u64, role: Role) -> Actor {
    let (tenant, id) = (TenantId(tenant), UserId(id));
    let who = Who::User(id);
    let actor = Actor { tenant, who, role, request_id: "test".to_owned(), address: None };
    let user = User {
        email: format!("user{id}@example.com"),
        full_name: format!("User {id}"),
        role,
        password_hash: String::new(),
        active: true,
        generation: 0,
        created_ns: 1,
        last_login_ns: None,
        anonymised_ns: None,
        consents: std::collections::BTreeMap::new(),
    };
    let work = |change: &mut Change<'_>| {
        EMAILS.put(change.batch(), &user.email, &(tenant, id))?;
        Ok(change.put(&USERS, id, &user)?)
    };
    change(store, &actor, work).await.unwrap();
    actor
}

/// Changes the stored person of an actor.
pub(in crate::adops) async fn put(store: &Store, actor: &Actor, edit: impl FnOnce(&mut User)) {
    let id = actor.who.user().unwrap();
    let work = |change: &mut Change<'_>| {
        let mut user = change.get(&USERS, id)?.unwrap();
        edit(&mut user);
        Ok(change.put(&USERS, id, &user)?)
    };
    change(store, actor, work).await.unwrap();
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn an_admin_adds_people_and_an_address_is_one_persons() {
    let store = Store::in_memory().unwrap();
    let admin = person(&store, 1, 900, Role::Admin).await;
    let new = json!({"email": "Jane@Example.com", "password": GOOD, "full_name": " Jane Doe ", "role": "analyst",
        "id": 7, "tenant_id": 2, "created_at": "x"});
    let (id, user) = create(&store, &admin, &body(&new)).await.unwrap();
    assert_eq!(
        (user.email.as_str(), user.full_name.as_str(), user.role),
        ("Jane@Example.com", "Jane Doe", Role::Analyst)
    );
    assert!(user.password_hash.starts_with("$argon2id$") && user.active);
    assert_eq!(list(&store, TenantId(1)).unwrap().len(), 2);
    assert_eq!(get(&store, TenantId(2), id).unwrap_err().code, Code::NotFound);
    // Another spelling, and from another tenant.
    let other = person(&store, 2, 901, Role::Admin).await;
    let again = json!({"email": "JANE@example.com", "password": GOOD, "full_name": "J"});
    for actor in [&admin, &other] {
        assert_eq!(create(&store, actor, &body(&again)).await.unwrap_err().code, Code::Conflict);
    }
    let entry = AUDIT.scan(&store, TenantId(1), false).next().unwrap().unwrap().1;
    assert_eq!((entry.action.as_str(), entry.id.as_str()), ("user.created", id.to_string().as_str()));
    let told = serde_json::to_string(&entry).unwrap().to_lowercase();
    assert!(!told.contains("jane") && !told.contains("argon2"), "{told}");
}

#[tokio::test]
async fn wrong_fields_are_all_named() {
    let store = Store::in_memory().unwrap();
    let admin = person(&store, 1, 900, Role::Admin).await;
    let fields = |fault: Fault| fault.details.into_iter().map(|detail| detail.field).collect::<Vec<_>>();
    let wrong =
        json!({"email": "x", "password": 1, "full_name": "", "role": "root", "active": "yes", "is_admin": true});
    let fault = create(&store, &admin, &body(&wrong)).await.unwrap_err();
    assert_eq!(fields(fault), ["email", "password", "full_name", "role", "active", "is_admin"]);
    let fault = create(&store, &admin, &Map::new()).await.unwrap_err();
    assert_eq!(fields(fault), ["email", "password", "full_name"]);
    let easy = json!({"email": "a@example.com", "password": "password1", "full_name": "A"});
    assert_eq!(fields(create(&store, &admin, &body(&easy)).await.unwrap_err()), ["password"]);
}

/// checklist 19: deactivation, demotion and a new password raise the generation, which every token carries.
#[tokio::test]
async fn sessions_end_with_what_they_stand_on() {
    let store = Store::in_memory().unwrap();
    let admin = person(&store, 1, 900, Role::Admin).await;
    let other = person(&store, 1, 901, Role::Manager).await;
    let id = other.who.user().unwrap();
    let set = async |value: Value| update(&store, &admin, id, &body(&value)).await.unwrap().generation;
    assert_eq!(set(json!({"full_name": "Somebody else"})).await, 0);
    assert_eq!(set(json!({"role": "admin"})).await, 0, "more rights");
    assert_eq!(set(json!({"role": "viewer"})).await, 1, "less rights");
    assert_eq!(set(json!({"password": GOOD})).await, 2);
    assert_eq!(set(json!({"active": false})).await, 3);
    assert_eq!(set(json!({"active": false})).await, 3, "no change");
    assert_eq!(set(json!({"active": true})).await, 3);
    assert_eq!(deactivate(&store, &admin, id).await.unwrap().generation, 4);
    let own = update(&store, &admin, UserId(900), &body(&json!({"password": GOOD}))).await;
    assert_eq!(own.unwrap_err().code, Code::Unprocessable);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let store = Store::in_memory().unwrap();
    let admin = person(&store, 1, 900, Role::Admin).await;
    let second = person(&store, 1, 901, Role::Admin).await;
    person(&store, 2, 902, Role::Admin).await;
    let (one, two) = (admin.who.user().unwrap(), second.who.user().unwrap());
    deactivate(&store, &admin, two).await.unwrap();
    for refused in [json!({"role": "manager"}), json!({"active": false})] {
        let fault = update(&store, &admin, one, &body(&refused)).await.unwrap_err();
        assert_eq!(fault.code, Code::Conflict, "{refused}");
    }
    assert_eq!(deactivate(&store, &admin, one).await.unwrap_err().code, Code::Conflict);
    assert!(get(&store, TenantId(1), one).unwrap().active);
    assert_eq!(deactivate(&store, &admin, UserId(902)).await.unwrap_err().code, Code::NotFound, "another tenant's");
}

#[tokio::test]
async fn an_address_moves_and_frees_the_old_one() {
    let store = Store::in_memory().unwrap();
    let admin = person(&store, 1, 900, Role::Admin).await;
    person(&store, 1, 901, Role::Viewer).await;
    let taken = update(&store, &admin, UserId(900), &body(&json!({"email": "USER901@example.com"}))).await;
    assert_eq!(taken.unwrap_err().code, Code::Conflict);
    let mailed = Reset { hash: Some([1; 32]), generation: 0, expires_ns: u64::MAX, mails: 1, since_ns: 1 };
    change(&store, &admin, |change| Ok(change.put(&RESETS, UserId(900), &mailed)?)).await.unwrap();
    update(&store, &admin, UserId(900), &body(&json!({"email": "new@example.com"}))).await.unwrap();
    let reset = RESETS.get(&store, TenantId(1), UserId(900)).unwrap().unwrap();
    assert_eq!((reset.hash, reset.mails), (None, 1), "checklist 30: a token in the old mailbox opens nothing");
    let owner = |email: &str| EMAILS.get(&store, &email.to_owned()).unwrap().map(|(_, id)| id.get());
    assert_eq!((owner("user900@example.com"), owner("new@example.com")), (None, Some(900)));
}
