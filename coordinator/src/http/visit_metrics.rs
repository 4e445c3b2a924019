//! Prometheus figures of visits: how many came, of whom, and how many were left out for which reason.

use super::app::App;
use super::capture_metrics::{Families, Labels};
use crate::systems::time::float;

/// Adds the families of the tracker.
pub(super) fn visits(app: &App, families: &mut Families) {
    let counts = app.visits.store.counts();
    let people = counts.total.saturating_sub(counts.bots);
    let kinds =
        [("person", people), ("bot", counts.bots), ("synthetic", counts.synthetic), ("unverified", counts.unverified)];
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| ([("kind", *kind)], float(*count))).collect();
    families.counter("visits", "Visits stored", &rows(&kinds));
    let dropped = app.visits.intake.drops.counts();
    let dropped: Vec<_> = dropped.map(|(reason, count)| ([("reason", reason.as_str())], float(count))).collect();
    families.counter("visits_dropped", "Visits left out since the start", &rows(&dropped));
    let folded = float(app.visits.store.folded());
    families.counter("visit_values_folded", "Values counted as (other) since the start", &[(&[], folded)]);
    match app.visits.store.disk_bytes() {
        Ok(bytes) => families.gauge("visits_disk_bytes", "Bytes of the visits' files", &[(&[], float(bytes))]),
        Err(error) => tracing::warn!(%error, "the visits' files cannot be measured"),
    }
}

fn rows<'a>(rows: &'a [([(&'a str, &'a str); 1], f64)]) -> Vec<(Labels<'a>, f64)> {
    rows.iter().map(|(labels, value)| (&labels[..], *value)).collect()
}
