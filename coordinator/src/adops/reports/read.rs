//! What a request says of a report.

use serde_json::{Map, Value};
use trafficlab_engine::ads::compare::Earlier;

use super::schedule::{Period, Schedule, WEEKDAYS};
use crate::adops::accounts::email;
use crate::adops::campaign::Platform;
use crate::adops::input;
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};

/// Bytes of a name.
const LONGEST_NAME: usize = 100;
/// Recipients at the most.
const MOST_RECIPIENTS: usize = 20;

/// What is to be set; none leaves it, some of none takes it away.
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) schedule: Option<&'static str>,
    pub(super) weekday: Option<u8>,
    pub(super) day: Option<u8>,
    pub(super) hour: Option<u8>,
    /// In the one spelling of addresses.
    pub(super) recipients: Option<Vec<String>>,
    pub(super) period: Option<Period>,
    pub(super) platform: Option<Option<Platform>>,
    pub(super) compare: Option<Option<String>>,
    pub(super) active: Option<bool>,
}

/// Reads a body; a `new` report needs a name, a schedule and recipients.
///
/// # Errors
/// 400 naming fields.
pub(super) fn read(body: &Map<String, Value>, new: bool) -> Outcome<Wanted> {
    const SHOWN: [&str; 3] = ["user_id", "next_run_at", "last_run_at"];
    input::read_beside(body, &SHOWN, |fields| {
        let name = input::name(fields, "name", LONGEST_NAME, new);
        let words = ["daily", "weekly", "monthly"];
        let schedule = input::word(fields, "schedule", |word| words.into_iter().find(|known| *known == word), &words);
        let weekday = |word: &str| WEEKDAYS.iter().position(|known| *known == word);
        let small = |number: Option<u64>| number.and_then(|number| u8::try_from(number).ok());
        let wanted = Wanted {
            name,
            schedule,
            weekday: input::word(fields, "weekday", weekday, &WEEKDAYS).and_then(|day| u8::try_from(day).ok()),
            day: small(fields.whole("day", 1..=28)),
            hour: small(fields.whole("hour", 0..=23)),
            recipients: recipients(fields),
            period: input::word(fields, "period", Period::parse, &Period::ALL.map(Period::as_str)),
            platform: cleared(fields, body, "platform", |fields| {
                input::word(fields, "platform", Platform::parse, &platforms())
            }),
            compare: cleared(fields, body, "compare_period", |fields| {
                let earlier = input::word(fields, "compare_period", Earlier::parse, &Earlier::ALL.map(Earlier::as_str));
                earlier.map(|earlier| earlier.as_str().to_owned())
            }),
            active: fields.flag("active"),
        };
        for (key, missing) in [("schedule", wanted.schedule.is_none()), ("recipients", wanted.recipients.is_none())] {
            if new && missing && body.get(key).is_none_or(Value::is_null) {
                fields.fault(key, "is needed");
            }
        }
        wanted
    })
}

impl Wanted {
    /// The schedule that comes of `before` and what is told; the first day of the week or month when none is.
    ///
    /// # Errors
    /// 422 when a day is told that the schedule does not have.
    pub(super) fn schedule(&self, before: Option<Schedule>) -> Outcome<Schedule> {
        let word = self.schedule.or(before.map(Schedule::as_str)).unwrap_or("daily");
        let strange =
            [("weekday", self.weekday.is_some() && word != "weekly"), ("day", self.day.is_some() && word != "monthly")];
        if let Some((field, _)) = strange.iter().find(|(_, strange)| *strange) {
            let fault = Fault::new(Code::Unprocessable, format!("A {word} report has no `{field}`"));
            return Err(fault.detail(field, "does not go with the schedule"));
        }
        Ok(match (word, before) {
            ("weekly", Some(Schedule::Weekly(weekday))) => Schedule::Weekly(self.weekday.unwrap_or(weekday)),
            ("weekly", _) => Schedule::Weekly(self.weekday.unwrap_or(0)),
            ("monthly", Some(Schedule::Monthly(day))) => Schedule::Monthly(self.day.unwrap_or(day)),
            ("monthly", _) => Schedule::Monthly(self.day.unwrap_or(1)),
            _ => Schedule::Daily,
        })
    }
}

fn platforms() -> Vec<&'static str> {
    Platform::ALL.iter().map(|platform| platform.as_str()).collect()
}

/// A member that null takes away.
fn cleared<'a, T>(
    fields: &mut Fields<'a, '_>,
    body: &Map<String, Value>,
    key: &'static str,
    read: impl FnOnce(&mut Fields<'a, '_>) -> Option<T>,
) -> Option<Option<T>> {
    let found = read(fields);
    body.get(key).filter(|value| value.is_null() || found.is_some())?;
    Some(found)
}

fn recipients(fields: &mut Fields<'_, '_>) -> Option<Vec<String>> {
    let list = fields.list("recipients", MOST_RECIPIENTS)?;
    if list.is_empty() {
        fields.fault("recipients", "must name somebody");
    }
    let mut found = Vec::new();
    for (place, value) in list.iter().enumerate() {
        match value.as_str().map(str::trim).filter(|text| email::is_valid(text)) {
            Some(text) => found.push(email::fold(text)),
            None => fields.fault(&format!("recipients[{place}]"), "value is not a valid email address"),
        }
    }
    Some(found)
}
