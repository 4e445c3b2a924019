//! Retention: on request, and by the clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::people;
use super::types::{PruneBody, PrunedBody, PrunedSiteBody};
use crate::http::App;
use crate::systems::visits::stats::{scope, wrong};
use crate::systems::{Fault, Outcome};
use crate::visits::transfer::retention::{self, Gone, RetentionFault};

const EVERY: Duration = Duration::from_secs(3600);
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// Removes what is too old each hour, for ever.
pub async fn run(app: &Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match pass(app, None, None, false).await {
            Ok(gone) => gone.iter().for_each(|gone| {
                tracing::info!(site = %gone.site, visits = gone.pruned.rows, "visits older than `keep_days` are removed");
            }),
            Err(fault) => tracing::error!(%fault, "old visits cannot be removed"),
        }
    }
}

/// Removes what is too old now, or tells what would go.
///
/// # Errors
/// 404 for an unknown site, 422 for days that are none.
pub(super) async fn prune(app: &Arc<App>, body: PruneBody) -> Outcome<PrunedBody> {
    if body.keep_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        return Err(wrong("keep_days", format!("must be a whole number from 1 to {MOST_DAYS}")));
    }
    let named = body.site_id.as_deref().filter(|site| !site.is_empty());
    let site = named.map(|site| scope::site(app, Some(site), None)).transpose()?;
    let site = site.map(|site| site.domain.clone());
    let gone = pass(app, site, body.keep_days, body.dry_run).await?;
    Ok(PrunedBody {
        success: true,
        dry_run: body.dry_run,
        visits: gone.iter().map(|gone| gone.pruned.rows).sum(),
        bytes: gone.iter().map(|gone| gone.pruned.bytes).sum(),
        sites: gone.iter().map(shown).collect(),
    })
}

async fn pass(app: &Arc<App>, site: Option<String>, keep_days: Option<u32>, dry_run: bool) -> Outcome<Vec<Gone>> {
    let own = Arc::clone(app);
    let work = move || retention::prune(&own.visits, &own.config, site.as_deref(), keep_days, dry_run);
    let gone = tokio::task::spawn_blocking(work).await.map_err(|error| Fault::internal("retention", &error))?;
    gone.map_err(|fault| match fault {
        RetentionFault::Visits(error) => people::fault(error),
        RetentionFault::Figures(error) => Fault::internal("retention of imported figures", &error),
    })
}

fn shown(gone: &Gone) -> PrunedSiteBody {
    PrunedSiteBody {
        site_id: gone.site.clone(),
        keep_from: date(gone.keep_from),
        visits: gone.pruned.rows,
        parts: gone.pruned.parts,
        bytes: gone.pruned.bytes,
    }
}

fn date(day: i32) -> String {
    let begin = Timestamp::from_second(i64::from(day) * 86_400).unwrap_or(Timestamp::UNIX_EPOCH);
    begin.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(19_397), "2023-02-09");
    }
}
