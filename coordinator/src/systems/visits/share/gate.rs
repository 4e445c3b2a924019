//! What a share link permits: reading the figures of its site, nothing else.

use poem::Request;
use poem::http::Method;
use trafficlab_shared::clock;

use crate::http::App;
use crate::systems::visits::stats::scope::Grant;
use crate::systems::{Code, Fault, Outcome};
use crate::visits::book::shares;

/// Everything below is about visits.
const ROOT: &str = "/api/visits/";
/// What links open. Single visits, settings and links themselves are not among it.
const OPEN: [&str; 6] = ["aggregate", "timeseries", "breakdown", "realtime", "retention", "goals"];

/// What the link of a request permits; nothing for requests without one. A request that brings a link is judged by it
/// alone, also where no token is needed, so that a link shows the same to everybody.
///
/// # Errors
/// 404 for a token that opens nothing, 403 where links open nothing.
pub(crate) fn grant(app: &App, request: &Request) -> Outcome<Option<Grant>> {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix(ROOT) else { return Ok(None) };
    let Some(token) = presented(request) else { return Ok(None) };
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !read || !is_open(rest) {
        return Err(Fault::new(Code::Forbidden, "A link shows figures only"));
    }
    let share = shares::find(app.store(), &token, clock::wall_ns())?;
    let share = share.ok_or_else(|| Fault::not_found("The link is unknown, revoked or over"))?;
    Ok(Some(Grant { site: share.site, name: share.name }))
}

fn is_open(rest: &str) -> bool {
    OPEN.contains(&rest) || rest == "funnels" || rest.starts_with("funnels/")
}

/// The token in the header or the query.
fn presented(request: &Request) -> Option<String> {
    let header = request.headers().get("x-share-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = || {
        let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        pairs.into_iter().find(|(name, _)| name == "share").map(|(_, token)| token.into_owned())
    };
    header.or_else(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_open_figures_only() {
        for open in ["aggregate", "breakdown", "funnels", "funnels/x", "retention", "realtime", "timeseries", "goals"] {
            assert!(is_open(open), "{open}");
        }
        for closed in ["export", "sites", "sites/a.example", "shares", "imports", "goals/x", "aggregate/", ""] {
            assert!(!is_open(closed), "{closed}");
        }
    }

    #[test]
    fn tokens_come_in_the_header_or_the_query() {
        let request = |uri: &str| Request::builder().uri_str(uri);
        assert_eq!(presented(&request("/api/visits/aggregate?a=1&share=x%20y").finish()).as_deref(), Some("x y"));
        let both = request("/api/visits/aggregate?share=x").header("x-share-token", "h").finish();
        assert_eq!(presented(&both).as_deref(), Some("h"));
        assert_eq!(presented(&request("/api/visits/aggregate?shared=x").finish()), None);
    }
}
