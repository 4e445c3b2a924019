//! All endpoints of the server, and the paths that end with a slash.

use std::sync::{Arc, LazyLock};

use poem::http::Uri;
use poem::http::uri::PathAndQuery;
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response, Route, get};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use super::adops::{self, Adops};
use super::app::App;
use super::docs;
use super::health::HealthApi;
use super::metrics::MetricsApi;
use crate::systems::alerts::routes::AlertsApi;
use crate::systems::analyzer::anomaly_routes::AnomaliesApi;
use crate::systems::analyzer::baseline_routes::BaselinesApi;
use crate::systems::analyzer::capture_routes::CapturesApi;
use crate::systems::analyzer::control_routes::ControlApi;
use crate::systems::analyzer::export::routes::ExportApi;
use crate::systems::analyzer::metrics_routes::WindowsApi;
use crate::systems::analyzer::streams::routes::StreamsApi;
use crate::systems::cluster::routes::ClusterApi;
use crate::systems::sessions::routes::SessionsApi;
use crate::systems::traffic::campaign_routes::CampaignsApi;
use crate::systems::traffic::data_routes::DataApi;
use crate::systems::traffic::routes::TrafficApi;
use crate::systems::visits::admin::book_routes::BookApi;
use crate::systems::visits::admin::site_routes::SitesApi;
use crate::systems::visits::ingest::describe::Ingest;
use crate::systems::visits::share::page::{self, SharePage};
use crate::systems::visits::stats::routes::StatsApi;
use crate::systems::visits::transfer::routes::TransferApi;

/// Collections whose documented path ends with a slash. The router knows them without it.
const SLASHED: [&str; 6] =
    ["/api/sessions", "/api/metrics", "/api/anomalies", "/api/baselines", "/api/captures", "/api/alerts"];

static METHODS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&specification()).unwrap_or_default());

/// The whole server inside its frame.
pub(crate) fn all(app: &Arc<App>) -> impl Endpoint<Output = Response> + use<> {
    let service = service(apis(app));
    let spec = specification();
    let swagger = docs::swagger(&service.swagger_ui_html(), &service.spec(), &spec);
    let redoc = docs::redoc(&service.redoc_html(), &service.spec(), &spec);
    let service = Arc::new(service.into_endpoint());
    let mut route = Route::new();
    for root in ["/api", "/health", "/metrics"] {
        route = route.nest_no_strip(root, Arc::clone(&service));
    }
    route
        .at("/", get(docs::page(docs::INDEX)))
        .at("/docs", get(docs::page(swagger)))
        .at("/redoc", get(docs::page(redoc)))
        .at("/openapi.json", get(docs::json(spec)))
        .at("/share/page.js", get(page::script))
        .at("/share/:token", get(SharePage::new(app)))
        .map_to_response()
}

type Apis = (
    TrafficApi,
    CampaignsApi,
    DataApi,
    SessionsApi,
    Document,
    Beyond,
    Visits,
    Adops,
    ClusterApi,
    HealthApi,
    MetricsApi,
);
/// The analyzer document.
type Document = (WindowsApi, AnomaliesApi, BaselinesApi, CapturesApi, ControlApi);
/// What the analyzer has beyond its document.
type Beyond = (StreamsApi, ExportApi, AlertsApi);
/// The tracker beyond what `hot` answers.
type Visits = (StatsApi, SitesApi, BookApi, TransferApi);
fn apis(app: &Arc<App>) -> Apis {
    (
        TrafficApi(Arc::clone(app)),
        CampaignsApi(Arc::clone(app)),
        DataApi(Arc::clone(app)),
        SessionsApi(Arc::clone(app)),
        (
            WindowsApi(Arc::clone(app)),
            AnomaliesApi(Arc::clone(app)),
            BaselinesApi(Arc::clone(app)),
            CapturesApi(Arc::clone(app)),
            ControlApi(Arc::clone(app)),
        ),
        (StreamsApi(Arc::clone(app)), ExportApi(Arc::clone(app)), AlertsApi(Arc::clone(app))),
        (StatsApi(Arc::clone(app)), SitesApi(Arc::clone(app)), BookApi(Arc::clone(app)), TransferApi(Arc::clone(app))),
        adops::apis(app),
        ClusterApi(Arc::clone(app)),
        HealthApi(Arc::clone(app)),
        MetricsApi(Arc::clone(app)),
    )
}

