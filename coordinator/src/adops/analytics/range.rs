//! `date_from` and `date_to` of every question: days in the tenant's time zone.

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_shared::error::FieldFault;

use crate::adops::tenant::Tenant;
use crate::systems::{Code, Fault, Outcome};

/// Days of a question that says none.
const USUAL: i32 = 30;
/// Most days of a question: two years, one of them a leap year.
pub const MOST: u32 = 731;

/// Reads the days of a question. Without any they are the last 30 full days; `date_from` alone goes on to yesterday,
/// `date_to` alone begins 29 days before it.
///
/// # Errors
/// `validation_error` for what is no date, `unprocessable_entity` when the first day is after the last or there are too
/// many.
pub fn read_range(tenant: &Tenant, from: Option<&str>, to: Option<&str>, now_ns: u64) -> Outcome<Days> {
    let mut faults = Vec::new();
    let mut read = |name: &str, text: Option<&str>| {
        let day = text.and_then(Day::parse);
        if text.is_some() && day.is_none() {
            faults.push(FieldFault::new(name, "must be a date such as 2024-12-31"));
        }
        day
    };
    let (from, to) = (read("date_from", from), read("date_to", to));
    if !faults.is_empty() {
        return Err(Fault::validation(faults));
    }
    let yesterday = tenant.day_at(now_ns).plus(-1);
    let last = to.unwrap_or_else(|| from.map_or(yesterday, |first| first.max(yesterday)));
    let days = Days { first: from.unwrap_or_else(|| last.plus(1 - USUAL)), last };
    check(days)?;
    Ok(days)
}

/// Whether these are days that a question may ask for.
fn check(days: Days) -> Outcome<()> {
    if days.is_empty() {
        let message = format!("`date_from` ({}) is after `date_to` ({})", days.first, days.last);
        return Err(Fault::new(Code::Unprocessable, message)
            .detail("date_from", "must not be after date_to")
            .detail("date_to", "must not be before date_from"));
    }
    if days.len() > MOST {
        let message = format!("{} to {} are more than {MOST} days", days.first, days.last);
        let detail = format!("at most {MOST} days from date_from");
        return Err(Fault::new(Code::Unprocessable, message).detail("date_to", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_engine::ads::money::Currency;

    fn tenant(timezone: &str) -> Tenant {
        Tenant {
            name: "Acme".to_owned(),
            timezone: timezone.to_owned(),
            currency: Currency::USD,
            created_ns: 0,
            keep_personal_days: None,
        }
    }

    fn at(moment: &str) -> u64 {
        u64::try_from(moment.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn read(timezone: &str, from: Option<&str>, to: Option<&str>, now: &str) -> Outcome<(String, String, u32)> {
        let days = read_range(&tenant(timezone), from, to, at(now))?;
        Ok((days.first.to_string(), days.last.to_string(), days.len()))
    }

    fn days(first: &str, last: &str, len: u32) -> (String, String, u32) {
        (first.to_owned(), last.to_owned(), len)
    }

    #[test]
    fn what_is_not_said_is_chosen() {
        let now = "2024-07-10T12:00:00Z";
        assert_eq!(read("UTC", None, None, now), Ok(days("2024-06-10", "2024-07-09", 30)));
        assert_eq!(read("UTC", Some("2024-07-01"), None, now), Ok(days("2024-07-01", "2024-07-09", 9)));
        assert_eq!(read("UTC", Some("2024-08-01"), None, now), Ok(days("2024-08-01", "2024-08-01", 1)));
        assert_eq!(read("UTC", None, Some("2024-03-01"), now), Ok(days("2024-02-01", "2024-03-01", 30)));
    }

    #[test]
    fn wrong_alone_is_400_and_wrong_together_is_422() {
        let now = "2024-07-10T12:00:00Z";
        let refused = |from, to| {
            let fault = read("UTC", from, to, now).unwrap_err();
            (fault.code, fault.details.iter().map(|detail| detail.field.clone()).collect::<Vec<_>>().join(" "))
        };
        let both = "date_from date_to".to_owned();
        assert_eq!(refused(Some("2024-02-30"), Some("soon")), (Code::Validation, both.clone()));
        assert_eq!(refused(Some(""), None), (Code::Validation, "date_from".to_owned()));
        assert_eq!(refused(Some("2024-02-02"), Some("2024-02-01")), (Code::Unprocessable, both));
        assert_eq!(refused(Some("2022-01-01"), Some("2024-01-02")), (Code::Unprocessable, "date_to".to_owned()));
        assert_eq!(read("UTC", Some("2022-01-01"), Some("2024-01-01"), now).unwrap().2, 731);
    }

    /// Checklist 92: a day is the tenant's, also where it has 23 or 25 hours or begins at an odd minute.
    #[test]
    fn full_days_are_the_tenants() {
        let last = |timezone, now| read(timezone, None, None, now).unwrap().1;
        // Berlin's 2024-03-31 had 23 hours: it began at 23:00 and ended at 22:00 UTC.
        assert_eq!(last("Europe/Berlin", "2024-03-30T22:59:59Z"), "2024-03-29");
        assert_eq!(last("Europe/Berlin", "2024-03-30T23:00:00Z"), "2024-03-30");
        assert_eq!(last("Europe/Berlin", "2024-03-31T21:59:59.999999999Z"), "2024-03-30");
        assert_eq!(last("Europe/Berlin", "2024-03-31T22:00:00Z"), "2024-03-31");
        // Berlin's 2024-10-27 had 25: from 22:00 to 23:00 UTC.
        assert_eq!(last("Europe/Berlin", "2024-10-26T22:00:00Z"), "2024-10-26");
        assert_eq!(last("Europe/Berlin", "2024-10-27T22:59:59Z"), "2024-10-26");
        assert_eq!(last("Europe/Berlin", "2024-10-27T23:00:00Z"), "2024-10-27");
        // Chatham is 12 hours and 45 minutes ahead in its winter, 13:45 in its summer.
        assert_eq!(last("Pacific/Chatham", "2024-06-30T11:14:59Z"), "2024-06-29");
        assert_eq!(last("Pacific/Chatham", "2024-06-30T11:15:00Z"), "2024-06-30");
        assert_eq!(last("Pacific/Chatham", "2024-12-31T10:15:00Z"), "2024-12-31");
        assert_eq!(last("Europe/Berlin", "2024-04-15T00:00:00Z"), "2024-04-14");
        assert_eq!(read("Europe/Berlin", None, None, "2024-04-15T00:00:00Z").unwrap().2, 30, "across the change");
    }
}
