//! The rights of persons over the API: an archive of what is held, erasure, and the bytes on the disk afterwards.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::harness::{Cluster, PASSWORD, Tenant, ads, coordinator, eventually};

const NAME: &str = "Adaberta Plantagenet";
const PHONE: &str = "491701112223334";

/// The files below a folder that hold any of the texts.
fn holding(folder: &Path, texts: &[Vec<u8>]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, texts));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // A socket or a file that was removed meanwhile holds nothing.
            let held = texts.iter().any(|text| bytes.windows(text.len()).any(|window| window == text.as_slice()));
            if held {
                found.push(path);
            }
        }
    }
    found
}

/// A text as it may be stored: as it is, in lower case, and as its SHA-256 in both forms.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let digest = Sha256::digest(text.to_lowercase().as_bytes()).to_vec();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![text.as_bytes().to_vec(), text.to_lowercase().into_bytes(), digest, hex.into_bytes()]
}

async fn erasures(admin: &Tenant) -> Vec<Value> {
    let (status, body) = admin.get("/api/v1/gdpr/erasures").await;
    assert_eq!(status, 200, "{body}");
    body["data"].as_array().unwrap().clone()
}

/// Waits until nothing of any erasure is left in the files.
async fn compacted(admin: &Tenant, count: usize) {
    let all = async || {
        let all = erasures(admin).await;
        (all.len() == count && all.iter().all(|one| one["compacted_at"].is_string())).then_some(())
    };
    eventually(Duration::from_secs(30), "the compaction after an erasure", all).await;
}

/// Leaves the person's traces wherever the API takes them.
async fn plant(cluster: &Cluster, ada: &Tenant) {
    let (status, body) = ada.put("/api/v1/auth/me", &json!({"full_name": NAME})).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = ada.post("/api/v1/api-keys", &json!({"name": format!("{NAME} {PHONE}")})).await;
    assert_eq!(status, 201, "{body}");
    let (status, body) = ada.put("/api/v1/gdpr/consents", &json!({"product_mail": true})).await;
    assert_eq!(status, 200, "{body}");
    let marked = ada.request(Method::PUT, "/api/v1/gdpr/consents").header("x-request-id", PHONE);
    let marked = marked.json(&json!({"product_mail": false})).send().await.unwrap();
    assert_eq!(marked.status(), 200);
    cluster.api.post("/api/v1/auth/forgot-password", &json!({"email": ada.email})).await.expect(200);
    let wrong = json!({"username": ada.email, "password": "wrong wrong wrong"});
    cluster.api.post("/api/v1/auth/login", &wrong).await.expect(401);
    let (status, body) = ada.post("/api/v1/gdpr/export", &json!({"user_id": ada.user, "format": "json"})).await;
    assert_eq!(status, 200, "{body}");
    let outbox = cluster.data_dir().join("outbox");
    let mailed = async || (outbox.is_dir() && !holding(&outbox, &forms(&ada.email)).is_empty()).then_some(());
    eventually(Duration::from_secs(20), "the mail in the outbox", mailed).await;
}

// checklist 19, 71, 79, 80, 85
#[tokio::test]
async fn nothing_of_an_erased_person_is_left_in_any_file() {
    let cluster = ads().set("GDPR__ERASE_WITHIN", "2s").start().await;
    let admin = Tenant::register(&cluster.api, "Acme").await;
    let ada = admin.user("analyst").await;
    let other = admin.user("viewer").await;
    plant(&cluster, &ada).await;
    let everything = cluster.data_dir().parent().unwrap().to_owned();
    for planted in [ada.email.as_str(), NAME, PHONE] {
        assert!(!holding(&everything, &forms(planted)).is_empty(), "the scan does not find `{planted}` at all");
    }
    for folder in ["store", "outbox", "archives"] {
        assert!(!holding(&cluster.data_dir().join(folder), &forms(&ada.email)).is_empty(), "{folder} holds nothing");
    }

    let body = json!({"user_id": ada.user, "reason": "user_request"});
    let (status, done) = admin.post("/api/v1/gdpr/anonymize", &body).await;
    assert_eq!((status, &done["data"]["status"]), (200, &json!("anonymised")), "{done}");
    assert_eq!(ada.get("/api/v1/auth/me").await.0, 401, "the access token is alive");
    let refresh = cluster.api.post("/api/v1/auth/refresh", &json!({"refresh_token": ada.refresh})).await;
    assert_eq!(refresh.status, 401, "the refresh token is alive");
    compacted(&admin, 1).await;

    for planted in [ada.email.as_str(), NAME, PHONE] {
        let found = holding(&everything, &forms(planted));
        assert!(found.is_empty(), "`{planted}` is left in {found:?}");
    }
    // The others are there as before.
    assert_eq!(other.get("/api/v1/auth/me").await.0, 200);
    assert!(!holding(&cluster.data_dir().join("store"), &forms(&other.email)).is_empty());
    let (status, again) = admin.post("/api/v1/gdpr/anonymise", &body).await;
    assert_eq!((status, &again["data"]["status"]), (200, &json!("already")), "{again}");
    let (status, gone) = admin.delete(&format!("/api/v1/gdpr/user/{}", ada.user)).await;
    assert_eq!((status, &gone["data"]["status"]), (200, &json!("deleted")), "{gone}");
    assert_eq!(admin.delete(&format!("/api/v1/gdpr/user/{}", ada.user)).await.0, 404);
}

