//! The form of exports in requests and answers.

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use crate::adops::exports::{Found, Status};
use crate::systems::adops::envelope::Envelope;
use crate::systems::time::rfc3339;
use trafficlab_shared::config::ExportsConfig;

/// What to export
#[derive(Debug, Object)]
#[oai(rename = "AdExportRequest")]
#[allow(dead_code, reason = "it documents a body that is read member by member")]
pub struct ExportBody {
    /// `csv` (default), `ndjson` or `parquet`
    pub format: Option<String>,
    /// `campaigns` (default): a row a campaign, its figures summed over the days; `metrics`: a row a campaign and day
    pub r#type: Option<String>,
    /// The first day, such as `2024-01-01`. Without days they are the last 30 full days of the tenant
    pub date_from: Option<String>,
    /// The last day; at most 731 days
    pub date_to: Option<String>,
    /// Campaigns of these platforms; all by default
    pub platforms: Option<Vec<String>>,
    /// Columns, in this order; the usual ones by default
    pub columns: Option<Vec<String>>,
    /// Campaigns of this status, or of one of a list
    pub status: Option<String>,
    /// Campaigns with one of these labels
    pub labels: Option<Vec<String>>,
    /// Whether figures of generated traffic count too; false by default
    pub synthetic: Option<bool>,
}

/// An export
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdExport")]
pub struct ExportView {
    /// Its id
    pub export_id: String,
    /// `queued`, `running`, `done`, `failed` or `expired`
    pub status: String,
    /// Share of the rows that are written, in percent
    pub progress: f64,
    /// Where the file is, once it is done; the same credential or another one of the tenant is needed. Each answer has a
    /// link of its own, lists have none
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// When the file goes
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Bytes of the file, so far
    pub file_size: u64,
    /// Rows of the file, so far
    pub row_count: u64,
    /// `csv`, `ndjson` or `parquet`
    pub format: String,
    /// `campaigns` or `metrics`
    pub r#type: String,
    /// The first day
    pub date_from: String,
    /// The last day
    pub date_to: String,
    /// Its columns
    pub columns: Vec<String>,
    /// When it was asked for
    pub created_at: String,
    /// Why it failed, or what it waits for
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An export that was asked for
#[derive(Debug, ApiResponse)]
pub enum Made {
    /// Its file is there
    #[oai(status = 200)]
    Done(Json<Envelope<ExportView>>),
    /// It is under way; ask for it by its id
    #[oai(status = 202)]
    UnderWay(Json<Envelope<ExportView>>),
}

/// A removed export
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "AdExportRemoved")]
pub struct Removed {
    /// Its id
    pub export_id: String,
}

/// What is shown of an export.
pub fn view(found: &Found, config: &ExportsConfig, link: Option<&str>) -> ExportView {
    let (spec, days) = (&found.export.spec, found.export.days);
    let shown = matches!(found.status, Status::Done | Status::Expired);
    ExportView {
        export_id: found.id.clone(),
        status: found.status.as_str().to_owned(),
        progress: progress(found),
        download_url: link.map(|link| format!("/api/v1/analytics/export/download/{link}")),
        expires_at: shown.then(|| rfc3339(found.expires_ns(config))),
        file_size: found.bytes,
        row_count: found.rows,
        format: spec.format.as_str().to_owned(),
        r#type: spec.table.as_str().to_owned(),
        date_from: days.first.to_string(),
        date_to: days.last.to_string(),
        columns: spec.columns.iter().map(|column| column.as_str().to_owned()).collect(),
        created_at: rfc3339(found.export.created_ns),
        reason: found.reason.clone(),
    }
}

/// In percent with one digit.
fn progress(found: &Found) -> f64 {
    if matches!(found.status, Status::Done | Status::Expired) {
        return 100.0;
    }
    let of = u128::from(found.export.spec.rows);
    trafficlab_engine::ads::ratio::ratio(u128::from(found.rows) * 100, of, 1).unwrap_or(0.0)
}
