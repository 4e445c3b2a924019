//! A person or tenant is erased everywhere, once, by whoever may; and stays erased.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::config::{Purpose, Sources};

use super::erase::ERASING;
use super::*;
use crate::adops::accounts::session::{REFRESH, RefreshToken, SESSIONS, Session};
use crate::adops::accounts::user::{EMAILS, USERS};
use crate::adops::actor::Who;
use crate::adops::audit::{AUDIT, AuditEntry};
use crate::adops::book::Book;
use crate::adops::change::{Change, change};
use crate::adops::ids::TenantId;
use crate::adops::keys::{self, HASHES, KEYS};
use crate::adops::mail::{self, Mail};
use crate::adops::tenant::{TENANTS, Tenant};
use crate::adops::users::tests::{person, put};
use crate::store::kv::KeyRange;

struct Place {
    store: Store,
    book: Book,
    privacy: Privacy,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self::with(Store::in_memory().unwrap(), tempfile::tempdir().unwrap())
    }

    /// Opening blocks, which the thread of an async test must not.
    fn with(store: Store, folder: TempDir) -> Self {
        let open = || {
            let book = Book::open(&store).unwrap();
            (Privacy::open(&store, &book, &config(folder.path())).unwrap(), book)
        };
        let (privacy, book) = std::thread::scope(|scope| scope.spawn(open).join().unwrap());
        Self { store, book, privacy, folder }
    }

    fn parts(&self) -> Parts<'_> {
        Parts { store: &self.store, book: &self.book, dispatch: None }
    }

    async fn erase(&self, actor: &Actor, person: u64, wish: &Wish) -> Outcome<Done> {
        self.privacy.erase(self.parts(), actor, UserId(person), wish).await
    }

    /// Whether any stored key or value holds a text.
    fn holds(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let within = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        self.store
            .scan(KeyRange::all(), false)
            .any(|pair| pair.is_ok_and(|(key, value)| within(&key) || within(&value)))
    }

    fn list(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(list::FILE)).unwrap_or_default()
    }
}

fn config(folder: &Path) -> Config {
    let flags = format!("data_dir = '{}'\n[gdpr]\nerase_within = '40ms'", folder.display());
    Config::load(&Sources { flags: flags.parse().unwrap(), ..Sources::default() }, Purpose::Print).unwrap()
}

const ERASE: Wish = Wish { row_too: false, delete_tenant: false, reason: None };
const DELETE: Wish = Wish { row_too: true, ..ERASE };

async fn tenant(store: &Store, id: u64) {
    let tenant = Tenant {
        name: format!("Tenant {id}"),
        timezone: "UTC".to_owned(),
        currency: Currency::parse("USD").unwrap(),
        created_ns: 1,
        keep_personal_days: None,
    };
    let actor = Actor::system(TenantId(id), "test");
    change(store, &actor, |change| Ok(TENANTS.put(change.batch(), &TenantId(id), &tenant)?)).await.unwrap();
}

/// Everything that a person leaves in the store: a session, a key, a mail, an audit entry with an address.
async fn lives(place: &Place, actor: &Actor) {
    let id = actor.who.user().unwrap();
    put(&place.store, actor, |user| {
        user.full_name = "Ada Lovelace".to_owned();
        user.consents
            .insert("product_mail".to_owned(), crate::adops::accounts::user::Consent { granted: true, at_ns: 3 });
    })
    .await;
    let name = json!({"name": "Adas key"});
    keys::make(&place.store, actor, name.as_object().unwrap()).await.ok().unwrap();
    let seen = Actor { address: Some([192, 0, 2, 77].into()), request_id: "adas-request".to_owned(), ..actor.clone() };
    let work = |change: &mut Change<'_>| {
        let session = Session { refresh: [7; 32], generation: 0, created_ns: 1, expires_ns: u64::MAX };
        change.put(&SESSIONS, (id, [1; 16]), &session)?;
        let token = RefreshToken { tenant: seen.tenant, user: id, session: [1; 16], expires_ns: u64::MAX };
        REFRESH.put(change.batch(), &[u8::try_from(id.get() % 200).unwrap(); 32], &token)?;
        let to = format!("user{id}@example.com");
        mail::queue(change, &Mail { to, text: "Dear Ada".to_owned(), about: Some(id), ..Mail::default() })?;
        Ok(change.audit(&AuditEntry::new(change.actor, "campaign.updated", "campaign", 5))?)
    };
    change(&place.store, &seen, work).await.unwrap();
    let outbox = place.folder.path().join("outbox");
    std::fs::create_dir_all(&outbox).unwrap();
    std::fs::write(
        outbox.join(format!("{}-{id}.eml", actor.tenant)),
        format!("To: user{id}@example.com\r\n\r\nDear Ada"),
    )
    .unwrap();
}

