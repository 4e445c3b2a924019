//! What stands in a column of a row.

use trafficlab_shared::model::export::ExportColumn;

use super::input::Campaign;
use crate::ads::day::Day;
use crate::ads::figures::Figures;
use crate::ads::kpi::{ANALYTICS_DECIMALS, Ratios};

/// Digits of conversions, which are kept in thousandths.
const CONVERSION_DIGITS: u32 = 3;

/// A row.
pub(super) struct Row<'a> {
    campaign: &'a Campaign<'a>,
    day: Option<Day>,
    figures: Figures,
    ratios: Ratios,
    money_digits: u32,
}

/// A value of a column. Of one column all values are of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(Option<&'a str>),
    List(&'a [String]),
    Whole(u64),
    /// Units of 10^-digits, written with all digits or, when they are zeros, perhaps without.
    Decimal {
        units: Option<u64>,
        digits: u32,
        trimmed: bool,
    },
    Ratio(Option<f64>),
    Date(Option<Day>),
    /// Nanoseconds since 1970.
    Time(u64),
}

impl<'a> Row<'a> {
    pub(super) fn of((campaign, day, figures): (&'a Campaign<'a>, Option<Day>, Figures)) -> Self {
        let ratios = Ratios::of(&figures, campaign.currency, ANALYTICS_DECIMALS);
        Self { campaign, day, figures, ratios, money_digits: campaign.currency.decimals() }
    }

    pub(super) fn cell(&self, column: ExportColumn) -> Cell<'_> {
        let campaign = self.campaign;
        match column {
            ExportColumn::Id | ExportColumn::CampaignId => Cell::Whole(campaign.id),
            ExportColumn::Name | ExportColumn::CampaignName => Cell::Text(Some(&campaign.name)),
            ExportColumn::Platform => Cell::Text(Some(&campaign.platform)),
            ExportColumn::Status => Cell::Text(Some(&campaign.status)),
            ExportColumn::Objective => Cell::Text(campaign.objective.as_deref()),
            ExportColumn::ExternalId => Cell::Text(campaign.external_id.as_deref()),
            ExportColumn::AccountId => Cell::Text(campaign.account_id.as_deref()),
            ExportColumn::Currency => Cell::Text(Some(campaign.currency.code())),
            ExportColumn::Date => Cell::Date(self.day),
            ExportColumn::DailyBudget => self.money(campaign.daily_budget),
            ExportColumn::LifetimeBudget => self.money(campaign.lifetime_budget),
            ExportColumn::StartDate => Cell::Date(campaign.start),
            ExportColumn::EndDate => Cell::Date(campaign.end),
            ExportColumn::Labels => Cell::List(&campaign.labels),
            ExportColumn::CreatedAt => Cell::Time(campaign.created_ns),
            ExportColumn::UpdatedAt => Cell::Time(campaign.updated_ns),
            figure => self.figure(figure),
        }
    }

    fn figure(&self, column: ExportColumn) -> Cell<'_> {
        let Figures { impressions, clicks, conversions_milli, spend, revenue } = self.figures;
        match column {
            ExportColumn::Impressions => Cell::Whole(impressions),
            ExportColumn::Clicks => Cell::Whole(clicks),
            ExportColumn::Conversions => {
                Cell::Decimal { units: Some(conversions_milli), digits: CONVERSION_DIGITS, trimmed: true }
            }
            ExportColumn::Spend => self.money(Some(spend)),
            ExportColumn::Revenue => self.money(Some(revenue)),
            ExportColumn::Ctr => Cell::Ratio(self.ratios.ctr),
            ExportColumn::Cpc => Cell::Ratio(self.ratios.cpc),
            ExportColumn::Cpm => Cell::Ratio(self.ratios.cpm),
            ExportColumn::Cpa => Cell::Ratio(self.ratios.cpa),
            ExportColumn::Roas => Cell::Ratio(self.ratios.roas),
            _ => Cell::Text(None),
        }
    }

    const fn money(&self, units: Option<u64>) -> Cell<'static> {
        Cell::Decimal { units, digits: self.money_digits, trimmed: false }
    }
}

/// `units` of 10^-`digits` as exact decimal text.
pub(super) fn decimal(units: u64, digits: u32, trimmed: bool) -> String {
    let scale = 10_u64.checked_pow(digits).unwrap_or(u64::MAX);
    let (whole, fraction) = (units / scale, units % scale);
    if digits == 0 || (trimmed && fraction == 0) {
        return whole.to_string();
    }
    let width = usize::try_from(digits).unwrap_or(0);
    let text = format!("{whole}.{fraction:0width$}");
    if trimmed { text.trim_end_matches('0').to_owned() } else { text }
}
