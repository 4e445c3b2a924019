//! A tenant of the ad-operations family and its people, as clients see it.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::cluster::{Builder, Cluster};

/// The password of every person of the tests.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

static PEOPLE: AtomicU32 = AtomicU32::new(1);

/// A signed-in person of a tenant, or a key of theirs.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) base: String,
    pub(crate) client: Client,
    pub(crate) id: u64,
    pub(crate) user: u64,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// A coordinator whose rates are no hindrance to a test.
pub(crate) fn ads() -> Builder {
    let wide = [("LIMITS__LOGIN_PER_MINUTE", "100000"), ("LIMITS__API_PER_MINUTE", "1000000")];
    wide.into_iter().fold(Cluster::builder(), |builder, (key, value)| builder.set(key, value))
}

/// An address nobody has yet.
pub(crate) fn fresh_email(name: &str) -> String {
    let number = PEOPLE.fetch_add(1, Ordering::Relaxed);
    format!("{name}.{number}@example.com")
}

impl Tenant {
    /// Registers a tenant of this name; acts as its admin.
    pub(crate) async fn register(api: &Api, name: &str) -> Self {
        let email = fresh_email("admin");
        let body = json!({"email": email, "password": PASSWORD, "full_name": "Ada Admin", "tenant_name": name});
        let mut made = api.post("/api/v1/auth/register", &body).await.expect(201);
        let data = made["data"].take();
        Self {
            base: api.base.clone(),
            client: api.client.clone(),
            id: data["tenant"]["id"].as_u64().unwrap(),
            user: data["user"]["id"].as_u64().unwrap(),
            email,
            access: data["access_token"].as_str().unwrap().to_owned(),
            refresh: data["refresh_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Adds a person of this role and signs them in.
    pub(crate) async fn user(&self, role: &str) -> Self {
        let email = fresh_email(role);
        let body = json!({"email": email, "password": PASSWORD, "full_name": "Petra Person", "role": role});
        let (status, made) = self.post("/api/v1/users", &body).await;
        assert_eq!(status, 201, "{made}");
        let user = made["data"]["id"].as_u64().unwrap();
        Self { user, email, ..self.clone() }.signed_in().await
    }

    /// Makes a key of this role; what comes back shows it in place of a token.
    pub(crate) async fn key(&self, role: &str) -> Self {
        let (status, made) = self.post("/api/v1/api-keys", &json!({"name": "test", "role": role})).await;
        assert_eq!(status, 201, "{made}");
        Self { access: made["data"]["api_key"].as_str().unwrap().to_owned(), refresh: String::new(), ..self.clone() }
    }

    /// The same person in a new session.
    pub(crate) async fn signed_in(&self) -> Self {
        let form = [("username", self.email.as_str()), ("password", PASSWORD)];
        let request = self.client.post(format!("{}/api/v1/auth/login", self.base)).form(&form);
        let tokens = Answer::of(request).await.unwrap().expect(200);
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token"), ..self.clone() }
    }

    /// A request with the person's token, to be filled and sent with `Answer::of`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.access)
    }

    /// Sends a request; the whole answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.short(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.short(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.short(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.short(Method::DELETE, path, None).await
    }

    async fn short(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, path, body).await;
        (answer.status, answer.body)
    }
}
