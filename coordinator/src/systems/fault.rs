//! Why a request is refused or fails, in the words of its caller; `http::error` turns it into a response.

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use crate::dispatch::captures::{CaptureFault, Full};
use crate::entries::ReadError;
use crate::store::StoreError;
use crate::visits::store::VisitsError;
use crate::windows::WindowsError;

/// The closed list of error codes; each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A field or the body is wrong.
    Validation,
    /// The body or its type cannot be read.
    Malformed,
    /// No valid credential.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// The target is not allowed.
    TargetNotAllowed,
    /// There is no such thing.
    NotFound,
    /// The campaign does not generate.
    NotRunning,
    /// The path knows other methods.
    MethodNotAllowed,
    /// The request took too long to arrive.
    RequestTimeout,
    /// The state does not permit it.
    Conflict,
    /// The body is too long.
    PayloadTooLarge,
    /// The body has another type than JSON.
    UnsupportedMediaType,
    /// The request is well formed and cannot be carried out.
    Unprocessable,
    /// The caller sends more than it may.
    RateLimited,
    /// A defect of ours.
    Internal,
    /// Something needed is away for now.
    Unavailable,
    /// No room is left.
    InsufficientStorage,
}

impl Code {
    /// The stable word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation_error",
            Self::Malformed => "malformed_body",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::TargetNotAllowed => "target_not_allowed",
            Self::NotFound => "not_found",
            Self::NotRunning => "not_running",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict => "conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Unprocessable => "unprocessable_entity",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal_error",
            Self::Unavailable => "service_unavailable",
            Self::InsufficientStorage => "insufficient_storage",
        }
    }
}

/// A refusal or failure. `Display` gives the sentence for the caller.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// The fields to blame.
    pub details: Vec<FieldFault>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u32>,
    /// Further members of the body.
    pub extra: Map<String, Value>,
}

/// What services answer with.
pub type Outcome<T> = Result<T, Fault>;

impl Fault {
    /// A fault with a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), retry_after: None, extra: Map::new() }
    }

    /// Wrong fields, all together.
    #[must_use]
    pub fn validation(details: Vec<FieldFault>) -> Self {
        let message = match details.as_slice() {
            [only] => format!("`{}`: {}", only.field, only.message),
            several => format!("{} fields are wrong", several.len()),
        };
        Self { details, ..Self::new(Code::Validation, message) }
    }

    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![FieldFault::new(field, message)])
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// No campaign has this id.
    #[must_use]
    pub fn no_campaign(id: &str) -> Self {
        let shown: String = id.chars().take(64).collect();
        Self::not_found(format!("Campaign `{}` not found", shown.escape_default()))
    }

    /// The state does not permit it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// The broker is away, and starting needs it.
    #[must_use]
    pub fn broker_away() -> Self {
        let message = "The message broker is not reachable; nothing can be started until it is back";
        Self { retry_after: Some(5), ..Self::new(Code::Unavailable, message) }
    }

    /// Adds a member to the body.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a field to blame.
    #[must_use]
    pub fn detail(mut self, field: &str, message: impl Into<String>) -> Self {
        self.details.push(FieldFault::new(field, message));
        self
    }

    /// A defect of ours: the log gets the reason, the caller does not.
    pub fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{what}");
        Self::new(Code::Internal, "An internal error occurred; the log has the details under this request's id")
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { limit, .. } => Self::new(
                Code::PayloadTooLarge,
                format!("The record would be larger than the {limit} bytes that are stored of one"),
            ),
            StoreError::ReadOnly { .. } => {
                tracing::error!(%error, "a change was refused");
                let message = "The store takes no changes since a disk error; the log names it";
                Self { retry_after: Some(60), ..Self::new(Code::Unavailable, message) }
            }
            other => Self::internal("store", &other),
        }
    }
}

impl From<VisitsError> for Fault {
    fn from(error: VisitsError) -> Self {
        match error {
            VisitsError::Busy => {
                let message = "Too many visits wait to be written; send this again";
                Self { retry_after: Some(1), ..Self::new(Code::Unavailable, message) }
            }
            VisitsError::Full(_) => {
                tracing::error!(%error, "visits cannot be stored");
                Self::new(Code::InsufficientStorage, "There is no room on the disk for visits")
            }
            VisitsError::Closed => {
                Self { retry_after: Some(2), ..Self::new(Code::Unavailable, "The server is stopping") }
            }
            VisitsError::Store(error) => error.into(),
            other => Self::internal("visits", &other),
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::internal("entries cannot be read", &error)
    }
}

impl From<WindowsError> for Fault {
    fn from(error: WindowsError) -> Self {
        Self::internal("windows cannot be read", &error)
    }
}

impl From<CaptureFault> for Fault {
    fn from(fault: CaptureFault) -> Self {
        match fault {
            CaptureFault::Unknown(id) => Self::not_found("Capture not found").with("capture_id", id),
            CaptureFault::Store(error) => error.into(),
            other => Self::internal("capture", &other),
        }
    }
}

impl From<Full> for Fault {
    fn from(full: Full) -> Self {
        match full {
            Full::Fault(fault) => fault.into(),
            full => Self::new(Code::InsufficientStorage, full.to_string()),
        }
    }
}
