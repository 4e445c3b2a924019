//! Scheduled reports as callers see and write them.

use poem_openapi::Object;
use serde::Serialize;

use crate::adops::campaign::Platform;
use crate::adops::reports::{Report, Schedule, WEEKDAYS};
use crate::systems::time::{maybe_rfc3339, rfc3339};

/// A scheduled report
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
#[oai(rename = "ScheduledReport")]
pub struct ReportView {
    /// Its number
    id: u64,
    /// Its name, which begins the mail's subject
    name: String,
    /// `daily`, `weekly` or `monthly`
    schedule: String,
    /// Of a weekly one
    weekday: Option<String>,
    /// Of a monthly one
    day: Option<u8>,
    /// Hour of the tenant's time zone
    hour: u8,
    /// Addresses of the people it goes to now
    recipients: Vec<String>,
    /// The full days before the day it is due on
    period: String,
    /// Of one platform only
    platform: Option<String>,
    /// `previous_period` or `previous_year`
    compare_period: Option<String>,
    /// Whether it is sent
    active: bool,
    /// When it is due next; null while it stands still
    next_run_at: Option<String>,
    /// The due moment that was last sent
    last_run_at: Option<String>,
    /// Who made it
    user_id: Option<u64>,
    /// When it was made
    created_at: String,
    /// When it was last changed
    updated_at: String,
}

/// A report to make or change; when changing, what is left out stays
#[derive(Debug, Object)]
#[oai(rename = "ScheduledReportBody")]
pub struct ReportBody {
    /// At most 100 bytes
    name: Option<String>,
    /// `daily`, `weekly` or `monthly`
    schedule: Option<String>,
    /// Of a weekly one: `monday` (default) to `sunday`
    weekday: Option<String>,
    /// Of a monthly one: 1 (default) to 28
    day: Option<u8>,
    /// 0 to 23 of the tenant's time zone; 8 by default. Where the clocks leave the hour out it is sent an hour later,
    /// where they repeat it once
    hour: Option<u8>,
    /// 1 to 20 addresses of active users of the tenant
    recipients: Option<Vec<String>>,
    /// `yesterday`, `last_7_days` (default), `last_30_days`, `last_90_days`, `last_week`, `last_month`
    period: Option<String>,
    /// One platform only; null takes it away
    platform: Option<String>,
    /// `previous_period` or `previous_year`; null takes it away
    compare_period: Option<String>,
    /// true by default
    active: Option<bool>,
}

/// What was queued
#[derive(Debug, Clone, Copy, Serialize, Object)]
#[oai(rename = "ReportSent")]
pub struct Sent {
    /// The report
    pub id: u64,
    /// Mails that were queued
    pub mails: u64,
}

pub(super) fn view(id: u64, report: &Report, recipients: Vec<String>) -> ReportView {
    let (weekday, day) = match report.schedule {
        Schedule::Daily => (None, None),
        Schedule::Weekly(weekday) => (WEEKDAYS.get(usize::from(weekday)).map(|&word| word.to_owned()), None),
        Schedule::Monthly(day) => (None, Some(day)),
    };
    ReportView {
        id,
        name: report.name.clone(),
        schedule: report.schedule.as_str().to_owned(),
        weekday,
        day,
        hour: report.hour,
        recipients,
        period: report.period.as_str().to_owned(),
        platform: report.platform.map(Platform::as_str).map(str::to_owned),
        compare_period: report.compare.clone(),
        active: report.active,
        next_run_at: report.active.then(|| rfc3339(report.next_ns)),
        last_run_at: maybe_rfc3339(report.last_due_ns),
        user_id: report.owner.map(crate::adops::UserId::get),
        created_at: rfc3339(report.created_ns),
        updated_at: rfc3339(report.updated_ns),
    }
}
