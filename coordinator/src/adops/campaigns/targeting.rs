//! Whom a campaign is shown to and who saw it, as they stand in a body.

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use super::read::{Given, given, letters, read, words};
use crate::adops::campaign::Targeting;
use crate::systems::fields::Fields;

/// Years of age.
const AGES: std::ops::RangeInclusive<u64> = 13..=120;
/// Places or interests, and the letters of one.
const MOST_WORDS: usize = 250;
const LONGEST_WORD: usize = 100;
/// Groups of shares, shares of a group, and letters of their names.
const MOST_GROUPS: usize = 20;
const MOST_SHARES: usize = 100;
const LONGEST_GROUP: usize = 50;

/// What a body says of targeting; members that it does not name stay.
#[derive(Debug)]
pub(super) struct TargetingPatch {
    age_min: Given<u8>,
    age_max: Given<u8>,
    genders: Given<Vec<String>>,
    locations: Given<Vec<String>>,
    interests: Given<Vec<String>>,
}

impl TargetingPatch {
    pub(super) fn read(value: &Value, path: &str, faults: &mut Vec<FieldFault>) -> Option<Self> {
        let map = object(value, path, faults)?;
        let mut fields = Fields::new(map, path, faults);
        let list = |value: &Value, path: &str, faults: &mut Vec<FieldFault>| {
            words(value, path, faults, MOST_WORDS, LONGEST_WORD)
        };
        let patch = Self {
            age_min: given(&mut fields, map, "age_min", age),
            age_max: given(&mut fields, map, "age_max", age),
            genders: read(&mut fields, map, "genders", list),
            locations: read(&mut fields, map, "locations", list),
            interests: read(&mut fields, map, "interests", list),
        };
        for member in fields.unknown(&[]) {
            faults.push(FieldFault::new(member, "unknown field"));
        }
        Some(patch)
    }

    pub(super) fn apply(self, to: &mut Targeting) {
        let list = |given: Given<Vec<String>>, to: &mut Vec<String>| match given {
            Given::Absent => {}
            Given::Null => to.clear(),
            Given::Value(words) => *to = words,
        };
        self.age_min.onto(&mut to.age_min);
        self.age_max.onto(&mut to.age_max);
        list(self.genders, &mut to.genders);
        list(self.locations, &mut to.locations);
        list(self.interests, &mut to.interests);
    }
}

fn age(value: &Value) -> Result<u8, String> {
    let years = value.as_u64().filter(|years| AGES.contains(years)).and_then(|years| u8::try_from(years).ok());
    years.ok_or_else(|| format!("must be a whole number from {} to {}", AGES.start(), AGES.end()))
}

/// Shares in percent by group, as JSON text; empty when there is none.
pub(super) fn demographics(value: &Value, path: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    let groups = object(value, path, faults)?;
    let before = faults.len();
    if groups.len() > MOST_GROUPS {
        faults.push(FieldFault::new(path, format!("must have at most {MOST_GROUPS} groups")));
    }
    for (group, shares) in groups.iter().take(MOST_GROUPS) {
        let path = format!("{path}.{}", short(group));
        let Some(shares) = object(shares, &path, faults) else { continue };
        let too_many = shares.len() > MOST_SHARES;
        if too_many || letters(&Value::from(group.as_str()), LONGEST_GROUP).is_err() {
            faults.push(FieldFault::new(
                &path,
                format!("must have a name of 1 to {LONGEST_GROUP} letters and at most {MOST_SHARES} shares"),
            ));
        }
        for (name, share) in shares.iter().take(MOST_SHARES) {
            let named = letters(&Value::from(name.as_str()), LONGEST_GROUP).is_ok();
            if !named || !share.as_f64().is_some_and(|share| (0.0..=100.0).contains(&share)) {
                faults.push(FieldFault::new(format!("{path}.{}", short(name)), "must be a number from 0 to 100"));
            }
        }
    }
    (faults.len() == before).then(|| if groups.is_empty() { String::new() } else { value.to_string() })
}

fn object<'a>(value: &'a Value, path: &str, faults: &mut Vec<FieldFault>) -> Option<&'a Map<String, Value>> {
    if !value.is_object() {
        faults.push(FieldFault::new(path, "must be an object"));
    }
    value.as_object()
}

/// A member's name as a path shows it.
fn short(name: &str) -> String {
    name.chars().take(LONGEST_GROUP).collect()
}
