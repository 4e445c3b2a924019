//! One change of many campaigns at once, which can be undone.

pub mod action;
pub mod apply;
mod budget;
pub mod record;
pub mod undo;

use serde_json::Value;

use crate::adops::ids::CampaignId;

/// Campaigns of one bulk change.
pub const MOST: usize = 1000;

/// What became of a campaign; values are those of the API.
#[derive(Debug, Clone, PartialEq)]
pub enum Became {
    /// It was changed.
    Done {
        /// The status, budget or labels before.
        old: Value,
        /// And after.
        new: Value,
    },
    /// There was nothing to do; why.
    Skipped(String),
    /// It cannot be done; why.
    Failed(String),
}

/// What became of all campaigns of a bulk change.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Its number; none when nothing was written.
    pub bulk_id: Option<u64>,
    /// Whether this only tells what would be done.
    pub dry_run: bool,
    /// Campaigns that were changed.
    pub done: u32,
    /// Campaigns with nothing to do.
    pub skipped: u32,
    /// Campaigns that cannot be changed so.
    pub failed: u32,
    /// Each campaign.
    pub items: Vec<(CampaignId, Became)>,
}

impl Judged {
    fn new(dry_run: bool) -> Self {
        Self { bulk_id: None, dry_run, done: 0, skipped: 0, failed: 0, items: Vec::new() }
    }

    fn add(&mut self, id: CampaignId, became: Became) {
        match became {
            Became::Done { .. } => self.done += 1,
            Became::Skipped(_) => self.skipped += 1,
            Became::Failed(_) => self.failed += 1,
        }
        self.items.push((id, became));
    }
}

#[cfg(test)]
mod tests;
