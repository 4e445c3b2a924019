//! The pages of a site, and which of them a visit sees.

use trafficlab_shared::model::content::PageSpec;
use trafficlab_shared::template::{Part, Template};

use super::Visit;
use crate::traffic::cast;
use crate::traffic::fill;
use crate::traffic::rng::{Domain, EntryKey, EntryRng};
use crate::traffic::visitor::Profile;
use crate::traffic::weights::Alias;

/// Pages with their weights.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    templates: Vec<Template>,
    /// For the first page of a session.
    entry: Alias,
    next: Alias,
}

impl Pages {
    /// None without any page.
    pub(super) fn new(pages: &[PageSpec]) -> Option<Self> {
        let any = !pages.iter().any(|page| page.entry);
        let entry = |page: &PageSpec| if page.entry || any { page.weight } else { 0.0 };
        Some(Self {
            // The specification was checked when the campaign was.
            templates: pages.iter().map(|page| Template::parse(&page.path).unwrap_or_default()).collect(),
            entry: Alias::new(&pages.iter().map(entry).collect::<Vec<f64>>())?,
            next: Alias::new(&pages.iter().map(|page| page.weight).collect::<Vec<f64>>())?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, visit: &Visit<'_>, profile: &Profile<'_>) {
        // The page is drawn from session and number alone, so that the next visit can name it as its referrer.
        let key = EntryKey { seed: visit.session_id(), shard: 0, slot: 0, k: visit.page_number() };
        let mut stream = EntryRng::new(key, Domain::Session);
        let choice = if visit.page_number() == 1 { &self.entry } else { &self.next };
        let page = choice.pick(stream.word());
        for part in self.templates.get(cast::index(page)).map_or(&[][..], Template::parts) {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Variable(variable) => {
                    let start = out.len();
                    fill::write(out, *variable, profile, visit.page_number(), &mut stream);
                    fill::escape_from(out, start);
                }
            }
        }
    }
}
