//! Changes of a daily budget: to an amount, by an amount, by a share; never beyond a cap or a floor.

use serde_json::{Map, Value};
use trafficlab_engine::ads::money::{Currency, fixed};
use trafficlab_shared::error::FieldFault;

use super::super::read::money;
use super::record::Done;
use crate::adops::campaign::Campaign;
use crate::systems::fields::Fields;

/// Ten-thousandths of a percent in the whole.
const WHOLE: i128 = 1_000_000;
/// Digits of a percentage.
const DIGITS: u32 = 4;
/// Largest percentage, in its units.
const LARGEST: i64 = 10_000_000;

/// How a daily budget changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BudgetChange {
    by: By,
    max: Option<u64>,
    min: Option<u64>,
    /// Of all amounts.
    currency: Currency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// To this, minor units.
    Set(u64),
    /// By this, minor units.
    Absolute(i128),
    /// By this share, in ten-thousandths of a percent.
    Percent(i64),
}

impl BudgetChange {
    /// Reads `{"set"|"percent"|"absolute": number, "max"?, "min"?, "currency"?}`; amounts are in `usual` unless it says.
    pub(super) fn read(
        map: &Map<String, Value>,
        path: &str,
        usual: Currency,
        faults: &mut Vec<FieldFault>,
    ) -> Option<Self> {
        let before = faults.len();
        let mut fields = Fields::new(map, path, faults);
        let named = fields.get("currency").map(|value| value.as_str().and_then(Currency::parse));
        if named == Some(None) {
            fields.fault("currency", "must be a currency of ISO 4217, such as USD");
        }
        let currency = named.flatten().unwrap_or(usual);
        let amount = |value: &Value| money(value, currency);
        let ways = [
            of(&mut fields, "set", |value| amount(value).map(By::Set)),
            of(&mut fields, "absolute", |value| signed(value, |size| amount(size).map(i128::from)).map(By::Absolute)),
            of(&mut fields, "percent", percent),
        ];
        let (max, min) = (of(&mut fields, "max", amount), of(&mut fields, "min", amount));
        for member in fields.unknown(&[]) {
            fields.faults().push(FieldFault::new(member, "unknown field"));
        }
        if max.is_some_and(|max| min.is_some_and(|min| min > max)) {
            fields.fault("max", "must not be below `min`");
        }
        let mut ways = ways.into_iter().flatten();
        let (by, more) = (ways.next(), ways.next());
        if faults.len() == before && (by.is_none() || more.is_some()) {
            faults.push(FieldFault::new(path, "must have exactly one of set, percent, absolute"));
        }
        (faults.len() == before).then_some(Self { by: by?, max, min, currency })
    }

    /// What it does to a campaign.
    ///
    /// # Errors
    /// Why it is skipped (`Ok`) or fails (`Err`).
    pub(super) fn decide(&self, campaign: &Campaign) -> Result<Result<Done, String>, String> {
        let amounts = !matches!(self.by, By::Percent(_)) || self.max.is_some() || self.min.is_some();
        if amounts && campaign.currency != self.currency {
            return Ok(Err(format!("its currency is {}, the amounts are in {}", campaign.currency, self.currency)));
        }
        let old = campaign.daily_budget;
        let wanted = match (self.by, old) {
            (By::Set(amount), _) => i128::from(amount),
            (_, None) => return Ok(Err("it has no daily budget".to_owned())),
            (By::Absolute(change), Some(old)) => i128::from(old) + change,
            (By::Percent(share), Some(old)) => percented(old, share),
        };
        let new = self.within(wanted, old);
        let done = |new: u64| Done::DailyBudget { old, new, currency: campaign.currency };
        match u64::try_from(new) {
            Ok(new) if Some(new) == old => Ok(Err("its daily budget is this already, or at the limit".to_owned())),
            Ok(new) if new > 0 && campaign.currency.minor(&campaign.currency.text(new)) == Ok(new) => Ok(Ok(done(new))),
            Ok(new) if new > 0 => Err("its daily budget would be too large".to_owned()),
            _ => Err("its daily budget would not be above 0".to_owned()),
        }
    }

    /// Keeps to cap and floor. A raise never becomes a cut by its cap, nor a cut a raise by its floor.
    fn within(&self, wanted: i128, old: Option<u64>) -> i128 {
        let (max, min) = (self.max.map_or(i128::MAX, i128::from), self.min.map_or(i128::MIN, i128::from));
        match (self.by, old.map(i128::from)) {
            (By::Set(_), _) | (_, None) => wanted.min(max).max(min),
            (_, Some(old)) if wanted > old => wanted.min(max).max(old),
            (_, Some(old)) => wanted.max(min).min(old),
        }
    }
}

fn percented(old: u64, share: i64) -> i128 {
    // Half up; the sum is never negative, since a share is above -100 %.
    (i128::from(old) * (WHOLE + i128::from(share)) * 2 + WHOLE) / (WHOLE * 2)
}

fn of<T>(fields: &mut Fields<'_, '_>, key: &'static str, read: impl Fn(&Value) -> Result<T, String>) -> Option<T> {
    let value = fields.get(key)?;
    read(value).map_err(|message| fields.fault(key, message)).ok()
}

fn percent(value: &Value) -> Result<By, String> {
    let wrong = || "must be a number above -100 and at most 1000, other than 0".to_owned();
    let share = signed(value, |size| {
        let size = fixed(&size.to_string(), DIGITS).ok().and_then(|size| i64::try_from(size).ok());
        size.map(i128::from).ok_or_else(wrong)
    });
    let share = share.ok().and_then(|share| i64::try_from(share).ok());
    let allowed = |share: &i64| *share != 0 && i128::from(*share) > -WHOLE && *share <= LARGEST;
    share.filter(allowed).map(By::Percent).ok_or_else(wrong)
}

/// Reads a number whose size `of` reads.
fn signed(value: &Value, of: impl Fn(&Value) -> Result<i128, String>) -> Result<i128, String> {
    let Value::Number(number) = value else { return Err("must be a number".to_owned()) };
    let text = number.to_string();
    let Some(size) = text.strip_prefix('-') else { return of(value) };
    let size: Value = serde_json::from_str(size).ok().ok_or_else(|| "must be a number".to_owned())?;
    of(&size).map(|size| -size)
}
