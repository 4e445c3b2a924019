//! The ingest in the API's documentation. Its endpoints are answered ahead of the router, which therefore cannot tell
//! of them; they are described here by hand.

use poem::http::{Method, StatusCode};
use poem_openapi::registry::{
    MetaApi, MetaHeader, MetaMediaType, MetaOperation, MetaOperationParam, MetaParamIn, MetaPath, MetaRequest,
    MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{OpenApi, Tags};

use super::types::{BatchAnswer, Event, Stats, Visit, Visited};
use crate::http::error::ErrorBody;
use crate::http::tags::Tag;

/// The paths of the ingest.
pub struct Ingest;

impl OpenApi for Ingest {
    fn meta() -> Vec<MetaApi> {
        let paths = vec![
            path("/visit", vec![visit()]),
            path("/visit/batch", vec![batch()]),
            path("/visit/event", vec![event("visitEvent", "The same for the script: an event, as Plausible sends it")]),
            path("/api/event", vec![event("event", "Count an event, as Plausible's scripts and libraries send it")]),
            path("/visit.gif", vec![pixel()]),
            path("/stats", vec![stats()]),
        ];
        vec![MetaApi { paths }]
    }

    fn register(registry: &mut Registry) {
        Tag::Visits.register(registry);
        ErrorBody::register(registry);
        Visit::register(registry);
        Visited::register(registry);
        BatchAnswer::register(registry);
        Event::register(registry);
        Stats::register(registry);
    }

    fn add_routes(self, _: &mut RouteTable) {}
}

type RouteTable =
    std::collections::HashMap<String, std::collections::HashMap<Method, poem::endpoint::BoxEndpoint<'static>>>;

fn path(path: &str, operations: Vec<MetaOperation>) -> MetaPath {
    MetaPath { path: path.to_owned(), operations }
}

fn visit() -> MetaOperation {
    let answers = vec![
        answer(200, "The visit is on the disk", json(Visited::schema_ref())),
        dropped("It is not counted, for the reason in the header", json(Visited::schema_ref())),
    ];
    let request = request(vec![("application/json", Visit::schema_ref()), ("text/plain", Visit::schema_ref())]);
    let summary = "Count a visit; 200 means that it is on the disk";
    MetaOperation {
        request: Some(request),
        params: vec![param("Idempotency-Key", MetaParamIn::Header, text(), "Stands in for `event_id`")],
        ..operation(Method::POST, "visit", summary, answers, &[400, 403, 408, 413, 415, 422, 429, 500, 503, 507])
    }
}

fn batch() -> MetaOperation {
    let answers = vec![answer(200, "What became of each visit", json(BatchAnswer::schema_ref()))];
    let list = MetaSchema { items: Some(Box::new(Visit::schema_ref())), ..MetaSchema::new("array") };
    let list = MetaSchemaRef::Inline(Box::new(list));
    let request = request(vec![("application/json", list), ("application/x-ndjson", Visit::schema_ref())]);
    let summary = "Count up to 10 000 visits, as an array or as lines; a wrong one spoils none of the others";
    let results = "`all` lists the accepted visits too";
    MetaOperation {
        request: Some(request),
        params: vec![
            param("results", MetaParamIn::Query, text(), results),
            param("Idempotency-Key", MetaParamIn::Header, text(), "With its place, stands in for a visit's `event_id`"),
        ],
        ..operation(Method::POST, "visitBatch", summary, answers, &[400, 403, 408, 413, 415, 422, 500, 503, 507])
    }
}

fn event(id: &'static str, summary: &'static str) -> MetaOperation {
    let ok = || vec![media("text/plain", text())];
    let answers = vec![dropped("`ok`: it is on the disk, or left out for the reason in the header", ok())];
    let request = request(vec![("application/json", Event::schema_ref()), ("text/plain", Event::schema_ref())]);
    MetaOperation {
        request: Some(request),
        ..operation(Method::POST, id, summary, answers, &[400, 403, 408, 413, 429, 500, 503, 507])
    }
}

fn pixel() -> MetaOperation {
    let picture = || vec![media("image/gif", binary())];
    let answers = vec![
        answer(200, "One transparent dot; the visit is on the disk", picture()),
        dropped("The same; the visit is not counted, for the reason in the header", picture()),
    ];
    let query = |name: &str, description: &str| param(name, MetaParamIn::Query, text(), description);
    let summary = "Count a visit of a page or mail without scripts";
    MetaOperation {
        params: vec![
            query("url", "The page's URL; else that of the header `Referer`"),
            query("user_id", "The sender's id of the visitor; without it visitors are told apart by the day's salt"),
            query("r", "The referring page"),
            query("e", "`pageview` when it is not given"),
            query("event_id", "For idempotency"),
        ],
        ..operation(Method::GET, "visitPixel", summary, answers, &[403, 422, 429, 500, 503, 507])
    }
}

fn stats() -> MetaOperation {
    let answers = vec![answer(200, "Uptime and counts", json(Stats::schema_ref()))];
    let hours = MetaSchema { minimum: Some(0.1), maximum: Some(168.0), ..MetaSchema::new("number") };
    let hours = MetaSchemaRef::Inline(Box::new(hours));
    let description = "Hours that `recent_visits` looks back, 1 when not given";
    MetaOperation {
        params: vec![param("timeframe_hours", MetaParamIn::Query, hours, description)],
        ..operation(Method::GET, "stats", "Uptime and counts of visits", answers, &[401, 403, 422, 500])
    }
}

fn operation(
    method: Method,
    id: &'static str,
    summary: &'static str,
    mut answers: Vec<MetaResponse>,
    errors: &[u16],
) -> MetaOperation {
    let reason = |status: u16| StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let error = |status: &u16| answer(*status, reason(*status).unwrap_or_default(), json(ErrorBody::schema_ref()));
    answers.extend(errors.iter().map(error));
    MetaOperation {
        method,
        tags: vec![Tag::Visits.name()],
        summary: Some(summary),
        description: None,
        external_docs: None,
        params: Vec::new(),
        request: None,
        responses: MetaResponses { responses: answers },
        deprecated: false,
        security: Vec::new(),
        operation_id: Some(id),
        code_samples: Vec::new(),
    }
}

fn answer(status: u16, description: &'static str, content: Vec<MetaMediaType>) -> MetaResponse {
    MetaResponse { description, status: Some(status), status_range: None, content, headers: Vec::new() }
}

/// 202, with the header that says why.
fn dropped(description: &'static str, content: Vec<MetaMediaType>) -> MetaResponse {
    let header = MetaHeader {
        name: "X-Visit-Dropped".to_owned(),
        description: Some("Why the visit is not counted".to_owned()),
        required: false,
        deprecated: false,
        schema: text(),
    };
    MetaResponse { headers: vec![header], ..answer(202, description, content) }
}

fn json(schema: MetaSchemaRef) -> Vec<MetaMediaType> {
    vec![media("application/json", schema)]
}

const fn media(content_type: &'static str, schema: MetaSchemaRef) -> MetaMediaType {
    MetaMediaType { content_type, schema }
}

fn request(kinds: Vec<(&'static str, MetaSchemaRef)>) -> MetaRequest {
    let content = kinds.into_iter().map(|(kind, schema)| media(kind, schema)).collect();
    MetaRequest { description: None, content, required: true }
}

fn param(name: &str, in_type: MetaParamIn, schema: MetaSchemaRef, description: &str) -> MetaOperationParam {
    MetaOperationParam {
        name: name.to_owned(),
        schema,
        in_type,
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        explode: true,
        style: None,
    }
}

fn text() -> MetaSchemaRef {
    String::schema_ref()
}

fn binary() -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
}
