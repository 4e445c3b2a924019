//! Access when the server can be reached by others: tokens and their roles.

use reqwest::Method;

use super::must_be_error;
use crate::harness::Cluster;

// The hashes of `reader-token`, `operator-token` and `admin-token`.
const TOKENS: &str = r#"[
    { name = "r", role = "read", sha256 = "READ" },
    { name = "o", role = "operate", sha256 = "OPERATE" },
    { name = "a", role = "admin", sha256 = "ADMIN" },
]"#;

async fn ask(cluster: &Cluster, method: Method, path: &str, token: Option<&str>) -> (u16, serde_json::Value) {
    let mut request = cluster.api.client.request(method, format!("{}{path}", cluster.api.base)).body("{}");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn tokens_and_roles_are_asked_for() {
    let tokens = TOKENS
        .replace("READ", "ba5005a40cf5212e4ac0190104cc127edab013294bb71279a975b27a80982d45")
        .replace("OPERATE", "0850123315d21ab90f4f7236408a52ef6dbd6a02a6550e5c10dc73f4d993680e")
        .replace("ADMIN", "10a4c7c9fc5206d6f36dc6944a81bb6f4a3cb0e25014ae3b12e6c3e52712292a");
    let cluster =
        Cluster::builder().set("AUTH__API_TOKENS", &tokens).set("PUBLIC_URL", "http://lab.example").start().await;
    for token in [None, Some("nonsense"), Some("")] {
        let (status, body) = ask(&cluster, Method::GET, "/api/sessions/", token).await;
        must_be_error(&format!("{token:?}"), status, &body, 401);
    }
    assert_eq!(ask(&cluster, Method::GET, "/health", None).await.0, 200);
    assert_eq!(ask(&cluster, Method::GET, "/api/sessions/", Some("reader-token")).await.0, 200);
    let (status, body) = ask(&cluster, Method::POST, "/api/sessions/", Some("reader-token")).await;
    must_be_error("a reader who writes", status, &body, 403);
    assert_eq!(ask(&cluster, Method::POST, "/api/sessions/", Some("operator-token")).await.0, 201);
    assert_eq!(ask(&cluster, Method::GET, "/api/sessions/", Some("admin-token")).await.0, 200);
}
