//! Answers questions: reads them, computes beside the async threads, and shows what was found.

use trafficlab_engine::ads::bucket::Granularity;
use trafficlab_engine::ads::compare::Earlier;
use trafficlab_engine::ads::day::Days;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_shared::error::FieldFault;

use super::asked::{Asked, Question, compare, granularity, word};
use super::rows::{
    CampaignPaceView, CampaignView, CohortView, FiguresView, IntervalView, LabelView, PaceView, PacingView,
    PlatformView, PointView,
};
use super::types::{CurrencyKpisView, EarlierView, KpisView, Ranged, TotalsView};
use crate::adops::Actor;
use crate::adops::analytics::breakdown::{self, By};
use crate::adops::analytics::ground::Ground;
use crate::adops::analytics::overview::{Overview, Sums, overview};
use crate::adops::analytics::pacing::{Item, Paces, paces};
use crate::adops::analytics::{cohorts, timeline};
use crate::adops::campaign::Platform;
use crate::adops::tenant::Tenant;
use crate::http::App;
use crate::systems::Outcome;
use crate::systems::adops::envelope::Envelope;
use crate::systems::adops::page::Page;

/// Weeks or months of cohorts when no days are said, the present one among them.
const COHORTS: usize = 12;

fn fault<T>(read: Result<T, FieldFault>, faults: &mut Vec<FieldFault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

pub(super) async fn kpis(
    app: &App,
    actor: &Actor,
    asked: &Asked,
    compared: Option<&str>,
) -> Outcome<Envelope<KpisView>> {
    let mut faults = Vec::new();
    let earlier = fault(compare(compared), &mut faults).flatten();
    let Question { ground, .. } = asked.read(app, actor, faults, None)?;
    let view = app.adops.questions.answer(move || Ok(kpis_view(&ground, earlier))).await?;
    Ok(Envelope::of(view))
}

fn kpis_view(ground: &Ground, earlier: Option<Earlier>) -> KpisView {
    let Overview { earlier, total, rest } = overview(ground, earlier);
    let changes = |sums: &Sums| sums.changes().map(Into::into);
    let previous = earlier.zip(total.before).map(|(days, before)| EarlierView {
        date_from: days.first.to_string(),
        date_to: days.last.to_string(),
        totals: TotalsView::new(&before, total.currency),
    });
    let apart = |sums: &Sums| CurrencyKpisView {
        currency: sums.currency.to_string(),
        totals: TotalsView::new(&sums.now, sums.currency),
        comparison: changes(sums),
    };
    let days = ground.scope.days;
    KpisView {
        totals: TotalsView::new(&total.now, total.currency),
        comparison: changes(&total),
        previous,
        date_from: days.first.to_string(),
        date_to: days.last.to_string(),
        currency: ground.currency.to_string(),
        by_currency: rest.iter().map(apart).collect(),
    }
}

pub(super) async fn platforms(app: &App, actor: &Actor, asked: &Asked) -> Outcome<Ranged<Vec<PlatformView>>> {
    let Question { ground, .. } = asked.read(app, actor, Vec::new(), None)?;
    let view = |row: breakdown::Row<Platform>| PlatformView {
        platform: row.key.as_str().to_owned(),
        campaigns: row.campaigns,
        figures: FiguresView::new(&row.figures, row.currency),
    };
    let answer = move || Ok(Ranged::of(&ground, breakdown::platforms(&ground).into_iter().map(view).collect(), None));
    app.adops.questions.answer(answer).await
}

pub(super) async fn labels(app: &App, actor: &Actor, asked: &Asked) -> Outcome<Ranged<Vec<LabelView>>> {
    let Question { ground, .. } = asked.read(app, actor, Vec::new(), None)?;
    let view = |row: breakdown::Row<String>| LabelView {
        label: row.key,
        campaigns: row.campaigns,
        figures: FiguresView::new(&row.figures, row.currency),
    };
    let answer = move || Ok(Ranged::of(&ground, breakdown::labels(&ground).into_iter().map(view).collect(), None));
    app.adops.questions.answer(answer).await
}

/// `sort_by`, `sort_order`, `page` and `page_size`, as they stand in the query.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    pub(super) by: Option<String>,
    pub(super) order: Option<String>,
    pub(super) page: Option<String>,
    pub(super) page_size: Option<String>,
}

impl Order {
    fn read(&self, faults: &mut Vec<FieldFault>) -> (By, bool, Option<Page>) {
        let by = fault(word("sort_by", self.by.as_deref(), By::ALL), faults).flatten();
        let orders = [("asc", false), ("desc", true)];
        let descending = fault(word("sort_order", self.order.as_deref(), orders), faults).flatten();
        (by.unwrap_or(By::Spend), descending.unwrap_or(true), self.page(faults))
    }