// checklist 78, 82, 84
#[tokio::test]
async fn an_archive_is_for_the_person_and_fetched_once() {
    let cluster = ads().start().await;
    let admin = Tenant::register(&cluster.api, "Acme").await;
    let stranger = Tenant::register(&cluster.api, "Other").await;
    let ada = admin.user("viewer").await;
    let bob = admin.user("viewer").await;
    let key = ada.key("viewer").await;
    let body = json!({"user_id": ada.user, "format": "json"});
    assert_eq!(bob.post("/api/v1/gdpr/export", &body).await.0, 403);
    assert_eq!(key.post("/api/v1/gdpr/export", &body).await.0, 403, "an API key");
    assert_eq!(stranger.post("/api/v1/gdpr/export", &body).await.0, 404);
    for (wrong, field) in [
        (json!({}), "user_id"),
        (json!({"user_id": "1"}), "user_id"),
        (json!({"user_id": -1}), "user_id"),
        (json!({"user_id": ada.user, "format": "xml"}), "format"),
        (json!({"user_id": ada.user, "all": true}), "all"),
    ] {
        let (status, refused) = ada.post("/api/v1/gdpr/export", &wrong).await;
        assert_eq!((status, &refused["details"][0]["field"]), (400, &json!(field)), "{wrong}: {refused}");
    }
    let (status, made) = ada.post("/api/v1/gdpr/export", &body).await;
    assert_eq!(status, 200, "{made}");
    let url = made["data"]["download_url"].as_str().unwrap();
    assert_eq!(stranger.get(url).await.0, 404);
    assert_eq!(bob.get(url).await.0, 404);
    assert_eq!(cluster.api.get(url).await.status, 401);
    let fetched = ada.send(Method::GET, url, None).await;
    assert_eq!(fetched.status, 200, "{}", fetched.text);
    assert_eq!(fetched.header("cache-control"), "no-store");
    assert!(fetched.header("content-disposition").starts_with("attachment"));
    assert_eq!(fetched.body["profile"]["email"], ada.email);
    assert_eq!(fetched.body["api_keys"].as_array().unwrap().len(), 1);
    assert!(!fetched.body["audit"].as_array().unwrap().is_empty());
    assert!(!fetched.text.contains(&key.access) && !fetched.text.contains("$argon2"));
    assert_eq!(ada.get(url).await.0, 404, "it was fetched before");
}

// checklist 41, 82
#[tokio::test]
async fn a_tenant_goes_with_its_only_admin_when_they_say_so() {
    let cluster = ads().set("GDPR__ERASE_WITHIN", "2s").start().await;
    let admin = Tenant::register(&cluster.api, "Doomed Limited").await;
    let keeper = Tenant::register(&cluster.api, "Keeper").await;
    let viewer = admin.user("viewer").await;
    let campaign = json!({"name": "Doomed campaign", "platform": "meta"});
    assert_eq!(admin.post("/api/v1/campaigns", &campaign).await.0, 201);
    assert_eq!(keeper.post("/api/v1/campaigns", &json!({"name": "Kept", "platform": "meta"})).await.0, 201);
    let own = format!("/api/v1/gdpr/user/{}", admin.user);
    assert_eq!(viewer.delete(&own).await.0, 403);
    assert_eq!(keeper.delete(&own).await.0, 404);
    let (status, refused) = admin.delete(&own).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(admin.delete(&format!("{own}?delete_tenant=yes")).await.0, 400);
    let (status, done) = admin.delete(&format!("{own}?delete_tenant=true")).await;
    assert_eq!((status, &done["data"]["status"]), (200, &json!("tenant_deleted")), "{done}");
    assert_eq!(admin.get("/api/v1/auth/me").await.0, 401);
    assert_eq!(viewer.get("/api/v1/auth/me").await.0, 401);
    let (_, kept) = keeper.get("/api/v1/campaigns").await;
    assert_eq!(kept["pagination"]["total"], 1, "{kept}");
    let gone = async || {
        let planted = [admin.email.as_str(), viewer.email.as_str(), "Doomed Limited", "Doomed campaign"];
        let store = cluster.data_dir().join("store");
        planted.iter().all(|text| holding(&store, &forms(text)).is_empty()).then_some(())
    };
    eventually(Duration::from_secs(30), "the bytes of a deleted tenant to go", gone).await;
    // The address can be used again, by somebody else.
    let body = json!({"email": admin.email, "password": PASSWORD, "full_name": "New",
        "tenant_name": "New"});
    cluster.api.post("/api/v1/auth/register", &body).await.expect(201);
}

