//! Key figures as callers see them.

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde::{Serialize, Serializer};
use trafficlab_engine::ads::compare::Changes;
use trafficlab_engine::ads::day::Days;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::kpi::{self, Kpis};
use trafficlab_engine::ads::money::Currency;

use crate::adops::analytics::ground::Ground;
use crate::systems::adops::envelope::Pagination;

/// Shows conversions as an integer when they are whole.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
pub(super) fn shown<S: Serializer>(conversions: &f64, to: S) -> Result<S::Ok, S::Error> {
    kpi::conversions(crate::systems::time::whole(conversions * 1000.0)).serialize(to)
}

/// The days and the currency of an answer
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdPeriod")]
pub struct PeriodView {
    /// First day
    pub date_from: String,
    /// Last day
    pub date_to: String,
    /// The tenant's currency, that of totals
    pub currency: String,
}

impl PeriodView {
    /// These days, in this currency.
    pub fn new(days: Days, currency: Currency) -> Self {
        Self { date_from: days.first.to_string(), date_to: days.last.to_string(), currency: currency.to_string() }
    }
}

/// An answer about a period
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "PeriodAnswer")]
pub struct Ranged<T: Type + ParseFromJSON + ToJSON> {
    /// Always true
    pub success: bool,
    /// What was asked for
    pub data: T,
    /// The days, also those that were chosen since none were said
    pub period: PeriodView,
    /// The page, of a list in pages
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub pagination: Option<Pagination>,
}

impl<T: Type + ParseFromJSON + ToJSON> Ranged<T> {
    /// What was found on this ground.
    pub fn of(ground: &Ground, data: T, pagination: Option<Pagination>) -> Self {
        Self { success: true, data, period: PeriodView::new(ground.scope.days, ground.currency), pagination }
    }
}

/// Sums, and their ratios with four decimals
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdTotals")]
pub struct TotalsView {
    /// Money spent
    pub total_spend: f64,
    /// Value of the conversions
    pub total_revenue: f64,
    /// How often ads were shown
    pub total_impressions: u64,
    /// How often they were clicked
    pub total_clicks: u64,
    /// Conversions, with up to three decimals
    #[serde(serialize_with = "shown")]
    pub total_conversions: f64,
    /// Revenue for a unit of money; null when nothing was spent
    pub avg_roas: Option<f64>,
    /// Clicks in percent of impressions; null without impressions
    pub avg_ctr: Option<f64>,
    /// Money a click; null without clicks
    pub avg_cpc: Option<f64>,
    /// Money for a thousand impressions; null without impressions
    pub avg_cpm: Option<f64>,
    /// Money a conversion; null without conversions
    pub avg_cpa: Option<f64>,
}

impl TotalsView {
    /// What is shown of sums in a currency.
    pub fn new(figures: &Figures, currency: Currency) -> Self {
        let Kpis { spend, revenue, impressions, clicks, conversions, ratios } = Kpis::of(figures, currency);
        Self {
            total_spend: spend,
            total_revenue: revenue,
            total_impressions: impressions,
            total_clicks: clicks,
            total_conversions: conversions,
            avg_roas: ratios.roas,
            avg_ctr: ratios.ctr,
            avg_cpc: ratios.cpc,
            avg_cpm: ratios.cpm,
            avg_cpa: ratios.cpa,
        }
    }
}

/// Changes in percent with one decimal; null when the earlier value is 0 or missing
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdChanges")]
#[allow(missing_docs, reason = "each is the change of the figure of its name")]
pub struct ChangesView {
    pub spend_change: Option<f64>,
    pub revenue_change: Option<f64>,
    pub roas_change: Option<f64>,
    pub impressions_change: Option<f64>,
    pub clicks_change: Option<f64>,
    pub conversions_change: Option<f64>,
    pub ctr_change: Option<f64>,
    pub cpc_change: Option<f64>,
    pub cpm_change: Option<f64>,
    pub cpa_change: Option<f64>,
}

impl From<Changes> for ChangesView {
    fn from(changes: Changes) -> Self {
        Self {
            spend_change: changes.spend,
            revenue_change: changes.revenue,
            roas_change: changes.roas,
            impressions_change: changes.impressions,
            clicks_change: changes.clicks,
            conversions_change: changes.conversions,
            ctr_change: changes.ctr,
            cpc_change: changes.cpc,
            cpm_change: changes.cpm,
            cpa_change: changes.cpa,
        }
    }
}

/// The earlier period of a comparison
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdEarlierPeriod")]
pub struct EarlierView {
    /// First day
    pub date_from: String,
    /// Last day
    pub date_to: String,
    /// Its figures
    #[serde(flatten)]
    #[oai(flatten)]
    pub totals: TotalsView,
}

/// Figures in a currency that cannot be turned into the tenant's
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCurrencyKpis")]
pub struct CurrencyKpisView {
    /// ISO 4217
    pub currency: String,
    /// Its figures
    #[serde(flatten)]
    #[oai(flatten)]
    pub totals: TotalsView,
    /// Null when no comparison is asked for
    pub comparison: Option<ChangesView>,
}

/// Key figures
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdKpis")]
pub struct KpisView {
    /// In the tenant's currency: its own campaigns, and those of currencies with a configured rate
    #[serde(flatten)]
    #[oai(flatten)]
    pub totals: TotalsView,
    /// Against the earlier period; null when none is asked for
    pub comparison: Option<ChangesView>,
    /// The earlier period; null when none is asked for
    pub previous: Option<EarlierView>,
    /// First day
    pub date_from: String,
    /// Last day
    pub date_to: String,
    /// The tenant's currency
    pub currency: String,
    /// Campaigns in currencies without a rate; they are not part of the totals
    pub by_currency: Vec<CurrencyKpisView>,
}
