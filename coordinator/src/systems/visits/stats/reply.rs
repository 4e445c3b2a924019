//! Figures as they are sent: JSON of a documented form, or CSV.

use std::marker::PhantomData;

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde_json::{Value, json};

use super::csv;
use super::service::View;
use super::wrong;
use crate::http::error::Documented;
use crate::systems::Outcome;

/// Statuses of refused questions.
#[derive(Debug)]
pub struct Question;

impl Documented for Question {
    const STATUSES: &'static [u16] = &[400, 401, 403, 404, 422, 500, 503];
}

/// How figures are written
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON
    Json,
    /// CSV
    Csv,
}

impl Format {
    /// Reads the parameter.
    ///
    /// # Errors
    /// 422 for another word.
    pub fn read(text: Option<&str>) -> Outcome<Self> {
        match text {
            None | Some("" | "json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(wrong("format", "must be `json` or `csv`")),
        }
    }
}

/// Figures, whose JSON has the form `D`.
#[derive(Debug)]
pub struct Sheet<D> {
    name: &'static str,
    format: Format,
    view: View,
    documented: PhantomData<fn() -> D>,
}

impl<D> Sheet<D> {
    /// The answer.
    #[must_use]
    pub const fn new(name: &'static str, format: Format, view: View) -> Self {
        Self { name, format, view, documented: PhantomData }
    }
}

impl<D: Send> IntoResponse for Sheet<D> {
    fn into_response(self) -> Response {
        let View { columns, rows, results, meta } = self.view;
        if self.format == Format::Csv {
            let name = format!("attachment; filename=\"{}.csv\"", self.name);
            let response = Response::builder().content_type("text/csv; charset=utf-8");
            return response.header(header::CONTENT_DISPOSITION, name).body(csv::write(&columns, &rows));
        }
        let results = results.unwrap_or_else(|| rows.into_iter().map(Value::Object).collect());
        let body = json!({"results": results, "meta": meta});
        Response::builder().content_type("application/json").body(body.to_string())
    }
}

impl<D: Type> ApiResponse for Sheet<D> {
    fn meta() -> MetaResponses {
        let content = vec![
            MetaMediaType { content_type: "application/json", schema: D::schema_ref() },
            MetaMediaType { content_type: "text/csv", schema: String::schema_ref() },
        ];
        let response = MetaResponse {
            description: "The figures",
            status: Some(200),
            status_range: None,
            content,
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
    }
}
