//! The rows of an export, taken from memory as they are now.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufWriter, Result, Write};
use std::sync::Arc;

use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_engine::ads::export::input;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_shared::model::export::ExportTable;

use super::Asked;
use crate::adops::book::Entry;
use crate::adops::campaign::Campaign;

/// Writes the rows of those campaigns that are asked for; answers how many there are, and gives the writer back.
pub(super) fn write<W: Write>(entries: &[Arc<Entry>], asked: &Asked, out: W) -> Result<(W, u64)> {
    let mut writer = input::Writer::new(BufWriter::new(out));
    for entry in entries.iter().filter(|entry| asked.filter.matches(entry)) {
        let campaign = shown(&entry.campaign);
        match asked.table {
            ExportTable::Campaigns => writer.push(&campaign, [(None, sum(entry, asked))])?,
            ExportTable::Metrics => {
                let days = days(entry, asked.days, asked.synthetic);
                writer.push(&campaign, days.into_iter().map(|(day, figures)| (Some(day), figures)))?;
            }
        }
    }
    let (buffered, rows) = writer.finish()?;
    Ok((buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?, rows))
}

fn sum(entry: &Entry, asked: &Asked) -> Figures {
    let real = entry.real.sum(asked.days);
    if asked.synthetic { real + entry.synthetic.sum(asked.days) } else { real }
}

/// The days that have figures, in their order.
fn days(entry: &Entry, days: Days, synthetic: bool) -> BTreeMap<Day, Figures> {
    let mut all: BTreeMap<Day, Figures> = entry.real.days(days).collect();
    if synthetic {
        for (day, figures) in entry.synthetic.days(days) {
            *all.entry(day).or_default() += figures;
        }
    }
    all
}

fn shown(campaign: &Campaign) -> input::Campaign<'_> {
    input::Campaign {
        id: campaign.id.get(),
        name: Cow::Borrowed(&campaign.name),
        platform: Cow::Borrowed(campaign.platform.as_str()),
        status: Cow::Borrowed(campaign.status.as_str()),
        objective: campaign.objective.as_deref().map(Cow::Borrowed),
        external_id: campaign.external_id.as_deref().map(Cow::Borrowed),
        account_id: campaign.account_id.as_deref().map(Cow::Borrowed),
        currency: campaign.currency,
        daily_budget: campaign.daily_budget,
        lifetime_budget: campaign.lifetime_budget,
        start: campaign.start,
        end: campaign.end,
        labels: Cow::Borrowed(&campaign.labels),
        created_ns: campaign.created_ns,
        updated_ns: campaign.updated_ns,
    }
}