fn service<T: OpenApi>(api: T) -> OpenApiService<T, ()> {
    OpenApiService::new(api, "trafficlab", env!("CARGO_PKG_VERSION")).description(
        "Synthetic traffic from campaigns to stored results. Every error has the body `Error`; \
         every response carries `X-Request-Id`. Unless the server listens on loopback only, requests carry a token: \
         `Authorization: Bearer …` or `X-API-Key`.",
    )
}

/// The `OpenAPI` document, with the documented slashes. It needs the types of the handlers, not their state.
fn specification() -> String {
    // `OpenApi::meta` is static, so an API without state is only a name for the types.
    let mut spec = service(Described).spec();
    for path in SLASHED {
        spec = spec.replace(&format!("\"{path}\": {{"), &format!("\"{path}/\": {{"));
    }
    spec
}

/// The types of [`Apis`] without their state, and of what `hot` answers.
struct Described;

impl OpenApi for Described {
    fn meta() -> Vec<poem_openapi::registry::MetaApi> {
        let mut all = Apis::meta();
        all.extend(Ingest::meta());
        all
    }

    fn register(registry: &mut poem_openapi::registry::Registry) {
        Apis::register(registry);
        Ingest::register(registry);
    }

    fn add_routes(self, _: &mut RouteTable) {}
}

type RouteTable = std::collections::HashMap<
    String,
    std::collections::HashMap<poem::http::Method, poem::endpoint::BoxEndpoint<'static>>,
>;

/// The slashed form of a collection's path without its slash, with the query.
pub(crate) fn redirect(uri: &Uri) -> Option<Uri> {
    SLASHED.contains(&uri.path()).then(|| with_path(uri, &format!("{}/", uri.path()))).flatten()
}

/// The router's path of a collection.
pub(crate) fn internal(uri: &Uri) -> Option<Uri> {
    let bare = uri.path().strip_suffix('/')?;
    SLASHED.contains(&bare).then(|| with_path(uri, bare)).flatten()
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Some(Uri::from(PathAndQuery::try_from(text).ok()?))
}

