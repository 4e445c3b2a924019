//! What callers see of an import.

use poem_openapi::Object;
use serde::Serialize;

/// What an import found, and what it did or would do
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdImportReport")]
pub struct ImportReport {
    /// Its number, when something was written
    pub import_id: Option<u64>,
    /// `preview` or `commit`
    pub mode: String,
    /// What the file is
    pub file: FileReport,
    /// The first day, `YYYY-MM-DD`
    pub date_from: Option<String>,
    /// The last day
    pub date_to: Option<String>,
    /// What the campaigns' money is in
    pub currencies: Vec<String>,
    /// Rows with figures, wrong ones too
    pub rows: u64,
    /// Days that are, or would be, written
    pub days: u64,
    /// Days that had no figures
    pub inserted: u64,
    /// Days that had others
    pub updated: u64,
    /// Days that had the same
    pub unchanged: u64,
    /// How many campaigns the file is about
    pub campaigns_total: u64,
    /// Those campaigns, at most 1,000 of them
    pub campaigns: Vec<CampaignReport>,
    /// Rows without figures, the first of them
    pub skipped: Vec<SkippedReport>,
    /// How many rows have no figures
    pub skipped_total: u64,
    /// The first rows as they were understood
    pub sample: Vec<SampleReport>,
    /// What is wrong, the first 100 mistakes
    pub errors: Vec<ErrorReport>,
    /// How many mistakes there are
    pub errors_total: u64,
    /// What is worth knowing
    pub warnings: Vec<String>,
}

/// What a file is
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdImportFile")]
pub struct FileReport {
    /// `meta` (Ads Manager), `google` (Ads) or `plain`
    pub format: String,
    /// `utf-8`, `utf-16le` or `utf-16be`
    pub encoding: String,
    /// What stands between cells: `comma`, `tab` or `semicolon`
    pub separator: String,
    /// `mdy` or `dmy`: which number of `1/2/2024` is the month
    pub date_format: String,
    /// `point` or `comma`: the sign before fractions
    pub decimal: String,
    /// The columns
    pub columns: Vec<ColumnReport>,
}

/// A column of a file
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdImportColumn")]
pub struct ColumnReport {
    /// Its name there
    pub column: String,
    /// What it is here; null when it is of no use
    pub field: Option<String>,
}

/// A campaign of a file
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdImportCampaign")]
pub struct CampaignReport {
    /// Its number here; null when there is none yet
    pub campaign_id: Option<u64>,
    /// Its id at the platform, as the file says
    pub external_id: Option<String>,
    /// Its name, as the file says
    pub name: Option<String>,
    /// Where it runs
    pub platform: Option<String>,
    /// `campaign_id`, `external_id` or `campaign_name`: how it was found; `new` when it is made, `not_found` otherwise
    pub matched_by: String,
    /// What its money is in
    pub currency: String,
    /// Days that are, or would be, written
    pub days: u64,
    /// The first of them
    pub date_from: Option<String>,
    /// The last of them
    pub date_to: Option<String>,
    /// Days that had no figures
    pub inserted: u64,
    /// Days that had others
    pub updated: u64,
    /// Days that had the same
    pub unchanged: u64,
    /// Sum of the money spent
    pub spend: f64,
}

/// A row without figures
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "AdImportSkipped")]
pub struct SkippedReport {
    /// The line of the file
    pub row: u64,
    /// Why it has none
    pub reason: String,
}

/// A row as it was understood
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdImportSample")]
pub struct SampleReport {
    /// The line of the file
    pub row: u64,
    /// The campaign's name or id, as the file says
    pub campaign: String,
    /// The day
    pub date: String,
    /// How often the ad was shown
    pub impressions: u64,
    /// How often it was clicked
    pub clicks: u64,
    /// Conversions
    pub conversions: f64,
    /// Money spent
    pub spend: f64,
    /// Value of the conversions
    pub revenue: f64,
}

/// A mistake in a file
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "AdImportError")]
pub struct ErrorReport {
    /// The line of the file, from 1
    pub row: u64,
    /// The column; null when it is the whole row
    pub column: Option<String>,
    /// What stands there, at most 80 letters
    pub value: String,
    /// What is wrong
    pub message: String,
}

/// An import that was written
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "AdImport")]
pub struct ImportView {
    /// Its number
    pub id: u64,
    /// When
    pub created_at: String,
    /// Who sent the file
    pub user_id: Option<u64>,
    /// `meta`, `google` or `plain`
    pub format: String,
    /// Rows with figures, wrong ones too
    pub rows: u64,
    /// What was wrong and left out
    pub errors: u64,
    /// Campaigns that got days
    pub campaigns: u64,
    /// Campaigns that were made
    pub created: u64,
    /// Days that had no figures
    pub inserted: u64,
    /// Days that had others
    pub updated: u64,
    /// Days that had the same
    pub unchanged: u64,
    /// The first day
    pub date_from: Option<String>,
    /// The last day
    pub date_to: Option<String>,
    /// What the money was in
    pub currencies: Vec<String>,
}