    fn page(&self, faults: &mut Vec<FieldFault>) -> Option<Page> {
        let page = Page::read(self.page.as_deref(), self.page_size.as_deref());
        page.map_err(|fault| faults.extend(fault.details)).ok()
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

pub(super) async fn campaigns(
    app: &App,
    actor: &Actor,
    asked: &Asked,
    order: &Order,
) -> Outcome<Ranged<Vec<CampaignView>>> {
    let mut faults = Vec::new();
    let (by, descending, page) = order.read(&mut faults);
    let Question { ground, .. } = asked.read(app, actor, faults, None)?;
    let answer = move || {
        let rows = breakdown::campaigns(&ground, by, descending);
        let total = count(rows.len());
        let shown = page.map(|page| page.of(rows.into_iter())).unwrap_or_default();
        let shown = shown.into_iter().map(|row| {
            let campaign = &row.key.campaign;
            CampaignView {
                campaign_id: campaign.id.get(),
                name: campaign.name.clone(),
                platform: campaign.platform.as_str().to_owned(),
                status: campaign.status.as_str().to_owned(),
                figures: FiguresView::new(&row.figures, row.currency),
            }
        });
        Ok(Ranged::of(&ground, shown.collect(), page.map(|page| page.pagination(total))))
    };
    app.adops.questions.answer(answer).await
}

pub(super) async fn timeseries(
    app: &App,
    actor: &Actor,
    asked: &Asked,
    parts: Option<&str>,
) -> Outcome<Ranged<Vec<PointView>>> {
    let mut faults = Vec::new();
    let granularity = fault(granularity(parts), &mut faults).unwrap_or(Granularity::Daily);
    let Question { ground, .. } = asked.read(app, actor, faults, None)?;
    let view = |point: timeline::Point| PointView {
        date: point.date.to_string(),
        figures: FiguresView::new(&point.figures, point.currency),
    };
    let answer =
        move || Ok(Ranged::of(&ground, timeline::timeline(&ground, granularity).into_iter().map(view).collect(), None));
    app.adops.questions.answer(answer).await
}

pub(super) async fn cohorts(
    app: &App,
    actor: &Actor,
    asked: &Asked,
    interval: Option<&str>,
) -> Outcome<Ranged<Vec<CohortView>>> {
    let mut faults = Vec::new();
    let intervals = [("week", Granularity::Weekly), ("month", Granularity::Monthly)];
    let granularity = fault(word("interval", interval, intervals), &mut faults).flatten();
    let granularity = granularity.unwrap_or(Granularity::Weekly);
    let usual = if granularity == Granularity::Monthly { last_months } else { last_weeks };
    let Question { ground, .. } = asked.read(app, actor, faults, Some(usual))?;
    let view = |row: cohorts::Row| {
        let figures = |figures: &Figures| FiguresView::new(figures, row.currency);
        let interval = |(index, of): (u64, &Figures)| IntervalView { index, figures: figures(of) };
        CohortView {
            cohort: row.cohort.to_string(),
            campaigns: row.campaigns,
            figures: figures(&row.intervals.iter().copied().sum()),
            intervals: (0..).zip(&row.intervals).map(interval).collect(),
        }
    };
    let answer =
        move || Ok(Ranged::of(&ground, cohorts::cohorts(&ground, granularity).into_iter().map(view).collect(), None));
    app.adops.questions.answer(answer).await
}

/// The week of yesterday and those before it.
fn last_weeks(tenant: &Tenant, now_ns: u64) -> Days {
    lately(tenant, now_ns, Granularity::Weekly)
}

/// The month of yesterday and those before it.
fn last_months(tenant: &Tenant, now_ns: u64) -> Days {
    lately(tenant, now_ns, Granularity::Monthly)
}

fn lately(tenant: &Tenant, now_ns: u64, granularity: Granularity) -> Days {
    let last = tenant.day_at(now_ns).plus(-1);
    let before = |first| granularity.label(first).plus(-1);
    let first = (1..COHORTS).fold(last, |first, _| before(first));
    Days { first: granularity.label(first), last }
}

pub(super) async fn pacing(
    app: &App,
    actor: &Actor,
    asked: &Asked,
    period: Option<&str>,
    order: &Order,
) -> Outcome<Envelope<PacingView>> {
    let mut faults = Vec::new();
    let month = fault(word("period", period, [("month", true), ("flight", false)]), &mut faults).flatten();
    let (month, page) = (month.unwrap_or(true), order.page(&mut faults));
    let Question { tenant, ground, now_ns } = asked.read(app, actor, faults, None)?;
    let answer = move || {
        let paces = paces(&ground, &tenant, month, now_ns);
        let pagination = page.map(|page| page.pagination(count(paces.items.len())));
        Ok(Envelope { pagination, ..Envelope::of(pacing_view(&ground, &paces, month, page)) })
    };
    app.adops.questions.answer(answer).await
}

fn pacing_view(ground: &Ground, paces: &Paces, month: bool, page: Option<Page>) -> PacingView {
    let campaign = |item: &Item| {
        let campaign = &item.entry.campaign;
        CampaignPaceView {
            campaign_id: campaign.id.get(),
            name: campaign.name.clone(),
            platform: campaign.platform.as_str().to_owned(),
            status: campaign.status.as_str().to_owned(),
            date_from: item.days.map(|days| days.first.to_string()),
            date_to: item.days.map(|days| days.last.to_string()),
            pacing: item.pacing.ok().map(|pacing| PaceView::new(&pacing, campaign.currency)),
            reason: item.pacing.err().map(|unknown| unknown.as_str().to_owned()),
        }
    };
    let shown = page.map(|page| page.of(paces.items.iter())).unwrap_or_default();
    PacingView {
        period: if month { "month" } else { "flight" }.to_owned(),
        as_of: paces.as_of.to_string(),
        total: PaceView::new(&paces.total, ground.currency),
        by_currency: paces.rest.iter().map(|(currency, pacing)| PaceView::new(pacing, *currency)).collect(),
        campaigns: shown.into_iter().map(campaign).collect(),
    }
}
