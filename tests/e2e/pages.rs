//! Pages and documents that the server serves by itself.

use serde_json::Value;

use crate::harness::{Api, Cluster};

/// The paths and methods of both documents, and the probes beside them.
const ENDPOINTS: [(&str, &str); 24] = [
    ("post", "/api/traffic/generate"),
    ("post", "/api/traffic/stop/{campaign_id}"),
    ("post", "/api/traffic/cleanup/{campaign_id}"),
    ("get", "/api/traffic/monitor/{campaign_id}"),
    ("get", "/api/traffic/generated/{campaign_id}"),
    ("get", "/api/traffic/download/{campaign_id}"),
    ("get", "/api/traffic/generated"),
    ("get", "/api/traffic/stats/{campaign_id}"),
    ("get", "/api/traffic/status/{campaign_id}"),
    ("get", "/api/traffic/health"),
    ("post", "/api/traffic/test"),
    ("put", "/api/traffic/campaigns/{campaign_id}/status"),
    ("get", "/api/traffic/campaigns/{campaign_id}/info"),
    ("get", "/api/traffic/compare"),
    ("post", "/api/traffic/stop-all"),
    ("post", "/api/sessions/"),
    ("get", "/api/sessions/"),
    ("get", "/api/sessions/{session_id}"),
    ("put", "/api/sessions/{session_id}"),
    ("delete", "/api/sessions/{session_id}"),
    ("get", "/health"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
];

/// Attributes that make a browser load something, with what they name.
fn loaded(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in ["<script", "<link", "<img", "<iframe", "<source", "<font", "@import", "url("] {
        for (at, _) in html.match_indices(tag) {
            let element: String = html[at..].chars().take(400).take_while(|letter| *letter != '>').collect();
            let foreign = [
                "src=\"http",
                "href=\"http",
                "src='http",
                "href='http",
                "=\"//",
                "url(http",
                "url(\"http",
                "@import \"http",
            ];
            if foreign.iter().any(|mark| element.contains(mark)) {
                found.push(element);
            }
        }
    }
    found
}

#[tokio::test]
async fn no_page_loads_anything_from_another_host() {
    let cluster = Cluster::with_workers(0).await;
    for path in ["/", "/docs", "/redoc"] {
        let page = cluster.api.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.text.len() > 200, "{path} is empty");
        assert_eq!(loaded(&page.text), Vec::<String>::new(), "{path}");
    }
    assert_eq!(loaded(r#"<link rel="x" href="https://fonts.example/a.css">"#).len(), 1);
    describes_every_endpoint(&cluster.api).await;
    metrics_come_in_both_forms(&cluster.api).await;
}

async fn describes_every_endpoint(api: &Api) {
    let spec = api.get("/openapi.json").await.expect(200);
    assert!(spec["openapi"].as_str().unwrap().starts_with('3'), "{}", spec["openapi"]);
    let paths = spec["paths"].as_object().unwrap();
    let described: usize = paths.values().map(|methods| methods.as_object().unwrap().len()).sum();
    assert!(described >= ENDPOINTS.len(), "{described} endpoints");
    let plain = |path: &str| -> String {
        // The name of a parameter is the server's business.
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
    };
    for (method, path) in ENDPOINTS {
        let known = paths.iter().find(|(known, _)| plain(known) == plain(path));
        let operation = known.and_then(|(_, methods)| methods.get(method));
        let operation = operation.unwrap_or_else(|| panic!("{method} {path} is not described"));
        let responses = operation["responses"].as_object().unwrap();
        let errors = responses.keys().filter(|status| status.starts_with('4') || status.starts_with('5')).count();
        assert!(errors > 0, "{method} {path} names no error: {responses:?}");
    }
}

// checklist 89
async fn metrics_come_in_both_forms(api: &Api) {
    let url = format!("{}/metrics", api.base);
    let json: Value = api.client.get(&url).send().await.unwrap().json().await.unwrap();
    assert!(json.is_object());
    let request = api.client.get(&url).header("accept", "text/plain;version=0.0.4, application/json;q=0.5");
    let text = request.send().await.unwrap().text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let names: Vec<&str> = lines.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    assert!(names.len() > 5 && names.iter().all(|name| name.starts_with("trafficlab_")), "{text}");
}
