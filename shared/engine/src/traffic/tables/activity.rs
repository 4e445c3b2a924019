//! How active people are over their day.

use std::sync::LazyLock;

use trafficlab_shared::model::content::daily::HOURS;

use super::{Cells, rows};

static ACTIVITY: LazyLock<Vec<f64>> =
    LazyLock::new(|| rows(include_str!("../../../data/activity.tsv")).map(|mut cells: Cells| cells.parse()).collect());

/// Activity by hour of the local day.
pub(crate) fn activity() -> &'static [f64] {
    debug_assert_eq!(ACTIVITY.len(), HOURS, "a day has so many hours");
    &ACTIVITY
}
