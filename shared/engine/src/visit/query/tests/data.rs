//! A data set in memory, made of visits.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::visit::column::{ColumnSet, DICTS, Dict};
use crate::visit::data::{Columns, DataFault, Slices, slice_of};
use crate::visit::dictionary::{Dictionary, Interner};
use crate::visit::record::Visit;

/// Visits with dictionaries of their own.
pub(super) struct Made {
    dictionaries: Vec<Arc<Dictionary>>,
    slices: BTreeMap<u8, Columns>,
    times: Option<(i64, i64)>,
    rows: u64,
}

impl Made {
    pub(super) fn new(visits: &[Visit<'_>]) -> Self {
        let mut interners: Vec<Interner> = vec![Interner::default(); DICTS];
        let mut sorted = visits.to_vec();
        sorted.sort_by_key(|visit| (visit.visitor, visit.time_ms));
        let mut slices: BTreeMap<u8, Columns> = BTreeMap::new();
        for visit in &sorted {
            let columns = slices.entry(slice_of(visit.visitor)).or_default();
            columns.visitor.push(visit.visitor);
            columns.time_ms.push(visit.time_ms);
            columns.traffic.push(visit.traffic);
            columns.revenue_micros.push(visit.revenue_micros);
            for (dict, entry) in Dict::ALL.into_iter().zip(entries(visit)) {
                columns.codes[dict.index()].push(interners[dict.index()].intern(&entry).unwrap());
            }
        }
        let times = || visits.iter().map(|visit| visit.time_ms);
        Self {
            dictionaries: interners.iter().map(|interner| Arc::new(interner.dictionary().clone())).collect(),
            slices,
            times: times().min().zip(times().max()),
            rows: visits.len() as u64,
        }
    }
}

fn entries(visit: &Visit<'_>) -> [String; DICTS] {
    let join = |fields: &[&str]| {
        if fields.iter().all(|field| field.is_empty()) { String::new() } else { fields.join("\u{1f}") }
    };
    let (agent, from) = (&visit.agent, &visit.acquisition);
    [
        visit.site.to_owned(),
        join(&[visit.page.host, visit.page.path]),
        join(&[agent.browser, agent.browser_version, agent.os, agent.os_version, agent.device, agent.bot]),
        join(&[
            from.referrer,
            from.source,
            from.channel,
            from.utm_medium,
            from.utm_source,
            from.utm_campaign,
            from.utm_content,
            from.utm_term,
            from.click_kind,
        ]),
        join(&[visit.place.country, visit.place.region, visit.place.city]),
        visit.event.to_owned(),
        visit.props.to_owned(),
        visit.user.to_owned(),
        visit.click.to_owned(),
        visit.campaign.to_owned(),
        visit.currency.to_owned(),
    ]
}

impl Slices for Made {
    fn rows(&self) -> u64 {
        self.rows
    }

    fn time_range(&self) -> Option<(i64, i64)> {
        self.times
    }

    fn dictionary(&self, dict: Dict) -> Result<Arc<Dictionary>, DataFault> {
        Ok(self.dictionaries[dict.index()].clone())
    }

    /// Gives what is wanted and nothing else, so that a question that reads more than it asked for is found out.
    fn load(&self, slice: u8, want: ColumnSet, into: &mut Columns) -> Result<(), DataFault> {
        into.clear();
        let Some(from) = self.slices.get(&slice) else { return Ok(()) };
        into.visitor.extend(&from.visitor);
        into.time_ms.extend(&from.time_ms);
        into.traffic.extend(&from.traffic);
        for dict in Dict::ALL.into_iter().filter(|dict| want.has(*dict)) {
            into.codes[dict.index()].extend(&from.codes[dict.index()]);
        }
        if want.has_revenue() {
            into.revenue_micros.extend(&from.revenue_micros);
        }
        Ok(())
    }
}
