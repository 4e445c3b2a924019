//! What callers see of imports, of a person's data, and of retention.

use poem_openapi::Object;
use serde::{Deserialize, Serialize};

use crate::store::visit_imports::VisitImport;
use crate::systems::time;

/// A line that does not count
#[derive(Debug, Serialize, Object)]
#[oai(rename = "ImportExample")]
pub(super) struct ExampleBody {
    /// Its file in an archive; empty otherwise
    file: String,
    /// Its number, from 1
    line: u64,
    /// What is wrong with it
    message: String,
}

/// Lines that do not count for one reason
#[derive(Debug, Serialize, Object)]
#[oai(rename = "ImportSkipped")]
pub(super) struct SkippedBody {
    /// The reason: `unreadable`, `no_page_view`, `bad_url`, `no_host`, `unknown_site`, `too_many_sites`, `too_old`,
    /// `in_the_future`, `too_long`, `own_visits`, `imported_before`, `unknown_file`
    reason: String,
    /// How many
    count: u64,
    /// The first of them
    examples: Vec<ExampleBody>,
}

/// An import of visits
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitImport")]
pub(super) struct ImportBody {
    /// Always true
    success: bool,
    /// Its id
    import_id: String,
    /// `queued`, `running`, `done`, `failed`
    status: String,
    /// Why it failed; what it had brought is removed then
    error: Option<String>,
    /// What the sender calls the file
    name: String,
    /// The site of everything in it; null when the log says it line by line
    site_id: Option<String>,
    /// `auto`, `nginx`, `apache`, `caddy`, `plausible`
    format: String,
    /// Whether it only counts
    dry_run: bool,
    /// Bytes of the file
    bytes: u64,
    /// Bytes that are read
    bytes_read: u64,
    /// The part that is read, 0 to 1
    progress: f64,
    /// Lines, or rows of tables
    lines: u64,
    /// Those that count
    accepted: u64,
    /// Those that do not
    skipped_total: u64,
    /// Those that do not, by reason
    skipped: Vec<SkippedBody>,
    /// When the file was sent, RFC 3339 in UTC
    created_at: String,
    /// When it was over
    ended_at: Option<String>,
}

impl ImportBody {
    pub(super) fn of(id: &str, import: &VisitImport) -> Self {
        let tally = &import.tally;
        let skipped = tally.skipped.iter().map(|(reason, skipped)| SkippedBody {
            reason: reason.clone(),
            count: skipped.count,
            examples: skipped.examples.iter().map(example).collect(),
        });
        Self {
            success: true,
            import_id: id.to_owned(),
            status: import.state.as_str().to_owned(),
            error: import.error.clone(),
            name: import.name.clone(),
            site_id: import.site.clone(),
            format: import.format.as_str().to_owned(),
            dry_run: import.dry_run,
            bytes: import.bytes,
            bytes_read: tally.bytes.min(import.bytes),
            progress: part(tally.bytes, import.bytes),
            lines: tally.lines,
            accepted: tally.accepted,
            skipped_total: tally.skipped(),
            skipped: skipped.collect(),
            created_at: time::rfc3339(import.created_ns),
            ended_at: import.ended_ns.map(time::rfc3339),
        }
    }
}

fn example(example: &crate::store::visit_imports::ImportExample) -> ExampleBody {
    ExampleBody { file: example.file.clone(), line: example.line, message: example.message.clone() }
}

/// To four places.
fn part(read: u64, all: u64) -> f64 {
    let parts = read.min(all).saturating_mul(10_000).checked_div(all).unwrap_or(0);
    f64::from(u32::try_from(parts).unwrap_or(0)) / 10_000.0
}

/// Imports of visits
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitImports")]
pub(super) struct ImportListBody {
    /// Always true
    pub(super) success: bool,
    /// All there are
    pub(super) total: u64,
    /// The newest of them
    pub(super) imports: Vec<ImportBody>,
}

/// An import that is gone
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitImportRemoved")]
pub(super) struct ImportRemovedBody {
    /// Always true
    pub(super) success: bool,
    /// Its id
    pub(super) import_id: String,
    /// A sentence
    pub(super) message: String,
}

/// Whose data is meant
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "VisitPerson")]
pub(super) struct PersonBody {
    /// The id that visits were sent with as `user_id`
    pub(super) user_id: String,
    /// Only of this site
    #[serde(default)]
    pub(super) site_id: Option<String>,
}

/// What was erased
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitsErased")]
pub(super) struct ErasedBody {
    /// Always true
    pub(super) success: bool,
    /// Visits that are gone from every file
    pub(super) erased: u64,
    /// Sites that had some
    pub(super) sites: u64,
}

/// What is to go
#[derive(Debug, Deserialize, Object)]
#[oai(rename = "VisitPrune")]
pub(super) struct PruneBody {
    /// Only of this site
    #[serde(default)]
    pub(super) site_id: Option<String>,
    /// Days that stay, today among them; without it each site's own setting
    #[serde(default)]
    pub(super) keep_days: Option<u32>,
    /// Only tell
    #[serde(default)]
    pub(super) dry_run: bool,
}

/// What goes of a site, or would go
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitPrunedSite")]
pub(super) struct PrunedSiteBody {
    /// The site
    pub(super) site_id: String,
    /// The first day that stays
    pub(super) keep_from: String,
    /// Visits
    pub(super) visits: u64,
    /// Files
    pub(super) parts: u64,
    /// Bytes on the disk
    pub(super) bytes: u64,
}

/// What is gone, or would go
#[derive(Debug, Serialize, Object)]
#[oai(rename = "VisitsPruned")]
pub(super) struct PrunedBody {
    /// Always true
    pub(super) success: bool,
    /// Whether nothing was removed
    pub(super) dry_run: bool,
    /// Visits in all
    pub(super) visits: u64,
    /// Bytes in all
    pub(super) bytes: u64,
    /// Sites of which something goes
    pub(super) sites: Vec<PrunedSiteBody>,
}