// checklist 19, 81, 83
#[tokio::test]
async fn an_anonymised_person_is_a_number_without_sessions() {
    let place = Place::new();
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let ada = person(&place.store, 1, 7, Role::Analyst).await;
    lives(&place, &ada).await;
    for planted in ["user7@example.com", "Ada Lovelace", "Adas key", "Dear Ada", "adas-request"] {
        assert!(place.holds(planted), "the test could not fail: {planted}");
    }
    let wish = Wish { reason: Some("user_request".to_owned()), ..ERASE };
    assert_eq!(place.erase(&admin, 7, &wish).await.unwrap(), Done::Erased);
    assert_eq!(place.erase(&admin, 7, &wish).await.unwrap(), Done::Already);
    let user = USERS.get(&place.store, TenantId(1), UserId(7)).unwrap().unwrap();
    assert_eq!((user.email.as_str(), user.full_name.as_str(), user.active, user.generation), ("", "", false, 1));
    assert!(user.anonymised_ns.is_some() && user.consents.is_empty());
    assert!(SESSIONS.scan(&place.store, TenantId(1), false).next().is_none());
    assert!(REFRESH.scan(&place.store, false).next().is_none());
    assert!(
        KEYS.scan(&place.store, TenantId(1), false).next().is_none()
            && HASHES.scan(&place.store, false).next().is_none()
    );
    assert!(!place.folder.path().join("outbox/1-7.eml").exists());
    // The address is still needed to find mails that were on their way, and goes before the compaction.
    assert_eq!(ERASING.scan(&place.store, TenantId(1), false).count(), 1);
    place.privacy.forget_erasing(&place.store).await.unwrap();
    for planted in ["user7@example.com", "Ada Lovelace", "Adas key", "Dear Ada", "adas-request"] {
        assert!(!place.holds(planted), "{planted}");
    }
    let audit: Vec<AuditEntry> = AUDIT.scan(&place.store, TenantId(1), false).map(|row| row.unwrap().1).collect();
    assert!(audit.iter().all(|entry| entry.address.is_none()));
    let told = audit.iter().filter(|entry| entry.action == "gdpr.anonymised").collect::<Vec<_>>();
    assert_eq!((told.len(), told[0].who, told[0].id.as_str()), (1, Who::User(UserId(1)), "7"));
    assert_eq!(told[0].new, r#"{"reason":"user_request"}"#);
    assert!(audit.iter().any(|entry| entry.who == Who::User(UserId(7))), "what they did stays, under their number");
    let line: Value = serde_json::from_str(&place.list()).unwrap();
    assert_eq!((&line["kind"], &line["tenant"], &line["id"]), (&json!("anonymised"), &json!(1), &json!(7)));
    // The address is free for somebody else.
    assert!(EMAILS.get(&place.store, &"user7@example.com".to_owned()).unwrap().is_none());
}

// checklist 82
#[tokio::test]
async fn only_oneself_or_an_admin_of_the_tenant_decides() {
    let place = Place::new();
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let manager = person(&place.store, 1, 2, Role::Manager).await;
    person(&place.store, 1, 3, Role::Viewer).await;
    let stranger = person(&place.store, 2, 4, Role::Admin).await;
    let code = |outcome: Outcome<Done>| outcome.unwrap_err().code;
    assert_eq!(code(place.erase(&manager, 3, &ERASE).await), Code::Forbidden);
    assert_eq!(code(place.erase(&manager, 99, &ERASE).await), Code::Forbidden, "nobody learns who exists");
    assert_eq!(code(place.erase(&stranger, 3, &DELETE).await), Code::NotFound);
    assert_eq!(code(place.erase(&admin, 99, &ERASE).await), Code::NotFound);
    assert_eq!(place.erase(&manager, 2, &ERASE).await.unwrap(), Done::Erased);
    assert_eq!(place.erase(&admin, 3, &DELETE).await.unwrap(), Done::Erased);
    assert_eq!(code(place.erase(&admin, 3, &DELETE).await), Code::NotFound);
    // The number of an anonymised person can go later.
    assert_eq!(place.erase(&admin, 2, &DELETE).await.unwrap(), Done::Erased);
    assert_eq!(USERS.scan(&place.store, TenantId(1), false).count(), 1);
}

// checklist 82
#[tokio::test]
async fn the_only_admin_goes_alone_or_with_the_tenant() {
    let place = Place::new();
    tenant(&place.store, 1).await;
    tenant(&place.store, 2).await;
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let viewer = person(&place.store, 1, 2, Role::Viewer).await;
    let other = person(&place.store, 2, 3, Role::Admin).await;
    for actor in [&admin, &viewer, &other] {
        lives(&place, actor).await;
    }
    assert_eq!(place.erase(&admin, 1, &ERASE).await.unwrap_err().code, Code::Conflict);
    assert!(USERS.get(&place.store, TenantId(1), UserId(1)).unwrap().unwrap().active, "nothing half done");
    let wish = Wish { delete_tenant: true, ..ERASE };
    assert_eq!(place.erase(&admin, 1, &wish).await.unwrap(), Done::Tenant);
    assert!(TENANTS.get(&place.store, &TenantId(1)).unwrap().is_none());
    // A mail that was on its way when the tenant went.
    let late = place.folder.path().join("outbox/1-99-2.eml");
    std::fs::write(&late, "To: someone\r\n\r\nDear Ada").unwrap();
    place.privacy.forget_erasing(&place.store).await.unwrap();
    assert!(!late.exists() && ERASING.scan(&place.store, TenantId(1), false).next().is_none());
    for planted in ["user1@example.com", "user2@example.com", "Tenant 1"] {
        assert!(!place.holds(planted), "{planted}");
    }
    // The other tenant lives on, whose number begins the keys of its own rows only.
    assert!(place.holds("user3@example.com") && place.holds("Tenant 2"));
    assert_eq!(KEYS.scan(&place.store, TenantId(2), false).count(), 1);
    assert_eq!(REFRESH.scan(&place.store, false).count(), 1);
    let mails = |id: u64| place.folder.path().join(format!("outbox/{}-{id}.eml", if id == 3 { 2 } else { 1 })).exists();
    assert_eq!((mails(1), mails(2), mails(3)), (false, false, true));
    // Alone, no word is needed.
    assert_eq!(place.erase(&other, 3, &ERASE).await.unwrap(), Done::Tenant);
    assert!(!place.holds("example.com"));
    assert_eq!(place.list().lines().count(), 2);
}

// checklist 19, 79: a request that was let in before the erasure writes nothing after it.
#[tokio::test]
async fn whoever_is_erased_changes_nothing_more() {
    let place = Place::new();
    tenant(&place.store, 1).await;
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let (ada, bob) = (person(&place.store, 1, 7, Role::Viewer).await, person(&place.store, 1, 8, Role::Viewer).await);
    let key = Actor { who: Who::Key(crate::adops::KeyId(3), UserId(7)), ..ada.clone() };
    let name = json!({"name": "a key too late"});
    let tries = async |actor: &Actor| keys::make(&place.store, actor, name.as_object().unwrap()).await;
    assert!(tries(&bob).await.is_ok(), "the test could not fail");
    place.erase(&admin, 7, &ERASE).await.unwrap();
    place.erase(&admin, 8, &DELETE).await.unwrap();
    for gone in [&ada, &key, &bob] {
        assert_eq!(tries(gone).await.err().unwrap().code, Code::Unauthorized);
    }
    place.erase(&admin, 1, &ERASE).await.unwrap();
    assert_eq!(tries(&admin).await.err().unwrap().code, Code::Unauthorized, "the tenant went");
    assert!(!place.holds("a key too late"));
}

#[tokio::test]
async fn a_restored_dump_is_erased_again_and_whoever_came_later_is_not() {
    let place = Place::new();
    for id in [1, 2] {
        tenant(&place.store, id).await;
    }
    person(&place.store, 1, 1, Role::Admin).await;
    for id in [7, 8, 9] {
        lives(&place, &person(&place.store, 1, id, Role::Viewer).await).await;
    }
    let line = |kind, tenant, id, at_ns| list::Line { kind, tenant, id, at_ns };
    let lines = [
        line(Erased::Anonymised, 1, 7, 10),
        line(Erased::Deleted, 1, 8, 10),
        // Somebody else got the number later; the people of these tests were made at 1.
        line(Erased::Anonymised, 1, 9, 1),
        line(Erased::Tenant, 2, 2, 10),
        line(Erased::Anonymised, 1, 99, 10),
    ];
    place.privacy.list.add(&lines).unwrap();
    let place = Place::with(place.store, place.folder);
    let user = |id| USERS.get(&place.store, TenantId(1), UserId(id)).unwrap();
    assert!(user(7).unwrap().anonymised_ns.is_some() && user(8).is_none());
    assert_eq!(user(9).unwrap().email, "user9@example.com");
    assert!(TENANTS.get(&place.store, &TenantId(2)).unwrap().is_none());
    // What follows the changes is done by the upkeep.
    place.privacy.go_on(place.parts()).await.unwrap();
    assert!(
        !place.folder.path().join("outbox/1-7.eml").exists() && place.folder.path().join("outbox/1-9.eml").exists()
    );
    place.privacy.forget_erasing(&place.store).await.unwrap();
    assert!(!place.holds("user7@example.com") && !place.holds("user8@example.com") && place.holds("user9@example.com"));
}

#[tokio::test]
async fn what_a_crash_kept_out_of_the_list_is_added_at_the_start() {
    let place = Place::new();
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    person(&place.store, 1, 7, Role::Viewer).await;
    place.erase(&admin, 7, &ERASE).await.unwrap();
    let list = place.list();
    std::fs::remove_file(place.folder.path().join(list::FILE)).unwrap();
    let place = Place::with(place.store, place.folder);
    assert_eq!(place.list(), list);
}

// checklist 78, 84
#[tokio::test]
async fn an_archive_holds_everything_without_secrets_and_is_fetched_once() {
    let place = Place::new();
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let ada = person(&place.store, 1, 7, Role::Viewer).await;
    let viewer = person(&place.store, 1, 8, Role::Viewer).await;
    let stranger = person(&place.store, 2, 9, Role::Admin).await;
    lives(&place, &ada).await;
    let Place { store, book, privacy, .. } = &place;
    assert_eq!(privacy.export(store, book, &viewer, UserId(7)).await.err().unwrap().code, Code::Forbidden);
    assert_eq!(privacy.export(store, book, &stranger, UserId(7)).await.err().unwrap().code, Code::NotFound);
    let made = privacy.export(store, book, &ada, UserId(7)).await.ok().unwrap();
    assert!(!place.holds(&made.token), "the token is stored in clear");
    for wrong in [&viewer, &stranger] {
        assert_eq!(privacy.fetch(store, wrong, &made.token).await.err().unwrap().code, Code::NotFound);
    }
    assert_eq!(privacy.fetch(store, &ada, "tlg_1.x").await.err().unwrap().code, Code::NotFound);
    let (_, mut file) = privacy.fetch(store, &admin, &made.token).await.ok().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(u64::try_from(text.len()).unwrap(), made.archive.bytes);
    let held: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(held["profile"]["email"], "user7@example.com");
    assert_eq!(held["consents"][0]["purpose"], "product_mail");
    assert_eq!(held["api_keys"][0]["name"], "Adas key");
    assert_eq!(held["mails_waiting"][0]["text"], "Dear Ada");
    assert_eq!(held["sessions"].as_array().unwrap().len(), 1);
    let audit = held["audit"].as_array().unwrap();
    assert!(audit.iter().any(|entry| entry["action"] == "campaign.updated" && entry["address"] == "192.0.2.77"));
    assert!(!text.contains("hash") && !text.contains("refresh\""), "{text}");
    assert_eq!(privacy.fetch(store, &admin, &made.token).await.err().unwrap().code, Code::NotFound, "fetched before");
    assert_eq!(std::fs::read_dir(place.folder.path().join("archives")).unwrap().count(), 0);
}

// checklist 84, 85
#[tokio::test]
async fn an_archive_ends_after_its_hour_and_with_its_person() {
    let place = Place::new();
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    let ada = person(&place.store, 1, 7, Role::Viewer).await;
    let Place { store, book, privacy, .. } = &place;
    let files = || std::fs::read_dir(place.folder.path().join("archives")).unwrap().count();
    let old = privacy.export(store, book, &ada, UserId(7)).await.ok().unwrap();
    let ended = archive::Archive { expires_ns: 5, ..old.archive };
    change(store, &ada, |change| Ok(change.put(&archive::ARCHIVES, 1, &ended)?)).await.unwrap();
    assert_eq!(privacy.fetch(store, &ada, &old.token).await.err().unwrap().code, Code::NotFound);
    assert_eq!(files(), 1);
    privacy.forget_archives(store).await.unwrap();
    assert_eq!(files(), 0);
    let made = privacy.export(store, book, &admin, UserId(7)).await.ok().unwrap();
    assert_eq!(files(), 1);
    place.erase(&admin, 7, &ERASE).await.unwrap();
    assert_eq!(files(), 0);
    assert_eq!(privacy.fetch(store, &admin, &made.token).await.err().unwrap().code, Code::NotFound);
}

// checklist 79
#[tokio::test]
async fn a_compaction_is_due_after_an_erasure_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::with(Store::open(&folder.path().join("store")).unwrap(), tempfile::tempdir().unwrap());
    let admin = person(&place.store, 1, 1, Role::Admin).await;
    lives(&place, &person(&place.store, 1, 7, Role::Viewer).await).await;
    place.erase(&admin, 7, &ERASE).await.unwrap();
    assert_eq!(due::of(&place.store, TenantId(1)).unwrap()[0].compacted_ns, None);
    let Place { store, folder: data, .. } = place;
    store.close();
    drop(store);
    let place = Place::with(Store::open(&folder.path().join("store")).unwrap(), data);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while due::of(&place.store, TenantId(1)).unwrap()[0].compacted_ns.is_none() {
        assert!(std::time::Instant::now() < deadline, "no compaction came");
        place.privacy.compact(&place.store).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(folder.path().join("store/kv-000002").is_dir() && !folder.path().join("store/kv").exists());
    let bytes = std::fs::read(folder.path().join("store/kv-000002/db")).unwrap();
    assert!(!bytes.windows(17).any(|window| window == b"user7@example.com"));
    // Nothing is due any more.
    place.privacy.compact(&place.store).await.unwrap();
    assert!(folder.path().join("store/kv-000002").is_dir());
}

#[tokio::test]
async fn consents_are_words_with_a_moment() {
    let place = Place::new();
    let ada = person(&place.store, 1, 7, Role::Viewer).await;
    let body = |value: Value| value.as_object().unwrap().clone();
    let set = consents::set(&place.store, &ada, &body(json!({"product_mail": true, "reports": false}))).await.unwrap();
    assert_eq!(set.len(), 2);
    let again = consents::set(&place.store, &ada, &body(json!({"reports": true}))).await.unwrap();
    assert_eq!(again["product_mail"], set["product_mail"]);
    assert!(again["reports"].granted && again["reports"].at_ns > set["reports"].at_ns);
    assert_eq!(consents::of(&place.store, &ada).unwrap(), again);
    let wrong =
        consents::set(&place.store, &ada, &body(json!({"Mail": true, "ok": true, "x": "yes"}))).await.unwrap_err();
    let fields: Vec<_> = wrong.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!((wrong.code, fields), (Code::Validation, vec!["Mail", "x"]));
    assert_eq!(consents::of(&place.store, &ada).unwrap(), again);
}
