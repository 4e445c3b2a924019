//! Reads the body of a campaign: what is given, what is null, and everything that is wrong with it.

use serde_json::{Map, Value};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::error::FieldFault;

use super::MOST_LABELS;
use super::filter::one_of;
use super::targeting::{TargetingPatch, demographics};
use crate::adops::campaign::{Campaign, Platform, Status};
use crate::systems::fields::Fields;

/// Members that the server makes. A body may bring them back as it got them; they have no effect.
pub(super) const READ_ONLY: [&str; 19] = [
    "id",
    "tenant_id",
    "created_at",
    "updated_at",
    "created_by",
    "last_synced_at",
    "deleted_at",
    "restorable_until",
    "total_spend",
    "spend",
    "revenue",
    "impressions",
    "clicks",
    "conversions",
    "ctr",
    "cpc",
    "cpm",
    "cpa",
    "roas",
];

/// Letters of a name.
const LONGEST_NAME: usize = 200;
/// Letters of an objective, an account or an id at a platform.
const LONGEST_WORD: usize = 100;
/// Letters of a label.
const LONGEST_LABEL: usize = 50;

/// What a body says of a member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Given<T> {
    /// Nothing.
    #[default]
    Absent,
    /// That there is none.
    Null,
    /// This.
    Value(T),
}

impl<T> Given<T> {
    /// Changes `to` as the body says.
    pub(super) fn onto(self, to: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *to = None,
            Self::Value(value) => *to = Some(value),
        }
    }
}

/// What a body says of a campaign.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) name: Given<String>,
    pub(super) platform: Given<Platform>,
    pub(super) status: Given<Status>,
    pub(super) currency: Given<Currency>,
    objective: Given<String>,
    external_id: Given<String>,
    account_id: Given<String>,
    daily_budget: Given<u64>,
    lifetime_budget: Given<u64>,
    start: Given<Day>,
    end: Given<Day>,
    targeting: Given<TargetingPatch>,
    demographics: Given<String>,
    labels: Given<Vec<String>>,
}

impl Patch {
    /// Reads a body. Budgets are in the currency that it names, else in `currency`.
    pub(super) fn read(map: &Map<String, Value>, currency: Currency, faults: &mut Vec<FieldFault>) -> Self {
        let mut fields = Fields::new(map, "", faults);
        let given = given(&mut fields, map, "currency", |value| {
            let code = value.as_str().and_then(Currency::parse);
            code.ok_or_else(|| "must be a currency of ISO 4217, such as USD".to_owned())
        });
        let currency = if let Given::Value(own) = &given { *own } else { currency };
        let patch = Self { currency: given, ..Self::members(&mut fields, map, currency) };
        for member in fields.unknown(&READ_ONLY) {
            fields.faults().push(FieldFault::new(member, "unknown field"));
        }
        patch
    }

    fn members(fields: &mut Fields<'_, '_>, map: &Map<String, Value>, currency: Currency) -> Self {
        let word = |value: &Value| letters(value, LONGEST_WORD);
        let budget = |value: &Value| money(value, currency);
        let platform = |word: &str| Platform::parse(word).ok_or_else(|| one_of(Platform::ALL, Platform::as_str));
        let status = |word: &str| Status::parse(word).ok_or_else(|| one_of(Status::ALL, Status::as_str));
        Self {
            currency: Given::Absent,
            name: given(fields, map, "name", |value| letters(value, LONGEST_NAME)),
            platform: given(fields, map, "platform", |value| platform(value.as_str().unwrap_or_default())),
            status: given(fields, map, "status", |value| status(value.as_str().unwrap_or_default())),
            objective: given(fields, map, "objective", word),
            external_id: given(fields, map, "external_id", word),
            account_id: given(fields, map, "account_id", word),
            daily_budget: given(fields, map, "daily_budget", budget),
            lifetime_budget: given(fields, map, "lifetime_budget", budget),
            start: given(fields, map, "start_date", day),
            end: given(fields, map, "end_date", day),
            targeting: read(fields, map, "targeting", TargetingPatch::read),
            demographics: read(fields, map, "demographics", demographics),
            labels: read(fields, map, "labels", labels),
        }
    }

