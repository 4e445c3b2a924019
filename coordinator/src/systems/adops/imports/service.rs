//! Receives a file, and answers what its import does or would do.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::table::{DateOrder, Decimal};
use trafficlab_shared::clock;
use trafficlab_shared::error::FieldFault;

use super::types::ImportReport;
use crate::adops::Actor;
use crate::adops::campaign::Platform;
use crate::adops::imports::{Place, Plan, Wishes, plan, write};
use crate::http::App;
use crate::systems::upload::body::{Accepts, UploadBody};
use crate::systems::upload::{self, disk};
use crate::systems::{Code, Fault, Outcome, blocking};

/// Where files are sent to.
pub(crate) const PATH: &str = "/api/v1/metrics/import";

/// The parameters as they came.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) platform: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) create_missing: Option<String>,
    pub(super) on_error: Option<String>,
    pub(super) duplicates: Option<String>,
    pub(super) date_format: Option<String>,
    pub(super) decimal: Option<String>,
    pub(super) currency: Option<String>,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    commit: bool,
    wishes: Wishes,
}

/// The types that a file may come as when it comes alone.
pub(super) struct TableTypes;

impl Accepts for TableTypes {
    const TYPES: Option<&'static [&'static str]> =
        Some(&["text/csv", "application/csv", "text/plain", "text/tab-separated-values", "application/octet-stream"]);
    const REFUSAL: &'static str = "A table is text/csv, application/octet-stream or the field `file` of a form";
}

impl Asked {
    /// Reads the parameters.
    ///
    /// # Errors
    /// 400 naming each that is wrong.
    pub(super) fn order(&self) -> Outcome<Order> {
        let mut faults = Vec::new();
        let platforms: Vec<(&str, Platform)> = Platform::ALL.iter().map(|one| (one.as_str(), *one)).collect();
        let truth = [("true", true), ("false", false)];
        let dates = [("mdy", DateOrder::MonthFirst), ("dmy", DateOrder::DayFirst)];
        let decimals = [("point", Decimal::Point), ("comma", Decimal::Comma)];
        let commit = one_of("mode", self.mode.as_deref(), &[("preview", false), ("commit", true)], &mut faults);
        let skip = one_of("on_error", self.on_error.as_deref(), &[("fail", false), ("skip", true)], &mut faults);
        let sum = one_of("duplicates", self.duplicates.as_deref(), &[("error", false), ("sum", true)], &mut faults);
        let create = one_of("create_missing", self.create_missing.as_deref(), &truth, &mut faults);
        let wishes = Wishes {
            platform: one_of("platform", self.platform.as_deref(), &platforms, &mut faults),
            create_missing: create.unwrap_or(false),
            skip: skip.unwrap_or(false),
            sum: sum.unwrap_or(false),
            dates: one_of("date_format", self.date_format.as_deref(), &dates, &mut faults),
            decimal: one_of("decimal", self.decimal.as_deref(), &decimals, &mut faults),
            currency: self.currency.as_deref().and_then(Currency::parse),
        };
        if self.currency.is_some() && wishes.currency.is_none() {
            faults.push(FieldFault::new("currency", "must be a currency of ISO 4217"));
        }
        if !faults.is_empty() {
            return Err(Fault::validation(faults));
        }
        Ok(Order { commit: commit.unwrap_or(false), wishes })
    }
}

fn one_of<T: Copy>(name: &str, text: Option<&str>, words: &[(&str, T)], faults: &mut Vec<FieldFault>) -> Option<T> {
    let text = text?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        faults.push(FieldFault::new(name, format!("must be one of {}", words.join(", "))));
    }
    found
}

/// Receives a file and imports it, or tells what that would do. The file is gone when this ends, however it ends.
///
/// # Errors
/// 400, 408, 413, 422 with every wrong row, 503 while others are received, 507.
pub(super) async fn import(
    app: &Arc<App>,
    actor: Actor,
    order: Order,
    body: UploadBody<TableTypes>,
) -> Outcome<ImportReport> {
    let most = app.config.captures.max_upload_bytes.0;
    upload::fits(body.announced.unwrap_or(0), most, &app.config.data_dir)?;
    let place = app.adops.imports.place().map_err(disk)?.ok_or_else(busy)?;
    let (_, file) = body.file().await?;
    upload::write(&place.file, most, file, |_| ()).await?;
    let turn = app.adops.imports.turn().await.ok_or_else(busy)?;
    let (app, runtime) = (Arc::clone(app), Handle::current());
    // Reading and writing both take a second for a million rows: neither belongs among the async threads.
    blocking(move || {
        let _turn = turn;
        runtime.block_on(carry_out(&app, &actor, order, place))
    })
    .await
}

async fn carry_out(app: &App, actor: &Actor, order: Order, place: Place) -> Outcome<ImportReport> {
    let (store, book) = (app.store(), &app.adops.book);
    let path: &PathBuf = &place.file;
    let plan = plan(store, book, actor.tenant, path, &order.wishes, clock::wall_ns())?;
    drop(place);
    if !order.commit {
        return Ok(ImportReport::of(&plan, "preview", None, plan.outcome()));
    }
    if plan.faults.total() > 0 && !order.wishes.skip {
        return Err(refused(&plan));
    }
    let (id, record) = write(store, book, actor, &plan).await?;
    tracing::info!(import = id, rows = record.rows, campaigns = record.campaigns, "figures were imported");
    Ok(ImportReport::of(&plan, "commit", Some(id), record.outcome))
}

/// The mistakes of a file that is not imported because of them.
fn refused(plan: &Plan) -> Fault {
    let total = plan.faults.total();
    let report = ImportReport::of(plan, "commit", None, plan.outcome());
    let message = format!("Nothing was imported: {total} mistakes were found");
    let mut fault = Fault::new(Code::Unprocessable, message);
    for error in &report.errors {
        let column = error.column.as_deref().map_or_else(String::new, |column| format!(", {column}"));
        fault = fault.detail(&format!("row {}{column}", error.row), error.message.clone());
    }
    let errors = serde_json::to_value(&report.errors).unwrap_or_default();
    fault.with("errors", errors).with("errors_total", total)
}

fn busy() -> Fault {
    Fault { retry_after: Some(5), ..Fault::new(Code::Unavailable, "Other files are imported right now") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = || Some("x".to_owned());
        let asked = Asked {
            platform: wrong(),
            mode: wrong(),
            create_missing: wrong(),
            on_error: wrong(),
            duplicates: wrong(),
            date_format: wrong(),
            decimal: wrong(),
            currency: wrong(),
        };
        let fault = asked.order().unwrap_err();
        assert_eq!((fault.code, fault.details.len()), (Code::Validation, 8));
        let order = Asked { mode: Some("commit".into()), ..Asked::default() }.order().unwrap();
        assert!(order.commit && !order.wishes.skip && !order.wishes.create_missing);
        assert!(!Asked::default().order().unwrap().commit, "a preview unless asked otherwise");
    }
}
