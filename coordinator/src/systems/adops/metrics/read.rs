//! Answers with the figures of days, weeks and months, and with what was restated.

use std::sync::Arc;

use trafficlab_engine::ads::bucket::{Granularity, buckets};
use trafficlab_engine::ads::day::Days;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::series::Series;
use trafficlab_shared::clock;

use super::types::{RestatementView, RowView};
use crate::adops::analytics::range::read_range;
use crate::adops::book::{Entry, restatements};
use crate::adops::tenant::Tenant;
use crate::adops::{Actor, CampaignId};
use crate::http::App;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;
use crate::systems::{Fault, Outcome, blocking};

/// The parameters of a question, as they stand in the query.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) date_from: Option<String>,
    pub(super) date_to: Option<String>,
    pub(super) granularity: Option<String>,
    pub(super) synthetic: Option<String>,
}

/// Which figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Synthetic {
    Exclude,
    Include,
    Only,
}

impl Synthetic {
    fn read(text: Option<&str>) -> Outcome<Self> {
        match text {
            None | Some("false" | "exclude") => Ok(Self::Exclude),
            Some("true" | "include") => Ok(Self::Include),
            Some("only") => Ok(Self::Only),
            Some(_) => Err(Fault::field("synthetic", "must be `false`, `true` or `only`")),
        }
    }
}

/// The actor's campaign of an id.
///
/// # Errors
/// 404 when there is none, or it is another tenant's or deleted.
pub(super) fn campaign(app: &App, actor: &Actor, id: u64) -> Outcome<Arc<Entry>> {
    let found = app.adops.book.get(actor.tenant, CampaignId(id));
    found.ok_or_else(|| Fault::not_found(format!("Campaign {id} not found")))
}

/// The actor's tenant.
pub(super) fn tenant(app: &App, actor: &Actor) -> Outcome<Tenant> {
    Tenant::get(app.store(), actor.tenant)?.ok_or_else(|| Fault::not_found("The tenant is gone"))
}

/// The figures of a campaign.
///
/// # Errors
/// 404, 400 and 422.
pub(super) fn rows(app: &App, actor: &Actor, id: u64, asked: &Asked) -> Outcome<Envelope<Vec<RowView>>> {
    let entry = campaign(app, actor, id)?;
    let granularity = match asked.granularity.as_deref() {
        None => Granularity::Daily,
        Some(word) => Granularity::parse(word)
            .ok_or_else(|| Fault::field("granularity", "must be `daily`, `weekly` or `monthly`"))?,
    };
    let synthetic = Synthetic::read(asked.synthetic.as_deref())?;
    let tenant = tenant(app, actor)?;
    let days = read_range(&tenant, asked.date_from.as_deref(), asked.date_to.as_deref(), clock::wall_ns())?;
    Ok(Envelope::of(cut(&entry, granularity, days, synthetic)))
}

fn cut(entry: &Entry, granularity: Granularity, days: Days, synthetic: Synthetic) -> Vec<RowView> {
    let row = |bucket: Days| {
        let of = |wanted: bool, series: &Series| {
            if wanted { series.sum(bucket) } else { Figures::default() }
        };
        let real = of(synthetic != Synthetic::Only, &entry.real);
        let made = of(synthetic != Synthetic::Exclude, &entry.synthetic);
        let marked = made != Figures::default();
        RowView::of(granularity.label(bucket.first), &(real + made), entry.campaign.currency, marked)
    };
    buckets(granularity, days).into_iter().map(row).collect()
}

