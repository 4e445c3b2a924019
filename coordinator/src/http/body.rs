//! JSON bodies, read leniently in their form and strictly in their content.

use std::marker::PhantomData;

use poem::http::header;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use trafficlab_shared::error::FieldFault;

use super::error::into_poem;
use super::unique;
use crate::systems::{Code, Fault};

/// Longest body of a request, put there by the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) usize);

/// A JSON body read as `T` and documented as `D`. No Content-Type means JSON; an empty body is `{}`.
#[derive(Debug)]
pub struct JsonBody<T, D = T> {
    /// The body.
    pub value: T,
    /// SHA-256 of its bytes, to recognise a repeated request.
    pub digest: [u8; 32],
    documented: PhantomData<fn() -> D>,
}

impl<'a, T: DeserializeOwned + Send, D: Type> ApiExtractor<'a> for JsonBody<T, D> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: D::schema_ref() }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let bytes = read(request, body).await?;
        let digest = Sha256::digest(&bytes).into();
        let value = parse(&bytes).map_err(into_poem)?;
        Ok(Self { value, digest, documented: PhantomData })
    }
}

async fn read(request: &Request, body: &mut RequestBody) -> Result<Vec<u8>> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().unwrap_or("?"));
    if let Some(found) = content_type.filter(|value| !is_json(value)) {
        let message =
            format!("The body must be sent as `Content-Type: application/json`, not `{}`", found.escape_default());
        return Err(into_poem(Fault::new(Code::UnsupportedMediaType, message)));
    }
    bytes(request, body).await
}

/// The bytes of a body within the limit, whatever they are.
pub(crate) async fn bytes(request: &Request, body: &mut RequestBody) -> Result<Vec<u8>> {
    let limit = request.data::<BodyLimit>().map_or(1 << 20, |limit| limit.0);
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(into_poem(too_long(limit)));
    }
    match body.take()?.into_bytes_limit(limit).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(into_poem(too_long(limit))),
        Err(error) => Err(error.into()),
    }
}

/// A body beyond its limit.
pub(super) fn too_long(limit: usize) -> Fault {
    let fault = Fault::new(Code::PayloadTooLarge, format!("The body is longer than {limit} bytes"));
    Fault { details: vec![FieldFault::new("body", format!("is longer than {limit} bytes"))], ..fault }
}

pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.is_empty()
        || essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

/// Reads a JSON text: what is malformed is named by line and column, what has the wrong type by its field.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, Fault> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => value,
        Err(error) if error.inner().is_data() => {
            let path = error.path().to_string();
            let field = if path == "." { "body".to_owned() } else { path };
            let message = plain(error.inner());
            return Err(Fault::validation(vec![FieldFault::new(field, message)]));
        }
        Err(error) => return Err(malformed(error.inner())),
    };
    reader.end().map_err(|error| malformed(&error))?;
    unique::check(bytes).map_err(|twice| Fault::field(twice, "is there twice"))?;
    Ok(value)
}

/// A text that is no JSON, with its line and column.
pub(crate) fn malformed(error: &serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    let message = format!("The body is not valid JSON: {} at line {line} column {column}", plain(error));
    Fault::new(Code::Malformed, message).with("line", line).with("column", column)
}

/// The parser's message without the place, which is told apart.
pub(crate) fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde::Deserialize;
    use serde_json::{Map, Value};

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        number: u32,
    }

    #[test]
    fn malformed_bodies_name_line_and_column() {
        let fault = parse::<Map<String, Value>>(b"{\n \"a\": nope}").unwrap_err();
        assert_eq!(fault.code, Code::Malformed);
        assert_eq!(fault.extra["line"], 2);
        for text in [&b"{\"a\":1} x"[..], b"{\"a\":NaN}", b"{", b"\xff", &[b'['; 5000]] {
            assert_eq!(parse::<Value>(text).unwrap_err().code, Code::Malformed, "{text:?}");
        }
    }

    #[test]
    fn wrong_types_name_the_field() {
        let fault = parse::<Outer>(br#"{"inner":[{"number":1},{"number":"x"}]}"#).unwrap_err();
        assert_eq!(fault.code, Code::Validation);
        assert_eq!(fault.details[0].field, "inner[1].number");
        assert_eq!(parse::<Map<String, Value>>(b"[1]").unwrap_err().details[0].field, "body");
    }

    #[test]
    fn a_member_that_is_there_twice_is_refused() {
        let fault = parse::<Value>(br#"{"a":[{"b":1,"c":{},"b":2}]}"#).unwrap_err();
        assert_eq!((fault.code, fault.details[0].field.as_str()), (Code::Validation, "b"));
        assert!(parse::<Value>(br#"[{"a":1,"b":{"a":1}},{"a":1}]"#).is_ok());
    }

    #[test]
    fn nothing_is_an_empty_object() {
        assert!(parse::<Outer>(b" \n").unwrap().inner.is_empty());
        assert_eq!(parse::<Outer>(br#"{"inner":[{"number":3}]}"#).unwrap().inner[0].number, 3);
    }

    #[test]
    fn media_types() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
