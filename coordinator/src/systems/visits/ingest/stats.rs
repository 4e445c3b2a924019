//! `GET /stats`: uptime and counts, without looking at a single visit.

use poem::http::StatusCode;
use poem::{Request, Response};
use trafficlab_shared::clock;
use trafficlab_shared::error::FieldFault;

use super::body::unprocessable;
use super::reply;
use crate::http::App;
use crate::systems::{Fault, time};

const SHORTEST_HOURS: f64 = 0.1;
const LONGEST_HOURS: f64 = 168.0;
const DEFAULT_HOURS: f64 = 1.0;
const HOUR_MS: f64 = 3_600_000.0;
/// Characters of a wrong value that are shown.
const SHOWN: usize = 64;

/// Tells how the server does.
///
/// # Errors
/// 422 when `timeframe_hours` is out of bounds or no number.
pub fn get(app: &App, request: &Request) -> Result<Response, Fault> {
    let hours = timeframe(request.uri().query().unwrap_or_default())?;
    let store = &app.visits.store;
    let counts = store.counts();
    let now_ns = clock::wall_ns();
    let now_ms = i64::try_from(now_ns / 1_000_000).unwrap_or(i64::MAX);
    let span_ms = i64::try_from(time::whole(hours * HOUR_MS)).unwrap_or(i64::MAX);
    let recent = store.recent(now_ms, span_ms);
    let uptime = app.started.elapsed();
    let body = format!(
        concat!(
            r#"{{"uptime_seconds":{:?},"uptime_formatted":"{}","total_visits":{},"current_time":"{}","#,
            r#""server_status":"running","recent_visits":{},"timeframe_hours":{:?},"bot_visits":{},"synthetic_visits":{}}}"#,
        ),
        time::round3(uptime.as_secs_f64()),
        formatted(uptime.as_secs()),
        counts.total,
        time::rfc3339(now_ns),
        recent,
        hours,
        counts.bots,
        counts.synthetic,
    );
    Ok(reply::json(StatusCode::OK, body))
}

/// Hours, minutes and seconds, as the document prints them.
fn formatted(seconds: u64) -> String {
    format!("{}h {}m {}s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The timeframe of a query; of several the last one counts.
fn timeframe(query: &str) -> Result<f64, Fault> {
    if query.is_empty() {
        return Ok(DEFAULT_HOURS);
    }
    let named = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "timeframe_hours");
    let Some((_, text)) = named.last() else { return Ok(DEFAULT_HOURS) };
    let hours = text.parse::<f64>().ok();
    if let Some(hours) = hours.filter(|hours| (SHORTEST_HOURS..=LONGEST_HOURS).contains(hours)) {
        return Ok(hours);
    }
    let shown: String = text.chars().take(SHOWN).collect();
    let problem = match hours {
        Some(hours) if hours < SHORTEST_HOURS => "must be at least 0.1 hours (6 minutes)",
        Some(hours) if hours > LONGEST_HOURS => "must be at most 168.0 hours (1 week)",
        _ => "must be a number of hours from 0.1 to 168.0",
    };
    let bounds = if problem.contains("from") { "" } else { "; it may be from 0.1 to 168.0" };
    let message = format!("{problem}, not `{}`{bounds}", shown.escape_default());
    Err(unprocessable(vec![FieldFault::new("timeframe_hours", message)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::systems::Code;

    #[test]
    fn hours_keep_their_bounds() {
        for (query, hours) in [
            ("", 1.0),
            ("other=9", 1.0),
            ("timeframe_hours=0.5", 0.5),
            ("timeframe_hours=0.1", 0.1),
            ("timeframe_hours=168.0", 168.0),
            ("timeframe_hours=1e2", 100.0),
            ("timeframe_hours=0%2E5", 0.5),
            ("timeframe_hours=7&timeframe_hours=8", 8.0),
        ] {
            assert_eq!(timeframe(query).unwrap(), hours, "{query}");
        }
        for given in ["0.0999", "168.01", "NaN", "inf", "-inf", "-1", "0", "text", "", "1e999", "1,5", "0x1"] {
            let fault = timeframe(&format!("timeframe_hours={given}")).unwrap_err();
            assert_eq!(fault.code, Code::Unprocessable, "{given}");
            assert_eq!(fault.details[0].field, "timeframe_hours");
            for part in ["0.1", "168.0", &format!("`{given}`")] {
                assert!(fault.message.contains(part), "{given}: {}", fault.message);
            }
        }
    }

    #[test]
    fn uptime_is_printed_as_in_the_document() {
        assert_eq!(formatted(3600), "1h 0m 0s");
        assert_eq!(formatted(90_061), "25h 1m 1s");
    }
}