/// What was restated of a campaign, the newest first.
///
/// # Errors
/// 404, 400.
pub(super) async fn restated(
    app: &Arc<App>,
    actor: &Actor,
    id: u64,
    page: Page,
) -> Outcome<Envelope<Vec<RestatementView>>> {
    let entry = campaign(app, actor, id)?;
    let (app, tenant) = (Arc::clone(app), actor.tenant);
    let work = move || {
        // Counted one by one: all of them may be far more than a page.
        let (mut views, mut total) = (Vec::new(), 0_u64);
        for one in restatements(app.store(), tenant, entry.campaign.id) {
            let one = one?;
            if total >= page.skipped() && views.len() < page.size() {
                views.push(RestatementView::of(one, entry.campaign.currency));
            }
            total += 1;
        }
        Ok(Envelope::page(views, page.pagination(total)))
    };
    blocking(work).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::adops::campaigns::samples;
    use serde_json::{Value, json};
    use trafficlab_engine::ads::day::Day;
    use trafficlab_engine::ads::series::figures;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    /// The document's two days.
    fn entry() -> Entry {
        let days = [
            (day("2024-12-19"), figures([5000, 180, 7000, 12_550, 38_500])),
            (day("2024-12-20"), figures([5200, 195, 8000, 13_000, 42_000])),
        ];
        let synthetic = [(day("2024-12-20"), figures([100, 1, 500, 10, 0]))];
        Entry {
            real: Arc::new(days.into_iter().collect()),
            synthetic: Arc::new(synthetic.into_iter().collect()),
            ..samples::entry(samples::sample(1, "Summer Sale 2024"))
        }
    }

    fn shown(granularity: Granularity, first: &str, last: &str, synthetic: Synthetic) -> Value {
        let days = Days { first: day(first), last: day(last) };
        serde_json::to_value(cut(&entry(), granularity, days, synthetic)).unwrap()
    }

    #[test]
    fn the_documents_rows_come_out() {
        let rows = shown(Granularity::Daily, "2024-12-19", "2024-12-20", Synthetic::Exclude);
        let first = json!({"date": "2024-12-19", "impressions": 5000, "clicks": 180, "conversions": 7, "spend": 125.5,
            "revenue": 385.0, "ctr": 3.6, "cpc": 0.7, "cpm": 25.1, "cpa": 17.93, "roas": 3.07});
        let second = json!({"date": "2024-12-20", "impressions": 5200, "clicks": 195, "conversions": 8, "spend": 130.0,
            "revenue": 420.0, "ctr": 3.75, "cpc": 0.67, "cpm": 25.0, "cpa": 16.25, "roas": 3.23});
        assert_eq!(rows, json!([first, second]));
    }

    #[test]
    fn missing_days_are_zeros_and_weeks_are_sums() {
        let rows = shown(Granularity::Daily, "2024-12-18", "2024-12-21", Synthetic::Exclude);
        assert_eq!(
            (rows[0]["impressions"].as_u64(), &rows[0]["ctr"], rows.as_array().unwrap().len()),
            (Some(0), &Value::Null, 4)
        );
        let weeks = shown(Granularity::Weekly, "2024-12-20", "2024-12-25", Synthetic::Exclude);
        assert_eq!((weeks[0]["date"].as_str(), weeks[0]["clicks"].as_u64()), (Some("2024-12-16"), Some(195)));
        assert_eq!((weeks[1]["date"].as_str(), weeks[1]["clicks"].as_u64()), (Some("2024-12-23"), Some(0)));
    }

    #[test]
    fn generated_traffic_is_told_apart() {
        let of = |synthetic| {
            let rows = shown(Granularity::Daily, "2024-12-20", "2024-12-20", synthetic);
            (
                rows[0]["impressions"].as_u64().unwrap(),
                rows[0]["conversions"].clone(),
                rows[0].get("synthetic").cloned(),
            )
        };
        assert_eq!(of(Synthetic::Exclude), (5200, json!(8), None));
        assert_eq!(of(Synthetic::Include), (5300, json!(8.5), Some(json!(true))));
        assert_eq!(of(Synthetic::Only), (100, json!(0.5), Some(json!(true))));
        assert!(Synthetic::read(Some("yes")).is_err() && Synthetic::read(Some("")).is_err());
    }
}
