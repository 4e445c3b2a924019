//! The body of an upload: multipart with a field `file`, or the bytes alone. It is not read here but streamed on.

use std::marker::PhantomData;

use poem::http::header;
use poem::web::Multipart;
use poem::{Body, FromRequest, Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::io::AsyncRead;

use crate::http::error::into_poem;
use crate::systems::{Code, Fault, Outcome};

/// Which types the bytes of a file may have when they come alone.
pub(crate) trait Accepts: Send + Sync {
    /// The types; nothing takes every type.
    const TYPES: Option<&'static [&'static str]>;
    /// What to say of another type.
    const REFUSAL: &'static str;
}

/// A file on its way in.
pub(crate) struct UploadBody<A> {
    form: Form,
    /// Bytes that were announced, the form's own among them.
    pub(crate) announced: Option<u64>,
    accepts: PhantomData<A>,
}

enum Form {
    Multipart(Box<Multipart>),
    Raw(Body),
}

/// The file itself.
pub(crate) type FileReader = Box<dyn AsyncRead + Send + Unpin>;

impl<'a, A: Accepts> ApiExtractor<'a> for UploadBody<A> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let binary = || MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let form =
            MetaSchema { properties: vec![("file", binary())], required: vec!["file"], ..MetaSchema::new("object") };
        let content = vec![
            MetaMediaType { content_type: "multipart/form-data", schema: MetaSchemaRef::Inline(Box::new(form)) },
            MetaMediaType { content_type: "application/octet-stream", schema: binary() },
        ];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(request: &'a Request, body: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        let announced = header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let kind = header(header::CONTENT_TYPE).unwrap_or("application/octet-stream");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let form = if kind == "multipart/form-data" {
            Form::Multipart(Box::new(<Multipart as FromRequest>::from_request(request, body).await?))
        } else if A::TYPES.is_none_or(|types| types.contains(&kind.as_str())) {
            Form::Raw(body.take()?)
        } else {
            return Err(into_poem(Fault::new(Code::UnsupportedMediaType, A::REFUSAL)));
        };
        Ok(Self { form, announced, accepts: PhantomData })
    }
}

impl<A> UploadBody<A> {
    /// The file and what its sender calls it.
    ///
    /// # Errors
    /// 400 when the form has no field `file` or cannot be read.
    pub(crate) async fn file(self) -> Outcome<(Option<String>, FileReader)> {
        let mut form = match self.form {
            Form::Raw(body) => return Ok((None, Box::new(body.into_async_read()))),
            Form::Multipart(form) => form,
        };
        loop {
            let broken = |error| Fault::new(Code::Malformed, format!("The multipart body cannot be read: {error}"));
            let Some(field) = form.next_field().await.map_err(broken)? else {
                return Err(Fault::field("file", "is missing in the multipart body"));
            };
            if field.name() == Some("file") {
                let name = field.file_name().map(str::to_owned);
                return Ok((name, Box::new(Box::pin(field.into_async_read()))));
            }
        }
    }
}
