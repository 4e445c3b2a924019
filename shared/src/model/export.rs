//! What a worker is asked to write: a table of ad campaigns and their figures, as a file.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word in the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one of a word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }
    };
}

words! {
    /// What a row is.
    ExportTable {
        /// A campaign, with its figures of all days asked for.
        Campaigns = "campaigns",
        /// A day of a campaign.
        Metrics = "metrics",
    }
}

words! {
    /// How a file is written.
    ExportFormat {
        /// RFC 4180 with a header row. A text that a spreadsheet would compute gets a `'` before it.
        Csv = "csv",
        /// One JSON object a line.
        Ndjson = "ndjson",
        /// Typed columns, zstd.
        Parquet = "parquet",
    }
}

impl ExportFormat {
    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

words! {
    /// A column.
    ExportColumn {
        /// The campaign's number.
        Id = "id",
        /// The same, under the name that imports know.
        CampaignId = "campaign_id",
        /// The campaign's name.
        Name = "name",
        /// The same, under the name that imports know.
        CampaignName = "campaign_name",
        /// Where it runs.
        Platform = "platform",
        /// How far it is.
        Status = "status",
        /// What it is for.
        Objective = "objective",
        /// Its id at the platform.
        ExternalId = "external_id",
        /// The account at the platform.
        AccountId = "account_id",
        /// The currency of all money of the row.
        Currency = "currency",
        /// The day of the figures; of days only.
        Date = "date",
        /// Money a day.
        DailyBudget = "daily_budget",
        /// Money in all.
        LifetimeBudget = "lifetime_budget",
        /// Its first day.
        StartDate = "start_date",
        /// Its last day.
        EndDate = "end_date",
        /// Its labels.
        Labels = "labels",
        /// How often it was shown.
        Impressions = "impressions",
        /// How often it was clicked.
        Clicks = "clicks",
        /// Conversions.
        Conversions = "conversions",
        /// Money spent.
        Spend = "spend",
        /// Value of the conversions.
        Revenue = "revenue",
        /// Clicks of a hundred impressions.
        Ctr = "ctr",
        /// Money for a click.
        Cpc = "cpc",
        /// Money for a thousand impressions.
        Cpm = "cpm",
        /// Money for a conversion.
        Cpa = "cpa",
        /// Revenue for a unit of spend.
        Roas = "roas",
        /// When the campaign was made.
        CreatedAt = "created_at",
        /// When the campaign was last changed.
        UpdatedAt = "updated_at",
    }
}

impl ExportTable {
    /// Whether its rows have a column.
    #[must_use]
    pub fn has(self, column: ExportColumn) -> bool {
        self == Self::Metrics || column != ExportColumn::Date
    }

    /// The columns when nobody chooses.
    #[must_use]
    pub fn usual(self) -> Vec<ExportColumn> {
        use ExportColumn as C;
        let other = match self {
            Self::Campaigns => [C::CampaignId, C::CampaignName].as_slice(),
            Self::Metrics => &[
                C::Id,
                C::Name,
                C::Status,
                C::Objective,
                C::AccountId,
                C::DailyBudget,
                C::LifetimeBudget,
                C::StartDate,
                C::EndDate,
                C::Labels,
                C::CreatedAt,
                C::UpdatedAt,
            ],
        };
        C::ALL.iter().copied().filter(|column| self.has(*column) && !other.contains(column)).collect()
    }
}

/// A file to be written. Its rows lie in the object store under the job's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSpec {
    /// What a row is.
    pub table: ExportTable,
    /// How the file is written.
    pub format: ExportFormat,
    /// Its columns, in this order.
    pub columns: Vec<ExportColumn>,
    /// Rows of the input.
    pub rows: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_usual_columns_name_a_thing_once() {
        for column in ExportColumn::ALL {
            assert_eq!(ExportColumn::parse(column.as_str()), Some(*column));
        }
        assert_eq!(ExportFormat::parse("xlsx"), None);
        let (campaigns, metrics) = (ExportTable::Campaigns.usual(), ExportTable::Metrics.usual());
        assert!(campaigns.contains(&ExportColumn::Name) && !campaigns.contains(&ExportColumn::Date));
        assert!(metrics.contains(&ExportColumn::Date) && !metrics.contains(&ExportColumn::Name));
        assert!(!ExportTable::Campaigns.has(ExportColumn::Date));
    }
}
