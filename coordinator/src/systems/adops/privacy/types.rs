//! Exports, erasures, consents and retention as callers see and ask for them.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde::Serialize;

use crate::adops::accounts::user::Consent;
use crate::adops::privacy::{Erased, Erasure};
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// Whose data to export
#[derive(Debug, Object)]
#[oai(rename = "PersonExportBody")]
pub(super) struct ExportBody {
    /// The person; oneself, or as an admin anybody of the tenant
    user_id: Option<u64>,
    /// `json`, the only one
    format: Option<String>,
}

/// An archive that was made
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "PersonExport")]
pub(super) struct ExportView {
    /// Whose data it holds
    pub user_id: u64,
    /// `json`
    pub format: String,
    /// Where it can be fetched once, with the token of whoever may see it
    pub download_url: String,
    /// Until when
    pub expires_at: String,
    /// Bytes
    pub file_size: u64,
}

/// Whom to anonymise
#[derive(Debug, Object)]
#[oai(rename = "AnonymiseBody")]
pub(super) struct AnonymiseBody {
    /// The person; oneself, or as an admin anybody of the tenant
    user_id: Option<u64>,
    /// A word for the audit log, such as `user_request`
    reason: Option<String>,
}

/// What was erased
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "ErasureDone")]
pub(super) struct DoneView {
    /// The person
    pub user_id: u64,
    /// `anonymised`, `deleted`, `already`, or `tenant_deleted`
    pub status: String,
    /// When the last copy in the server's files will be gone at the latest
    pub complete_by: Option<String>,
}

/// An erasure that was made
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "Erasure")]
pub(super) struct ErasureView {
    /// `anonymised` or `deleted`
    pub kind: String,
    /// The person's number, which says nothing any more
    pub user_id: u64,
    /// When it was asked for
    pub requested_at: String,
    /// When it was done
    pub done_at: Option<String>,
    /// When nothing of it was left in any file
    pub compacted_at: Option<String>,
}

impl ErasureView {
    pub(super) fn of(erasure: &Erasure) -> Self {
        Self {
            kind: match erasure.kind {
                Erased::Anonymised => "anonymised",
                Erased::Deleted => "deleted",
                Erased::Tenant => "tenant",
            }
            .to_owned(),
            user_id: erasure.id,
            requested_at: rfc3339(erasure.at_ns),
            done_at: maybe_rfc3339(erasure.done_ns),
            compacted_at: maybe_rfc3339(erasure.compacted_ns),
        }
    }
}

/// What a person said about a purpose
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "Consent")]
pub(super) struct ConsentView {
    /// Whether they agree
    pub granted: bool,
    /// When they said so
    pub at: String,
}

/// Consents by purpose.
pub(super) type Consents = BTreeMap<String, ConsentView>;

pub(super) fn consents(all: &BTreeMap<String, Consent>) -> Consents {
    let view = |consent: &Consent| ConsentView { granted: consent.granted, at: rfc3339(consent.at_ns) };
    all.iter().map(|(purpose, consent)| (purpose.clone(), view(consent))).collect()
}

/// For how long personal data is kept
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "Retention")]
pub(super) struct RetentionView {
    /// Days after which the addresses of audit entries go; null keeps them
    pub audit_address_days: Option<u32>,
    /// Days in which a deleted campaign can be restored; then it is gone
    pub deleted_campaign_days: u32,
    /// Hours after which an archive or export is removed
    pub export_hours: u32,
}

impl RetentionView {
    pub(super) const fn of(audit_address_days: Option<u32>) -> Self {
        Self { audit_address_days, deleted_campaign_days: 30, export_hours: 1 }
    }
}
