//! Bad input: the contract's status and body, naming the field; nothing is stored and the server stays healthy.

mod fields;
mod http;
mod ids;
mod random;
mod safety;
mod tokens;

use serde_json::Value;

use crate::harness::Api;

/// Checks the one body that every error has.
fn must_be_error(case: &str, status: u16, body: &Value, expected: u16) {
    assert_eq!(status, expected, "{case}: {body}");
    assert_eq!(body["success"], false, "{case}: {body}");
    for field in ["error", "message", "timestamp", "code"] {
        assert!(body[field].is_string(), "{case}: `{field}` is missing: {body}");
    }
    assert!(body["details"].is_array(), "{case}: {body}");
    let text = body.to_string();
    for leak in ["panicked", "src/", ".rs:", "<html"] {
        assert!(!text.contains(leak), "{case} leaks `{leak}`: {body}");
    }
}

/// The names of the fields that an error blames.
fn blamed(body: &Value) -> Vec<&str> {
    body["details"]
        .as_array()
        .map_or_else(Vec::new, |details| details.iter().filter_map(|detail| detail["field"].as_str()).collect())
}

/// The server is well and holds so many sessions.
async fn must_be_unharmed(api: &Api, sessions: &str) {
    assert_eq!(api.get("/health").await.expect(200)["status"], "healthy");
    assert_eq!(api.get("/api/sessions/?limit=1").await.header("x-total-count"), sessions);
}
