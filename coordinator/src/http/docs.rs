//! The pages that show the API. Nothing in them loads from another host, which the policy enforces too.

use bytes::Bytes;
use poem::endpoint::make_sync;
use poem::{Endpoint, Response};

/// What the UI libraries need: their own inline code, workers from blobs, pictures inside the page.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:; style-src 'unsafe-inline'; \
    img-src data: blob:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const REDOC_FONT_LINK: &str = r#"<link href="https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700" rel="stylesheet">"#;
const REDOC_LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";

/// The page at `/`.
pub(crate) const INDEX: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>trafficlab</title>\
    <style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1d2733;background:#fff}\
    a{color:#0b5cad}li{margin:.4rem 0}@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14181d}a{color:#7db8f5}}</style>\
    </head><body><h1>trafficlab</h1><p>Synthetic traffic from campaigns to stored results.</p><ul>\
    <li><a href=\"/docs\">API, to try out</a></li><li><a href=\"/redoc\">API, to read</a></li>\
    <li><a href=\"/openapi.json\">OpenAPI document</a></li><li><a href=\"/api/sessions/\">Sessions</a></li>\
    <li><a href=\"/health\">Health</a></li><li><a href=\"/metrics\">Metrics</a></li></ul></body></html>\n";

/// Swagger UI over our document in place of the generated one.
pub(crate) fn swagger(html: &str, generated: &str, ours: &str) -> String {
    html.replacen(generated, ours, 1)
}

/// `ReDoc` over our document, without the font and the logo it would fetch.
pub(crate) fn redoc(html: &str, generated: &str, ours: &str) -> String {
    html.replacen(generated, ours, 1).replace(REDOC_FONT_LINK, "").replace(REDOC_LOGO, "data:,")
}

/// A page.
pub(crate) fn page(html: impl Into<Bytes>) -> impl Endpoint<Output = Response> {
    let html = html.into();
    make_sync(move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header("Content-Security-Policy", POLICY)
            .body(html.clone())
    })
}

/// A JSON document.
pub(crate) fn json(text: String) -> impl Endpoint<Output = Response> {
    let text = Bytes::from(text);
    make_sync(move |_| Response::builder().content_type("application/json").body(text.clone()))
}
