//! A person's visits: shown, and erased from every byte of the data folder.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{FIREFOX, SITE, figure, noon};
use crate::e2e::visits::{batch, tracker};

const PERSON: &str = "Ermentrude-Quillfeather-8151";
const PAGE: &str = "/only-quillfeather-was-here-4711";

/// Files below a folder that hold `text`.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn visit(user: &str, host: &str, path: &str, days: i64) -> Value {
    json!({"user_id": user, "page_url": format!("https://{host}{path}"), "user_agent": FIREFOX,
        "timestamp": noon(days + 1).to_string()})
}

#[tokio::test]
async fn an_erased_person_is_in_no_file() {
    let mut cluster = tracker(&[("TRACKER__KEEP_USER_ID", "true")]).await;
    let others: Vec<Value> = (0..50).map(|number| visit(&format!("user{number}"), SITE, "/", number % 3)).collect();
    batch(&cluster.api, &others).await;
    let own = [
        visit(PERSON, SITE, PAGE, 2),
        visit(PERSON, SITE, "/", 1),
        visit(PERSON, "blog.example", PAGE, 0),
        visit("user1", "blog.example", "/", 0),
    ];
    batch(&cluster.api, &own).await;
    // Sealed by the restart or not, some of it must be found before.
    cluster.restart_coordinator().await;
    batch(&cluster.api, &[visit(PERSON, SITE, PAGE, 0)]).await;
    let (api, data) = (&cluster.api, cluster.data_dir());
    assert!(!files_with(&data, PERSON).is_empty() && !files_with(&data, PAGE).is_empty());

    let person = json!({"user_id": PERSON});
    let shown = api.post("/api/visits/gdpr/export", &person).await;
    assert_eq!(shown.header("content-type"), "application/x-ndjson");
    let rows: Vec<Value> = shown.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4, "{}", shown.text);
    assert!(rows.iter().all(|row| row["user_id"] == PERSON), "{}", shown.text);
    let of_one = api.post("/api/visits/gdpr/export", &json!({"user_id": PERSON, "site_id": "blog.example"})).await;
    assert_eq!(of_one.text.lines().count(), 1);

    let erased = api.post("/api/visits/gdpr/erase", &person).await.expect(200);
    assert_eq!((&erased["erased"], &erased["sites"]), (&json!(4), &json!(2)));
    assert_eq!(files_with(&data, PERSON), [""; 0]);
    assert_eq!(files_with(&data, PAGE), [""; 0]);
    assert_eq!(figure(api, "pageviews", "").await, 50);
    assert_eq!(api.post("/api/visits/gdpr/erase", &person).await.expect(200)["erased"], 0);

    cluster.restart_coordinator().await;
    let (api, data) = (&cluster.api, cluster.data_dir());
    assert_eq!(files_with(&data, PERSON), [""; 0]);
    assert_eq!(figure(api, "pageviews", "").await, 50);
    assert_eq!(api.get("/stats").await.expect(200)["total_visits"], 55, "what was counted stays counted");
}

#[tokio::test]
async fn a_hashed_person_is_found_and_erased_too() {
    let cluster = tracker(&[]).await;
    let api = &cluster.api;
    batch(api, &[visit(PERSON, SITE, PAGE, 1), visit("other", SITE, "/", 1)]).await;
    let data = cluster.data_dir();
    assert_eq!(files_with(&data, PERSON), [""; 0]);
    let mode = std::fs::metadata(data.join("visits")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else on the machine looks in");
    let person = json!({"user_id": PERSON, "site_id": SITE});
    let shown = api.post("/api/visits/gdpr/export", &person).await;
    assert!(shown.text.lines().count() == 1 && shown.text.contains(PAGE), "{}", shown.text);
    assert_eq!(api.post("/api/visits/gdpr/erase", &person).await.expect(200)["erased"], 1);
    assert_eq!(files_with(&data, PAGE), [""; 0]);
    assert_eq!(figure(api, "visitors", "").await, 1);

    // The id of the visit loses its control character and the white space around it, and so does the one asked for.
    batch(api, &[visit(" strange\u{7}id ", SITE, PAGE, 1)]).await;
    let strange = json!({"user_id": "strange\u{7}id"});
    assert_eq!(api.post("/api/visits/gdpr/erase", &strange).await.expect(200)["erased"], 1);

    for (body, field) in [(json!({"user_id": " "}), "user_id"), (json!({"user_id": "x".repeat(3000)}), "user_id")] {
        let refused = api.post("/api/visits/gdpr/erase", &body).await.expect(422);
        assert_eq!(refused["details"][0]["field"], field);
    }
    assert_eq!(api.post("/api/visits/gdpr/erase", &json!({"user_id": 1})).await.status, 422);
    let unknown = json!({"user_id": "x", "site_id": "none.example"});
    assert_eq!(api.post("/api/visits/gdpr/erase", &unknown).await.status, 404);
}
