//! What a bulk change does and to which campaigns, as its body says.

use serde_json::{Map, Value};
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::error::FieldFault;

use super::super::edit::moved;
use super::super::filter::one_of;
use super::super::{Filter, MOST_LABELS, labels, read};
use super::MOST;
use super::budget::BudgetChange;
use super::record::Done;
use crate::adops::campaign::{Campaign, Status};
use crate::adops::ids::CampaignId;
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};

/// A bulk change that is asked for.
#[derive(Debug)]
pub struct Request {
    pub(super) chosen: Chosen,
    pub(super) action: Action,
    /// The action as it was written: JSON text.
    pub(super) text: String,
    /// Whether to tell only.
    pub dry_run: bool,
}

/// The campaigns.
#[derive(Debug)]
pub(super) enum Chosen {
    /// By their numbers, each once.
    Ids(Vec<CampaignId>),
    /// By what they are.
    Filter(Filter),
}

#[derive(Debug)]
pub(super) enum Action {
    Status(Status),
    DailyBudget(BudgetChange),
    Labels { add: Vec<String>, remove: Vec<String> },
}

impl Request {
    /// Reads a body; amounts of money are in `usual` unless they say.
    ///
    /// # Errors
    /// 400 naming what is wrong, 422 when it names campaigns twice over.
    pub fn read(body: &Map<String, Value>, usual: Currency) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fields = Fields::new(body, "", &mut faults);
        let (ids, filter) = (fields.get("ids"), fields.object("filter"));
        let action = fields.object("action");
        let dry_run = fields.flag("dry_run").unwrap_or(false);
        for member in fields.unknown(&[]) {
            fields.faults().push(FieldFault::new(member, "unknown field"));
        }
        let ids = ids.map(|ids| self::ids(ids, &mut faults));
        if faults.is_empty() && ids.is_none() && filter.is_none() {
            faults.push(FieldFault::new("ids", "is required, or `filter`"));
        }
        let read = action.and_then(|action| Action::read(action, usual, &mut faults));
        if faults.is_empty() && action.is_none() {
            faults.push(FieldFault::new("action", "is required"));
        }
        let filter = filter.map(|filter| Filter::of_json(filter, "filter")).transpose().map_err(|mut fault| {
            if fault.code != Code::Validation && !faults.is_empty() {
                // What is wrong alone comes before what is wrong together.
                return Fault::validation(std::mem::take(&mut faults));
            }
            fault.details.append(&mut faults);
            fault
        })?;
        let chosen = match (ids, filter) {
            (Some(_), Some(_)) if faults.is_empty() => {
                let fault = Fault::new(Code::Unprocessable, "Either `ids` or `filter` names the campaigns, not both");
                return Err(fault.detail("filter", "stands beside `ids`"));
            }
            (Some(ids), _) => Chosen::Ids(ids),
            (None, filter) => Chosen::Filter(filter.unwrap_or_default()),
        };
        let (true, Some(read), Some(action)) = (faults.is_empty(), read, action) else {
            return Err(Fault::validation(faults));
        };
        Ok(Self { chosen, action: read, text: Value::Object(action.clone()).to_string(), dry_run })
    }
}

fn ids(value: &Value, faults: &mut Vec<FieldFault>) -> Vec<CampaignId> {
    let Some(items) = value.as_array().filter(|items| (1..=MOST).contains(&items.len())) else {
        faults.push(FieldFault::new("ids", format!("must be a list of 1 to {MOST} numbers")));
        return Vec::new();
    };
    let mut ids: Vec<CampaignId> = Vec::with_capacity(items.len());
    let mut seen = std::collections::HashSet::new();
    for (place, item) in items.iter().enumerate() {
        match item.as_u64() {
            Some(id) if seen.insert(id) => ids.push(CampaignId(id)),
            Some(_) => {}
            None => faults.push(FieldFault::new(format!("ids[{place}]"), "must be a whole number")),
        }
    }
    ids
}

impl Action {
    fn read(map: &Map<String, Value>, usual: Currency, faults: &mut Vec<FieldFault>) -> Option<Self> {
        let before = faults.len();
        let mut fields = Fields::new(map, "action", faults);
        let status = fields.get("status").and_then(|value| {
            let status = value.as_str().and_then(Status::parse);
            if status.is_none() {
                fields.fault("status", one_of(Status::ALL, Status::as_str));
            }
            status.map(Self::Status)
        });
        let (budget, labelled) = (fields.object("daily_budget"), fields.object("labels"));
        for member in fields.unknown(&[]) {
            fields.faults().push(FieldFault::new(member, "unknown field"));
        }
        let budget = budget.and_then(|map| BudgetChange::read(map, "action.daily_budget", usual, faults));
        let labelled = labelled.and_then(|map| Self::labels(map, faults));
        let mut actions = [status, budget.map(Self::DailyBudget), labelled].into_iter().flatten();
        let (action, more) = (actions.next(), actions.next());
        if faults.len() == before && (action.is_none() || more.is_some()) {
            faults.push(FieldFault::new("action", "must have exactly one of status, daily_budget, labels"));
        }
        action.filter(|_| faults.len() == before)
    }

    fn labels(map: &Map<String, Value>, faults: &mut Vec<FieldFault>) -> Option<Self> {
        let before = faults.len();
        let mut fields = Fields::new(map, "action.labels", faults);
        let mut list = |key| {
            let path = fields.path_of(key);
            fields.get(key).and_then(|value| read::labels(value, &path, fields.faults())).unwrap_or_default()
        };
        let (add, remove) = (list("add"), list("remove"));
        for member in fields.unknown(&[]) {
            fields.faults().push(FieldFault::new(member, "unknown field"));
        }
        if faults.len() == before && add.is_empty() && remove.is_empty() {
            faults.push(FieldFault::new("action.labels", "must have `add` or `remove`"));
        }
        if let Some(both) = add.iter().find(|label| remove.contains(label)) {
            faults.push(FieldFault::new("action.labels", format!("`{both}` is in `add` and in `remove`")));
        }
        (faults.len() == before).then_some(Self::Labels { add, remove })
    }

    /// What it does to a campaign.
    ///
    /// # Errors
    /// Why it fails; within, why it is skipped.
    pub(super) fn decide(&self, campaign: &Campaign) -> Result<Result<Done, String>, String> {
        match self {
            Self::Status(new) if *new == campaign.status => Ok(Err(format!("it is {} already", new.as_str()))),
            Self::Status(new) => {
                let new = moved(campaign.status, *new).map_err(|fault| fault.message)?;
                Ok(Ok(Done::Status { old: campaign.status, new }))
            }
            Self::DailyBudget(change) => change.decide(campaign),
            Self::Labels { add, remove } => {
                let own = |label: &&String| campaign.labels.contains(label);
                let added: Vec<String> = add.iter().filter(|label| !own(label)).cloned().collect();
                let removed: Vec<String> = remove.iter().filter(own).cloned().collect();
                if added.is_empty() && removed.is_empty() {
                    return Ok(Err("its labels are so already".to_owned()));
                }
                if labels::with(&campaign.labels, &added, &removed).len() > MOST_LABELS {
                    return Err(format!("it would have more than {MOST_LABELS} labels"));
                }
                Ok(Ok(Done::Labels { added, removed }))
            }
        }
    }
}
