//! The HTTP API as a client sees it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use super::wait::eventually;

/// The server at one address.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) client: Client,
}

/// A response; `body` is null when it is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
    asked: String,
}

impl Answer {
    /// The answer to a request; fails when the server is not there.
    pub(crate) async fn of(request: RequestBuilder) -> reqwest::Result<Self> {
        let (client, request) = request.build_split();
        let request = request?;
        let asked = format!("{} {}", request.method(), request.url().path());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, body, text, asked })
    }

    /// The body of a response that must have this status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self.body
    }

    /// A header's text; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Api {
    pub(crate) fn new(base: String) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self { base, client }
    }

    /// Sends a request; fails when the server is not there.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request).await
    }

    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// Creates a session; comes back with its id.
    pub(crate) async fn create(&self, body: &Value) -> String {
        let session = self.post("/api/sessions/", body).await.expect(201);
        session["id"].as_str().unwrap().to_owned()
    }

    /// Sets a campaign's status.
    pub(crate) async fn set_status(&self, id: &str, status: &str) -> Answer {
        self.put(&format!("/api/traffic/campaigns/{id}/status"), &json!({"status": status})).await
    }

    /// Starts a campaign's generation; comes back with the job's id.
    pub(crate) async fn generate(&self, id: &str) -> String {
        let answer = self.post("/api/traffic/generate", &json!({"campaign_id": id})).await.expect(200);
        answer["thread_id"].as_str().unwrap().to_owned()
    }

    /// Creates a campaign, sets it to `running` and starts it: its id and its job's.
    pub(crate) async fn start(&self, body: &Value) -> (String, String) {
        let id = self.create(body).await;
        self.set_status(&id, "running").await.expect(200);
        let job = self.generate(&id).await;
        (id, job)
    }

    /// A campaign's status; none while the server is away.
    pub(crate) async fn status(&self, id: &str) -> Option<String> {
        let session = self.try_get(&format!("/api/sessions/{id}")).await.ok()?;
        Some(session.body["status"].as_str()?.to_owned())
    }

    /// Waits until a campaign has this status.
    pub(crate) async fn wait_for(&self, id: &str, wanted: &str, within: Duration) {
        let mut last = None;
        let what = format!("campaign `{id}` being {wanted}");
        let reached = async || {
            last = self.status(id).await.or(last.take());
            assert!(last.as_deref() != Some("error") || wanted == "error", "campaign `{id}` failed");
            (last.as_deref() == Some(wanted)).then_some(())
        };
        eventually(within, &what, reached).await;
    }

    /// The counters of `/stats`.
    pub(crate) async fn stats(&self, id: &str) -> Value {
        self.get(&format!("/api/traffic/stats/{id}")).await.expect(200)["data"].take()
    }

    /// Waits until a campaign has stored so many entries.
    pub(crate) async fn wait_for_entries(&self, id: &str, entries: u64) {
        let what = format!("{entries} requests of `{id}`");
        let enough = async || {
            let stats = self.try_get(&format!("/api/traffic/stats/{id}")).await.ok()?;
            (stats.body["data"]["total_requests"].as_u64()? >= entries).then_some(())
        };
        eventually(Duration::from_secs(40), &what, enough).await;
    }
}
