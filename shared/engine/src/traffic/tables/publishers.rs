//! Invented publishers on reserved domains.

use std::sync::LazyLock;

use super::rows;
use crate::traffic::cast;

/// The last apps of the table are for televisions.
const TV_APPS: usize = 4;

static SITES: LazyLock<Vec<Site>> = LazyLock::new(|| {
    let row = |mut cells: super::Cells| Site {
        name: cells.text(),
        domain: cells.text(),
        category: cells.text(),
        path: cells.text(),
    };
    rows(include_str!("../../../data/sites.tsv")).map(row).collect()
});

static APPS: LazyLock<Vec<App>> = LazyLock::new(|| {
    let row = |mut cells: super::Cells| App {
        name: cells.text(),
        bundle: cells.text(),
        apple_id: cells.text(),
        category: cells.text(),
    };
    rows(include_str!("../../../data/apps.tsv")).map(row).collect()
});

/// A web site that shows ads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// Name.
    pub name: &'static str,
    /// Domain under `.example`.
    pub domain: &'static str,
    /// IAB category.
    pub category: &'static str,
    /// First part of the paths of its pages.
    pub path: &'static str,
}

/// An app that shows ads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App {
    /// Name.
    pub name: &'static str,
    /// Package name.
    pub bundle: &'static str,
    /// Number in Apple's store; three digits, which no real app has.
    pub apple_id: &'static str,
    /// IAB category.
    pub category: &'static str,
}

pub(crate) fn pick_site(number: u32) -> Option<&'static Site> {
    let count = cast::length(SITES.len()).max(1);
    SITES.get(cast::index(number % count))
}

pub(crate) fn pick_app(number: u32, television: bool) -> Option<&'static App> {
    let first_tv = APPS.len().saturating_sub(TV_APPS);
    let (phones, televisions) = APPS.split_at_checked(first_tv)?;
    let list = if television { televisions } else { phones };
    list.get(cast::index(number % cast::length(list.len()).max(1)))
}