/// The methods that a path of the API knows.
pub(crate) fn methods(path: &str) -> Option<Value> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.trim_end_matches('/').split('/').collect();
        template.len() == segments.len()
            && template.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
    };
    let paths = METHODS.get("paths")?.as_object()?;
    let (_, operations) = paths.iter().find(|(template, _)| fits(template))?;
    let names = operations.as_object()?.keys().map(|name| Value::String(name.to_ascii_uppercase()));
    Some(Value::Array(names.collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn collections_end_with_a_slash() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        assert_eq!(redirect(&uri("/api/sessions?limit=2")).unwrap().to_string(), "/api/sessions/?limit=2");
        assert_eq!(redirect(&uri("/api/sessions/")), None);
        assert_eq!(internal(&uri("/api/sessions/?a=b")).unwrap().to_string(), "/api/sessions?a=b");
        assert_eq!(internal(&uri("/api/sessions/x")), None);
    }

    /// The endpoints beside those of ad operations, which the end-to-end tests have with their rights.
    const DESCRIBED: &[(&str, &str)] = &[
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
        ("post", "/api/traffic/stop-all"),
        ("get", "/api/traffic/compare"),
        ("post", "/api/sessions/"),
        ("get", "/api/sessions/"),
        ("get", "/api/sessions/{session_id}"),
        ("put", "/api/sessions/{session_id}"),
        ("delete", "/api/sessions/{session_id}"),
        ("get", "/api/captures/{capture_id}/stream"),
        ("get", "/api/captures/{capture_id}/ws"),
        ("get", "/api/captures/{capture_id}/export"),
        ("get", "/api/metrics/stream"),
        ("get", "/api/alerts/"),
        ("post", "/api/alerts/test"),
        ("get", "/api/status"),
        ("get", "/api/control/status"),
        ("get", "/api/control/config"),
        ("get", "/api/control/ping"),
        ("get", "/api/metrics/"),
        ("get", "/api/metrics/{window_id}"),
        ("get", "/api/metrics/summary"),
        ("post", "/api/metrics/compute"),
        ("get", "/api/anomalies/"),
        ("get", "/api/anomalies/by-type"),
        ("get", "/api/anomalies/window/{window_id}"),
        ("get", "/api/anomalies/top"),
        ("post", "/api/anomalies/detect"),
        ("get", "/api/baselines/"),
        ("get", "/api/baselines/{type}"),
        ("get", "/api/baselines/stats"),
        ("post", "/api/baselines/generate"),
        ("post", "/api/control/capture/start"),
        ("post", "/api/control/capture/stop"),
        ("get", "/api/control/capture/status"),
        ("get", "/api/control/logs"),
        ("get", "/api/captures/"),
        ("post", "/api/captures/"),
        ("get", "/api/captures/{capture_id}"),
        ("delete", "/api/captures/{capture_id}"),
        ("post", "/visit"),
        ("post", "/visit/batch"),
        ("post", "/visit/event"),
        ("post", "/api/event"),
        ("get", "/visit.gif"),
        ("get", "/stats"),
        ("get", "/api/visits/aggregate"),
        ("get", "/api/visits/timeseries"),
        ("get", "/api/visits/breakdown"),
        ("get", "/api/visits/realtime"),
        ("get", "/api/visits/retention"),
        ("get", "/api/visits/sites"),
        ("post", "/api/visits/sites"),
        ("get", "/api/visits/sites/{domain}"),
        ("put", "/api/visits/sites/{domain}"),
        ("delete", "/api/visits/sites/{domain}"),
        ("get", "/api/visits/goals"),
        ("post", "/api/visits/goals"),
        ("delete", "/api/visits/goals/{goal_id}"),
        ("get", "/api/visits/funnels"),
        ("post", "/api/visits/funnels"),
        ("get", "/api/visits/funnels/{funnel_id}"),
        ("delete", "/api/visits/funnels/{funnel_id}"),
        ("get", "/api/visits/shares"),
        ("post", "/api/visits/shares"),
        ("delete", "/api/visits/shares/{share_id}"),
        ("get", "/api/visits/export"),
        ("post", "/api/visits/import"),
        ("get", "/api/visits/imports"),
        ("get", "/api/visits/import/{import_id}"),
        ("delete", "/api/visits/import/{import_id}"),
        ("post", "/api/visits/gdpr/export"),
        ("post", "/api/visits/gdpr/erase"),
        ("post", "/api/visits/prune"),
        ("get", "/health"),
        ("get", "/metrics"),
    ];

    #[test]
    fn every_documented_endpoint_is_described_with_its_errors() {
        let spec: Value = serde_json::from_str(&specification()).unwrap();
        let paths = spec.get("paths").unwrap();
        for (method, path) in DESCRIBED {
            assert!(paths[*path].get(*method).is_some(), "{method} {path} is not described");
        }
        for (path, operations) in paths.as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let statuses = operation["responses"].as_object().unwrap();
                let fails = statuses.keys().any(|status| status.as_str() >= "400");
                assert!(fails, "{method} {path} shows no error response");
            }
        }
    }

    #[test]
    fn methods_of_a_path() {
        assert_eq!(methods("/api/sessions/x"), Some(serde_json::json!(["DELETE", "GET", "PUT"])));
        assert_eq!(methods("/nowhere"), None);
    }
}
