//! The form of every answer of the family.

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde::Serialize;

/// One page of a list
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Object)]
pub struct Pagination {
    /// From 1
    pub page: u64,
    /// Items of a full page
    pub page_size: u64,
    /// Items of all pages
    pub total: u64,
    /// Pages
    pub total_pages: u64,
}

/// An answer
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "Answer")]
pub struct Envelope<T: Type + ParseFromJSON + ToJSON> {
    /// Always true
    pub success: bool,
    /// What was asked for
    pub data: T,
    /// A sentence for people, after a change
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub message: Option<String>,
    /// The page, of a list
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub pagination: Option<Pagination>,
}

impl<T: Type + ParseFromJSON + ToJSON> Envelope<T> {
    /// What was asked for.
    pub const fn of(data: T) -> Self {
        Self { success: true, data, message: None, pagination: None }
    }

    /// What became of a change.
    pub fn done(data: T, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::of(data) }
    }

    /// One page of a list.
    pub fn page(data: T, pagination: Pagination) -> Self {
        Self { pagination: Some(pagination), ..Self::of(data) }
    }
}

/// What was removed
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "Removed")]
pub struct Gone {
    /// Its number
    pub id: u64,
}
