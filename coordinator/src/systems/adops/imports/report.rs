//! Makes what callers see of an import.

use trafficlab_engine::ads::figures::{Figures, MILLI};
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::ratio::decimal;
use trafficlab_engine::ads::table::{DateOrder, Decimal};

use super::types::{
    CampaignReport, ColumnReport, ErrorReport, FileReport, ImportReport, ImportView, SampleReport, SkippedReport,
};
use crate::adops::CampaignId;
use crate::adops::actor::Who;
use crate::adops::book::Upserted;
use crate::adops::imports::faults::RowFault;
use crate::adops::imports::{AdsImport, Group, Plan, Row, Target};
use crate::systems::time::rfc3339;

/// Campaigns that are told of one by one.
const TOLD: usize = 1000;

impl ImportReport {
    /// What a plan would do; or did, as import `id`.
    #[must_use]
    pub fn of(plan: &Plan, mode: &str, id: Option<u64>, outcome: Upserted) -> Self {
        let groups = plan.groups.iter().zip(&plan.outcomes);
        let faults = plan.faults.sorted();
        let skipped = plan.skipped.iter();
        let sample = plan.sample.iter().filter_map(|(place, row)| Some(sample(plan.groups.get(*place)?, row)));
        Self {
            import_id: id,
            mode: mode.to_owned(),
            file: file(plan),
            date_from: plan.days.map(|(first, _)| first.to_string()),
            date_to: plan.days.map(|(_, last)| last.to_string()),
            currencies: codes(&plan.currencies()),
            rows: plan.rows,
            days: plan.good,
            inserted: outcome.inserted,
            updated: outcome.updated,
            unchanged: outcome.unchanged,
            campaigns_total: count(plan.groups.len()),
            campaigns: groups.take(TOLD).map(|(group, outcome)| campaign(group, *outcome)).collect(),
            skipped: skipped.map(|one| SkippedReport { row: one.row, reason: one.reason.to_owned() }).collect(),
            skipped_total: plan.skipped_total,
            sample: sample.collect(),
            errors: faults.into_iter().map(error).collect(),
            errors_total: plan.faults.total(),
            warnings: plan.warnings.clone(),
        }
    }
}

impl ImportView {
    /// A record as callers see it.
    #[must_use]
    pub fn of(id: u64, import: &AdsImport) -> Self {
        Self {
            id,
            created_at: rfc3339(import.at_ns),
            user_id: Who::user(import.who).map(|user| user.get()),
            format: import.format.clone(),
            rows: import.rows,
            errors: import.errors,
            campaigns: import.campaigns,
            created: import.created,
            inserted: import.outcome.inserted,
            updated: import.outcome.updated,
            unchanged: import.outcome.unchanged,
            date_from: import.first.map(|day| day.to_string()),
            date_to: import.last.map(|day| day.to_string()),
            currencies: codes(&import.currencies),
        }
    }
}

fn file(plan: &Plan) -> FileReport {
    let (found, style) = (&plan.facts.found, plan.facts.style);
    let columns = found.layout.columns.iter().zip(&found.layout.fields);
    let column = |(column, field): (&String, &Option<_>)| ColumnReport {
        column: column.clone(),
        field: field.map(|field: trafficlab_engine::ads::table::Field| field.as_str().to_owned()),
    };
    FileReport {
        format: found.layout.format.as_str().to_owned(),
        encoding: found.encoding.as_str().to_owned(),
        separator: match found.separator {
            b'\t' => "tab",
            b';' => "semicolon",
            _ => "comma",
        }
        .to_owned(),
        date_format: if style.dates == DateOrder::MonthFirst { "mdy" } else { "dmy" }.to_owned(),
        decimal: if style.decimal == Decimal::Point { "point" } else { "comma" }.to_owned(),
        columns: columns.map(column).collect(),
    }
}

fn campaign(group: &Group, outcome: Upserted) -> CampaignReport {
    let spend: Figures = group.rows.iter().map(|row| row.figures).sum();
    let matched = match (&group.target, group.by()) {
        (_, Some(by)) => by.as_str(),
        (Target::New, None) => "new",
        _ => "not_found",
    };
    CampaignReport {
        campaign_id: group.id().map(CampaignId::get),
        external_id: group.external_id.clone(),
        name: (!group.name.is_empty()).then(|| group.name.clone()),
        platform: group.platform.map(|platform| platform.as_str().to_owned()),
        matched_by: matched.to_owned(),
        currency: group.currency.to_string(),
        days: count(group.rows.len()),
        date_from: group.rows.first().map(|row| row.day.to_string()),
        date_to: group.rows.last().map(|row| row.day.to_string()),
        inserted: outcome.inserted,
        updated: outcome.updated,
        unchanged: outcome.unchanged,
        spend: group.currency.major(spend.spend),
    }
}

fn sample(group: &Group, row: &Row) -> SampleReport {
    let shown = if group.name.is_empty() { group.external_id.clone().unwrap_or_default() } else { group.name.clone() };
    SampleReport {
        row: row.line.into(),
        campaign: shown,
        date: row.day.to_string(),
        impressions: row.figures.impressions,
        clicks: row.figures.clicks,
        conversions: decimal(row.figures.conversions_milli.into(), MILLI.ilog10()),
        spend: group.currency.major(row.figures.spend),
        revenue: group.currency.major(row.figures.revenue),
    }
}

fn error(fault: RowFault) -> ErrorReport {
    let column = (!fault.column.is_empty()).then_some(fault.column);
    ErrorReport { row: fault.row, column, value: fault.value, message: fault.message }
}

fn codes(currencies: &[Currency]) -> Vec<String> {
    currencies.iter().map(ToString::to_string).collect()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::adops::TenantId;
    use crate::adops::campaign::Platform;
    use crate::adops::imports::Wishes;
    use crate::adops::imports::samples::{Desk, META};

    #[tokio::test]
    async fn a_preview_tells_everything() {
        let desk = Desk::new();
        desk.add(Platform::Meta, Some("77"), "Spring").await;
        let plan = desk.plan(META, &Wishes::default()).unwrap();
        let report = ImportReport::of(&plan, "preview", None, plan.outcome());
        assert_eq!((report.file.format.as_str(), report.rows, report.skipped_total), ("meta", 2, 1));
        assert_eq!((report.date_from.as_deref(), report.date_to.as_deref()), (Some("2024-06-01"), Some("2024-06-02")));
        let campaign = &report.campaigns[0];
        assert_eq!(
            (campaign.campaign_id, campaign.matched_by.as_str(), campaign.inserted),
            (Some(1), "external_id", 2)
        );
        assert_eq!((report.sample.len(), report.sample[1].row, report.sample[1].clicks), (2, 3, 20));
        assert_eq!(report.file.columns[6].field.as_deref(), Some("spend"));
        assert_eq!(
            desk.book.get(TenantId(1), CampaignId(1)).unwrap().real.get(plan.days.unwrap().0),
            None,
            "and writes nothing"
        );
    }
}
