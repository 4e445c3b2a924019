//! The page that a share link opens. It holds no figures: its script asks the API for them with the link's token.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem::http::{StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use sha2::{Digest, Sha256};
use trafficlab_shared::clock;

use crate::http::App;
use crate::systems::Fault;
use crate::visits::book::shares;

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const GONE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
    <meta name=\"color-scheme\" content=\"light dark\"><title>No such link</title></head><body><h1>This link opens nothing</h1>\
    <p>It may have been revoked or be over. Whoever gave it to you can make another one.</p></body></html>\n";

/// The page of the link in the path.
pub(crate) struct SharePage {
    app: Arc<App>,
    policy: String,
}

impl SharePage {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), policy: policy() }
    }
}

impl Endpoint for SharePage {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let token = request.uri().path().rsplit('/').next().unwrap_or_default();
        let share = shares::find(self.app.store(), token, clock::wall_ns());
        let share = share.map_err(|error| crate::http::error::into_poem(Fault::from(error)))?;
        let (status, page) = if share.is_some() { (StatusCode::OK, PAGE) } else { (StatusCode::NOT_FOUND, GONE) };
        let response = Response::builder().status(status).content_type("text/html; charset=utf-8");
        Ok(response.header(header::CONTENT_SECURITY_POLICY, &self.policy).body(page))
    }
}

/// The page's script.
#[poem::handler]
pub(crate) fn script() -> Response {
    let response = Response::builder().content_type("text/javascript; charset=utf-8");
    response.header(header::CACHE_CONTROL, "max-age=300").body(SCRIPT).into_response()
}

/// Our script, our style, our API, nothing else.
fn policy() -> String {
    let style = PAGE.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let digest = STANDARD.encode(Sha256::digest(style.map_or("", |(style, _)| style).as_bytes()));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'sha256-{digest}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() {
        assert!(policy().contains("style-src 'sha256-"));
        let inline =
            PAGE.match_indices("<script").filter(|(at, _)| !PAGE.split_at(*at).1.starts_with("<script src=\"/"));
        assert_eq!(inline.count(), 0);
        for text in [PAGE, SCRIPT, GONE] {
            let strange = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!strange.contains("http://") && !strange.contains("https://") && !strange.contains(" style="));
            assert!(!strange.contains("innerHTML") && !strange.contains(" onclick="));
        }
    }
}
