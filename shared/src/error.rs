//! What a caller is told about input that is merely wrong.

use serde::{Deserialize, Serialize};

/// One mistake in one field of a request or a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Path of the field, such as `config.arrivals.stages[2].target`.
    pub field: String,
    /// What is wrong with it, as a sentence without a full stop.
    pub message: String,
}

impl FieldFault {
    /// A fault of `field` that `message` explains.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}