async fn archive(command: &str, args: &[&Path], data: &Path) -> (bool, String) {
    let output = Command::new(coordinator())
        .arg(command)
        .args(args)
        .arg("--data-dir")
        .arg(data)
        .env("TRAFFICLAB_ENVIRONMENT", "development")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

// checklist 79: backups
#[tokio::test]
async fn a_restored_dump_is_erased_again() {
    let mut cluster = ads().set("GDPR__ERASE_WITHIN", "2s").start().await;
    let admin = Tenant::register(&cluster.api, "Acme").await;
    let (ada, bob) = (admin.user("viewer").await, admin.user("viewer").await);
    let data = cluster.data_dir();
    let (dump, list) = (data.with_file_name("dump.jsonl"), data.with_file_name("list.jsonl"));
    assert!(cluster.coordinator.terminate().await.success());
    let (done, told) = archive("dump", &[&dump], &data).await;
    assert!(done, "{told}");
    cluster.coordinator.up();
    cluster.ready().await;
    let (status, done) = admin.delete(&format!("/api/v1/gdpr/user/{}", ada.user)).await;
    assert_eq!(status, 200, "{done}");
    assert!(cluster.coordinator.terminate().await.success());
    std::fs::copy(data.join("erased.jsonl"), &list).unwrap();
    let text = std::fs::read_to_string(&list).unwrap();
    assert!(text.lines().count() == 1 && !text.contains('@'), "{text}");
    std::fs::rename(&data, data.with_file_name("before")).unwrap();
    let (done, told) = archive("restore", &[&dump, Path::new("--erased"), &list], &data).await;
    assert!(done, "{told}");
    assert!(!holding(&data.join("store"), &forms(&ada.email)).is_empty(), "the dump brings nobody back");

    cluster.coordinator.up();
    cluster.ready().await;
    let admin = admin.signed_in().await;
    assert_eq!(admin.get(&format!("/api/v1/users/{}", ada.user)).await.0, 404);
    let (_, kept) = admin.get(&format!("/api/v1/users/{}", bob.user)).await;
    assert_eq!(kept["data"]["email"], bob.email, "{kept}");
    compacted(&admin, 1).await;
    assert_eq!(holding(&data, &forms(&ada.email)), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn consents_and_retention_are_kept() {
    let cluster = ads().start().await;
    let admin = Tenant::register(&cluster.api, "Acme").await;
    let viewer = admin.user("viewer").await;
    let (status, set) = viewer.put("/api/v1/gdpr/consents", &json!({"scheduled_reports": true})).await;
    assert_eq!((status, &set["data"]["scheduled_reports"]["granted"]), (200, &json!(true)), "{set}");
    assert_eq!(viewer.put("/api/v1/gdpr/consents", &json!({"Bad word": true})).await.0, 400);
    assert_eq!(admin.get("/api/v1/gdpr/consents").await.1["data"], json!({}), "somebody else's");
    assert_eq!(viewer.get("/api/v1/gdpr/retention").await.0, 403);
    let days = |days: Value| json!({"audit_address_days": days});
    for wrong in [days(json!(0)), days(json!("x")), json!({}), json!({"audit_address_days": 1, "x": 1})] {
        assert_eq!(admin.put("/api/v1/gdpr/retention", &wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(admin.put("/api/v1/gdpr/retention", &days(json!(30))).await.0, 200);
    assert_eq!(admin.get("/api/v1/gdpr/retention").await.1["data"]["audit_address_days"], 30);
    assert_eq!(admin.put("/api/v1/gdpr/retention", &days(Value::Null)).await.0, 200);
    assert_eq!(admin.get("/api/v1/gdpr/retention").await.1["data"]["audit_address_days"], Value::Null);
}