    /// Changes a campaign as the body says, except for what needs more than the body to decide: status, platform and
    /// currency.
    pub(super) fn apply(self, campaign: &mut Campaign) {
        if let Given::Value(name) = self.name {
            campaign.name = name;
        }
        self.objective.onto(&mut campaign.objective);
        self.external_id.onto(&mut campaign.external_id);
        self.account_id.onto(&mut campaign.account_id);
        self.daily_budget.onto(&mut campaign.daily_budget);
        self.lifetime_budget.onto(&mut campaign.lifetime_budget);
        self.start.onto(&mut campaign.start);
        self.end.onto(&mut campaign.end);
        match self.targeting {
            Given::Absent => {}
            Given::Null => campaign.targeting = Default::default(),
            Given::Value(patch) => patch.apply(&mut campaign.targeting),
        }
        match self.demographics {
            Given::Absent => {}
            Given::Null => campaign.demographics.clear(),
            Given::Value(text) => campaign.demographics = text,
        }
        match self.labels {
            Given::Absent => {}
            Given::Null => campaign.labels.clear(),
            Given::Value(labels) => campaign.labels = labels,
        }
    }
}

/// Reads a member by its value alone.
pub(super) fn given<T>(
    fields: &mut Fields<'_, '_>,
    map: &Map<String, Value>,
    key: &'static str,
    of: impl FnOnce(&Value) -> Result<T, String>,
) -> Given<T> {
    read(fields, map, key, |value, path, faults| {
        of(value).map_err(|message| faults.push(FieldFault::new(path, message))).ok()
    })
}

/// Reads a member that may have several mistakes, with their paths.
pub(super) fn read<T>(
    fields: &mut Fields<'_, '_>,
    map: &Map<String, Value>,
    key: &'static str,
    of: impl FnOnce(&Value, &str, &mut Vec<FieldFault>) -> Option<T>,
) -> Given<T> {
    let path = fields.path_of(key);
    let value = fields.get(key);
    let Some(value) = value else { return if map.contains_key(key) { Given::Null } else { Given::Absent } };
    of(value, &path, fields.faults()).map_or(Given::Absent, Given::Value)
}

/// A text of 1 to `most` letters, without spaces around it and without control characters.
pub(super) fn letters(value: &Value, most: usize) -> Result<String, String> {
    let text =
        value.as_str().map(str::trim).filter(|text| !text.is_empty() && text.chars().take(most + 1).count() <= most);
    let text = text.filter(|text| !text.chars().any(char::is_control));
    text.map(str::to_owned).ok_or_else(|| format!("must be a text of 1 to {most} letters"))
}

/// An amount above 0 in minor units.
pub(super) fn money(value: &Value, currency: Currency) -> Result<u64, String> {
    let Value::Number(number) = value else { return Err("must be a number".to_owned()) };
    match currency.minor(&number.to_string()) {
        Ok(0) => Err("must be above 0".to_owned()),
        Ok(minor) => Ok(minor),
        Err(fault) => Err(fault.to_string()),
    }
}

fn day(value: &Value) -> Result<Day, String> {
    value.as_str().and_then(Day::parse).ok_or_else(|| "must be a date such as 2024-06-01".to_owned())
}

/// Labels in their order, each once.
pub(super) fn labels(value: &Value, path: &str, faults: &mut Vec<FieldFault>) -> Option<Vec<String>> {
    words(value, path, faults, MOST_LABELS, LONGEST_LABEL)
}

/// A list of texts in their order, each once.
pub(super) fn words(
    value: &Value,
    path: &str,
    faults: &mut Vec<FieldFault>,
    most: usize,
    longest: usize,
) -> Option<Vec<String>> {
    let Some(items) = value.as_array().filter(|items| items.len() <= most) else {
        faults.push(FieldFault::new(path, format!("must be a list of at most {most}")));
        return None;
    };
    let before = faults.len();
    let mut found = Vec::new();
    for (place, item) in items.iter().enumerate() {
        match letters(item, longest) {
            Ok(word) if found.contains(&word) => {}
            Ok(word) => found.push(word),
            Err(message) => faults.push(FieldFault::new(format!("{path}[{place}]"), message)),
        }
    }
    (faults.len() == before).then_some(found)
}
