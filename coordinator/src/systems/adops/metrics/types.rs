//! Bodies and answers of a campaign's figures.

use poem_openapi::Object;
use serde::{Serialize, Serializer};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::kpi::{self, CAMPAIGN_DECIMALS, Ratios};
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::ratio::decimal;

use crate::adops::book::{Restated, Upserted};
use crate::adops::{UserId, Who};
use crate::systems::time::{rfc3339, whole};

/// Days of a campaign with their figures
#[derive(Debug, Object)]
#[oai(rename = "AdMetricsBody")]
pub(super) struct MetricsBody {
    /// At most 10 000 days, each once; a day that has figures already gets these in their place
    data: Vec<DayBody>,
}

/// A day with its figures, all of them
#[derive(Debug, Object)]
#[oai(rename = "AdMetricsDay")]
struct DayBody {
    /// `YYYY-MM-DD`, a day of the tenant's time zone, tomorrow at the latest
    date: String,
    /// How often it was shown
    impressions: u64,
    /// How often it was clicked
    clicks: u64,
    /// Conversions, with up to three decimals
    conversions: f64,
    /// Money spent, in the campaign's currency
    spend: f64,
    /// Value of the conversions
    revenue: f64,
}

/// What became of the days
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdMetricsUpserted")]
pub(super) struct UpsertedView {
    /// Days that had no figures
    inserted: u64,
    /// Days that had others, which are kept as restatements
    updated: u64,
    /// Days that had the same
    unchanged: u64,
    /// What looks wrong and was taken all the same: at most 100
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[oai(skip_serializing_if_is_empty)]
    warnings: Vec<String>,
}

impl UpsertedView {
    pub(super) fn of(upserted: Upserted, warnings: Vec<String>) -> Self {
        let Upserted { inserted, updated, unchanged } = upserted;
        Self { inserted, updated, unchanged, warnings }
    }
}

/// The figures of a day, week or month; ratios have two digits and are null when their divisor is 0
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdMetrics")]
pub(super) struct RowView {
    /// The day; of a week its Monday, of a month its first, also where the range begins later
    pub(super) date: String,
    /// How often it was shown
    impressions: u64,
    /// How often it was clicked
    clicks: u64,
    /// Conversions; platforms may tell of fractions
    #[serde(serialize_with = "conversions")]
    conversions: f64,
    /// Money spent
    spend: f64,
    /// Value of the conversions
    revenue: f64,
    /// Clicks in percent of impressions
    ctr: Option<f64>,
    /// Money a click
    cpc: Option<f64>,
    /// Money for a thousand impressions
    cpm: Option<f64>,
    /// Money a conversion
    cpa: Option<f64>,
    /// Revenue for a unit of money spent
    roas: Option<f64>,
    /// True when figures of generated traffic are in it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    synthetic: Option<bool>,
}

impl RowView {
    pub(super) fn of(day: Day, figures: &Figures, currency: Currency, synthetic: bool) -> Self {
        let ratios = Ratios::of(figures, currency, CAMPAIGN_DECIMALS);
        Self {
            date: day.to_string(),
            impressions: figures.impressions,
            clicks: figures.clicks,
            conversions: decimal(figures.conversions_milli.into(), 3),
            spend: currency.major(figures.spend),
            revenue: currency.major(figures.revenue),
            ctr: ratios.ctr,
            cpc: ratios.cpc,
            cpm: ratios.cpm,
            cpa: ratios.cpa,
            roas: ratios.roas,
            synthetic: synthetic.then_some(true),
        }
    }
}

/// Figures without ratios
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdFigures")]
struct FiguresView {
    /// How often it was shown
    impressions: u64,
    /// How often it was clicked
    clicks: u64,
    /// Conversions
    #[serde(serialize_with = "conversions")]
    conversions: f64,
    /// Money spent
    spend: f64,
    /// Value of the conversions
    revenue: f64,
}

impl FiguresView {
    fn of(figures: &Figures, currency: Currency) -> Self {
        Self {
            impressions: figures.impressions,
            clicks: figures.clicks,
            conversions: decimal(figures.conversions_milli.into(), 3),
            spend: currency.major(figures.spend),
            revenue: currency.major(figures.revenue),
        }
    }
}

/// A day that got other figures
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdRestatedDay")]
struct RestatedDay {
    /// The day
    date: String,
    /// As they were
    old: FiguresView,
    /// As they became
    new: FiguresView,
}

/// Days that got other figures by one request; many days are told in several of these
#[derive(Debug, Serialize, Object)]
#[oai(rename = "AdRestatement")]
pub(super) struct RestatementView {
    /// When, RFC 3339 in UTC
    at: String,
    /// The person, when it was one or a key of theirs
    user_id: Option<u64>,
    /// The key, when it was one
    api_key_id: Option<u64>,
    /// The request's id
    request_id: String,
    /// At most 366 days
    days: Vec<RestatedDay>,
}

impl RestatementView {
    pub(super) fn of(restated: Restated, currency: Currency) -> Self {
        let days = restated.days.iter().map(|(day, old, new)| RestatedDay {
            date: day.to_string(),
            old: FiguresView::of(old, currency),
            new: FiguresView::of(new, currency),
        });
        let key = if let Who::Key(key, _) = restated.who { Some(key.get()) } else { None };
        Self {
            at: rfc3339(restated.at_ns),
            user_id: restated.who.user().map(UserId::get),
            api_key_id: key,
            days: days.collect(),
            request_id: restated.request_id,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn conversions<S: Serializer>(count: &f64, to: S) -> Result<S::Ok, S::Error> {
    kpi::conversions(whole(count * 1000.0)).serialize(to)
}
