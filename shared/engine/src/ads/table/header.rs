//! The names of columns, in one table: whose export they are from and what is in them.
//!
//! Names are compared without case, underscores and a currency in brackets at their end. Seen in exports that people
//! published; the ones marked `unverified` follow from those or are older and were not seen.

use crate::ads::money::Currency;

/// Whose export a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Meta Ads Manager.
    Meta,
    /// Google Ads.
    Google,
    /// Ours: `campaign_id,platform,date,impressions,clicks,conversions,spend,revenue`.
    Plain,
}

impl Format {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Google => "google",
            Self::Plain => "plain",
        }
    }
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The campaign's number here, or its id at the platform.
    CampaignId,
    /// The campaign's id at the platform.
    ExternalId,
    /// The campaign's name.
    Name,
    /// Where it runs.
    Platform,
    /// The currency of the row.
    Currency,
    /// The day, or the first of the row's days.
    Date,
    /// The last of the row's days.
    Ends,
    /// A count.
    Impressions,
    /// A count.
    Clicks,
    /// A count with up to three decimals.
    Conversions,
    /// Money.
    Spend,
    /// Money.
    Revenue,
    /// Something below a campaign: there are several rows of a campaign and day.
    Finer,
}

impl Field {
    /// The five figures, in the order of [`Figures`](crate::ads::figures::Figures).
    pub const FIGURES: [Self; 5] = [Self::Impressions, Self::Clicks, Self::Conversions, Self::Spend, Self::Revenue];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CampaignId => "campaign_id",
            Self::ExternalId => "external_id",
            Self::Name => "campaign_name",
            Self::Platform => "platform",
            Self::Currency => "currency",
            Self::Date => "date",
            Self::Ends => "date_to",
            Self::Impressions => "impressions",
            Self::Clicks => "clicks",
            Self::Conversions => "conversions",
            Self::Spend => "spend",
            Self::Revenue => "revenue",
            Self::Finer => "breakdown",
        }
    }
}

type Names = &'static [(Field, &'static [&'static str])];

/// Meta Ads Manager, in English. Of the names of a field the first that is there is taken.
const META: Names = &[
    (Field::Name, &["campaign name"]),
    (Field::ExternalId, &["campaign id"]),
    // "reporting starts" is the day when the export is broken down by day and lacks "day".
    (Field::Date, &["day", "date", "reporting starts"]),
    (Field::Ends, &["reporting ends"]),
    (Field::Impressions, &["impressions"]),
    (Field::Clicks, &["link clicks", "clicks (all)", "clicks"]),
    // "results" counts whatever the campaign aims at.
    (Field::Conversions, &["purchases", "website purchases", "meta purchases", "results"]),
    (Field::Spend, &["amount spent"]),
    (
        Field::Revenue,
        &[
            "purchases conversion value",
            "website purchases conversion value",
            "results value",
            // unverified
            "purchase conversion value",
            "conversion value",
        ],
    ),
    (Field::Currency, &["currency"]),
    (
        Field::Finer,
        &[
            "ad set name",
            "ad set id",
            "ad name",
            "ad id",
            "age",
            "gender",
            "country",
            "region",
            "placement",
            // unverified
            "platform",
            "publisher platform",
            "device platform",
            "impression device",
            "time of day (viewer's time zone)",
        ],
    ),
];

/// Google Ads, in English.
const GOOGLE: Names = &[
    (Field::Name, &["campaign", "campaign name"]),
    (Field::ExternalId, &["campaign id"]),
    (Field::Date, &["day", "date"]),
    (Field::Impressions, &["impr.", "impressions"]),
    (Field::Clicks, &["clicks"]),
    (Field::Conversions, &["conversions", "conv."]),
    (Field::Spend, &["cost", "spend"]),
    // The last two unverified: older names.
    (Field::Revenue, &["conv. value", "conversion value", "total conv. value", "all conv. value"]),
    (Field::Currency, &["currency code", "currency"]),
    (
        Field::Finer,
        &[
            "ad group",
            "ad group id",
            "search keyword",
            "keyword",
            "search term",
            "ad name",
            // unverified
            "ad id",
            "asset group",
            "network",
            "network (with search partners)",
            "device",
            "hour of the day",
        ],
    ),
];

const PLAIN: Names = &[
    (Field::CampaignId, &["campaign id"]),
    (Field::ExternalId, &["external id"]),
    (Field::Name, &["campaign name", "campaign", "name"]),
    (Field::Platform, &["platform"]),
    (Field::Date, &["date", "day"]),
    (Field::Impressions, &["impressions"]),
    (Field::Clicks, &["clicks"]),
    (Field::Conversions, &["conversions"]),
    (Field::Spend, &["spend", "cost"]),
    (Field::Revenue, &["revenue", "conversion value"]),
    (Field::Currency, &["currency"]),
    (Field::Finer, &["ad set id", "ad set name", "ad id", "ad name", "ad group id", "ad group name"]),
];

const fn names(format: Format) -> Names {
    match format {
        Format::Meta => META,
        Format::Google => GOOGLE,
        Format::Plain => PLAIN,
    }
}

/// What a column of this name is to us, and how far down its field's list the name stands.
#[must_use]
pub fn field(format: Format, name: &str) -> Option<(Field, usize)> {
    names(format).iter().find_map(|(field, names)| Some((*field, names.iter().position(|known| *known == name)?)))
}

/// The format of a header with these names, when it is one: what makes it unlike the others.
#[must_use]
pub fn format(names: &[String], underscored: bool) -> Option<Format> {
    let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    if !has(&["campaign", "campaign id", "campaign name", "external id"]) {
        return None;
    }
    if underscored {
        return Some(Format::Plain);
    }
    if has(&["amount spent", "reporting starts"]) {
        return Some(Format::Meta);
    }
    if has(&["impr.", "conv. value", "currency code", "cost"]) {
        return Some(Format::Google);
    }
    has(&["date", "day"]).then_some(Format::Plain)
}

/// A column's name as it is compared, and the currency that stood in brackets at its end. That is in capitals: `(all)` is
/// no amount in lek.
#[must_use]
pub fn normal(name: &str) -> (String, Option<Currency>) {
    let lower = |name: &str| name.trim().to_lowercase().replace('_', " ");
    let with_currency = name.trim().strip_suffix(')').and_then(|rest| {
        let (name, code) = rest.rsplit_once('(')?;
        Some((lower(name), Currency::parse(code.trim())?))
    });
    with_currency.map_or_else(|| (lower(name), None), |(name, currency)| (name, Some(currency)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_currency() {
        assert_eq!(normal(" Amount Spent (USD) "), ("amount spent".to_owned(), Some(Currency::USD)));
        assert_eq!(normal("Clicks (all)"), ("clicks (all)".to_owned(), None));
        assert_eq!(normal("campaign_id"), ("campaign id".to_owned(), None));
    }

    #[test]
    fn no_name_means_two_things_in_a_format() {
        for format in [Format::Meta, Format::Google, Format::Plain] {
            let mut all: Vec<_> = names(format).iter().flat_map(|(_, names)| names.iter()).collect();
            let before = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), before, "{}", format.as_str());
        }
    }
}
