//! The body of a bulk change, as callers write it.

#![allow(dead_code, reason = "these types describe bodies that are read member by member")]

use poem_openapi::Object;

/// Which campaigns; as the parameters of the list, where a list of words means any of them
#[derive(Debug, Object)]
#[oai(rename = "AdFilter")]
pub struct FilterBody {
    /// As in the list
    platform: Option<Vec<String>>,
    /// As in the list
    status: Option<Vec<String>>,
    /// As in the list
    search: Option<String>,
    /// As in the list
    date_from: Option<String>,
    /// As in the list
    date_to: Option<String>,
    /// As in the list
    label: Option<Vec<String>>,
}

/// A change of the daily budget; exactly one of `set`, `percent` and `absolute`
#[derive(Debug, Object)]
#[oai(rename = "AdBudgetChange")]
pub struct BudgetBody {
    /// To this amount
    set: Option<f64>,
    /// By this share in percent, above -100 and at most 1000
    percent: Option<f64>,
    /// By this amount, which may be negative
    absolute: Option<f64>,
    /// Not above this amount; a budget that lies above it already is left as it is
    max: Option<f64>,
    /// Not below this amount; a budget that lies below it already is left as it is
    min: Option<f64>,
    /// Of the amounts, the tenant's by default; campaigns of another currency are skipped
    currency: Option<String>,
}

/// A change of labels
#[derive(Debug, Object)]
#[oai(rename = "AdLabelChange")]
pub struct LabelChangeBody {
    /// To give
    add: Option<Vec<String>>,
    /// To take away
    remove: Option<Vec<String>>,
}

/// What is done; exactly one of its members
#[derive(Debug, Object)]
#[oai(rename = "AdBulkAction")]
pub struct ActionBody {
    /// The new status
    status: Option<String>,
    /// The new daily budget
    daily_budget: Option<BudgetBody>,
    /// The new labels
    labels: Option<LabelChangeBody>,
}

/// A bulk change
#[derive(Debug, Object)]
#[oai(rename = "AdBulkBody")]
pub struct BulkBody {
    /// 1 to 1000 campaigns; or `filter`
    ids: Option<Vec<u64>>,
    /// The campaigns that meet it, at most 1000; `{}` is all
    filter: Option<FilterBody>,
    /// What is done
    action: Option<ActionBody>,
    /// Whether to tell only what would be done
    dry_run: Option<bool>,
}
