//! A campaign as callers see it.

use poem_openapi::Object;
use serde::{Serialize, Serializer};
use serde_json::Value;
use trafficlab_engine::ads::kpi::{self, CAMPAIGN_DECIMALS, Ratios};
use trafficlab_engine::ads::ratio::decimal;

use crate::adops::book::Entry;
use crate::adops::campaign::{Campaign, Targeting};
use crate::adops::campaigns::RESTORABLE_NS;
use crate::systems::time::{maybe_rfc3339, rfc3339, whole};

/// A campaign of a list; money is in main units of its currency, figures are of all days
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCampaign")]
pub struct CampaignView {
    /// Its number
    pub id: u64,
    /// Its name
    pub name: String,
    /// `meta`, `google`, `tiktok`, `snapchat` or `linkedin`
    pub platform: String,
    /// `draft`, `active`, `paused`, `completed` or `archived`
    pub status: String,
    /// Its id at the platform
    pub external_id: Option<String>,
    /// Money a day
    pub daily_budget: Option<f64>,
    /// Money in all
    pub lifetime_budget: Option<f64>,
    /// Money spent
    pub total_spend: f64,
    /// ISO 4217
    pub currency: String,
    /// How often it was shown
    pub impressions: u64,
    /// How often it was clicked
    pub clicks: u64,
    /// Conversions; platforms may tell of fractions
    #[serde(serialize_with = "conversions")]
    pub conversions: f64,
    /// Value of the conversions
    pub revenue: f64,
    /// Clicks in percent of impressions; ratios are null when their divisor is 0
    pub ctr: Option<f64>,
    /// Money a click
    pub cpc: Option<f64>,
    /// Money for a thousand impressions
    pub cpm: Option<f64>,
    /// Money a conversion
    pub cpa: Option<f64>,
    /// Revenue for a unit of money spent
    pub roas: Option<f64>,
    /// Its first day
    pub start_date: Option<String>,
    /// Its last day
    pub end_date: Option<String>,
    /// Its labels
    pub labels: Vec<String>,
    /// RFC 3339 in UTC
    pub created_at: String,
    /// RFC 3339 in UTC
    pub updated_at: String,
    /// When it was deleted, of a deleted one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub deleted_at: Option<String>,
    /// Until when it can be restored, of a deleted one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub restorable_until: Option<String>,
}

/// Whom a campaign is shown to
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdTargeting")]
pub struct TargetingView {
    /// Years
    pub age_min: Option<u8>,
    /// Years
    pub age_max: Option<u8>,
    /// Genders
    pub genders: Vec<String>,
    /// Places
    pub locations: Vec<String>,
    /// Interests
    pub interests: Vec<String>,
}

/// A campaign with everything that is known of it
#[derive(Debug, Clone, PartialEq, Serialize, Object)]
#[oai(rename = "AdCampaignDetail")]
pub struct CampaignDetail {
    /// What the list shows
    #[serde(flatten)]
    #[oai(flatten)]
    pub campaign: CampaignView,
    /// What it is for
    pub objective: Option<String>,
    /// The account at the platform
    pub account_id: Option<String>,
    /// Whom it is shown to
    pub targeting: TargetingView,
    /// Who saw it: shares in percent, by group such as `age` or `gender`
    pub demographics: Value,
    /// When its figures last came
    pub last_synced_at: Option<String>,
}

/// A campaign as lists show it.
#[must_use]
pub fn view(entry: &Entry) -> CampaignView {
    let (campaign, totals) = (&entry.campaign, &entry.totals);
    let currency = campaign.currency;
    let ratios = Ratios::of(totals, currency, CAMPAIGN_DECIMALS);
    CampaignView {
        id: campaign.id.get(),
        name: campaign.name.clone(),
        platform: campaign.platform.as_str().to_owned(),
        status: campaign.status.as_str().to_owned(),
        external_id: campaign.external_id.clone(),
        daily_budget: campaign.daily_budget.map(|minor| currency.major(minor)),
        lifetime_budget: campaign.lifetime_budget.map(|minor| currency.major(minor)),
        total_spend: currency.major(totals.spend),
        currency: currency.code().to_owned(),
        impressions: totals.impressions,
        clicks: totals.clicks,
        conversions: decimal(totals.conversions_milli.into(), 3),
        revenue: currency.major(totals.revenue),
        ctr: ratios.ctr,
        cpc: ratios.cpc,
        cpm: ratios.cpm,
        cpa: ratios.cpa,
        roas: ratios.roas,
        start_date: campaign.start.map(|day| day.to_string()),
        end_date: campaign.end.map(|day| day.to_string()),
        labels: campaign.labels.clone(),
        created_at: rfc3339(campaign.created_ns),
        updated_at: rfc3339(campaign.updated_ns),
        deleted_at: maybe_rfc3339(campaign.deleted_ns),
        restorable_until: maybe_rfc3339(campaign.deleted_ns.map(|at| at.saturating_add(RESTORABLE_NS))),
    }
}

/// A campaign with everything that is known of it.
#[must_use]
pub fn detail(entry: &Entry) -> CampaignDetail {
    let campaign = &entry.campaign;
    let Targeting { age_min, age_max, genders, locations, interests } = campaign.targeting.clone();
    CampaignDetail {
        campaign: view(entry),
        objective: campaign.objective.clone(),
        account_id: campaign.account_id.clone(),
        targeting: TargetingView { age_min, age_max, genders, locations, interests },
        demographics: serde_json::from_str(&campaign.demographics).unwrap_or_default(),
        last_synced_at: maybe_rfc3339(campaign.synced_ns),
    }
}

/// A campaign that was made just now and has no figures.
#[must_use]
pub fn fresh(campaign: Campaign) -> CampaignDetail {
    detail(&Entry::new(campaign))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn conversions<S: Serializer>(count: &f64, to: S) -> Result<S::Ok, S::Error> {
    kpi::conversions(whole(count * 1000.0)).serialize(to)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::adops::campaigns::samples::{entry, sample};
    use serde_json::json;
    use trafficlab_engine::ads::figures::Figures;

    #[test]
    fn the_documents_campaign_is_shown_as_there() {
        let mut made = entry(sample(1, "Summer Sale 2024"));
        made.campaign.daily_budget = Some(50_000);
        made.campaign.demographics = r#"{"age":{"18-24":15}}"#.to_owned();
        made.totals = Figures {
            impressions: 125_000,
            clicks: 4500,
            conversions_milli: 180_000,
            spend: 325_050,
            revenue: 980_000,
        };
        let shown = serde_json::to_value(detail(&made)).unwrap();
        let document = json!({
            "id": 1, "name": "Summer Sale 2024", "platform": "meta", "daily_budget": 500.0, "lifetime_budget": null,
            "total_spend": 3250.5, "currency": "USD", "impressions": 125_000, "clicks": 4500, "conversions": 180,
            "revenue": 9800.0, "ctr": 3.6, "cpc": 0.72, "cpm": 26.0, "cpa": 18.06, "roas": 3.01,
            "start_date": null, "demographics": {"age": {"18-24": 15}}, "last_synced_at": null,
        });
        for (member, value) in document.as_object().unwrap() {
            assert_eq!(&shown[member], value, "{member}");
        }
        assert!(shown.get("deleted_at").is_none());
        made.totals = Figures { conversions_milli: 1500, ..Figures::default() };
        let shown = serde_json::to_value(view(&made)).unwrap();
        assert_eq!((&shown["conversions"], &shown["cpa"], &shown["roas"]), (&json!(1.5), &json!(0.0), &Value::Null));
    }
}
