//! The languages of visitors with their weights, made once.

use trafficlab_shared::model::content::{UserProfile, country};

use crate::traffic::cast;
use crate::traffic::tables::accept_language;

/// A language tag, and the value of `Accept-Language` that goes with it.
#[derive(Debug, Clone)]
pub(in crate::traffic) struct Language {
    pub(in crate::traffic) tag: String,
    pub(in crate::traffic) accepted: String,
}

/// By place in the specification.
#[derive(Debug, Clone)]
pub(in crate::traffic) struct Languages {
    profiles: Vec<Vec<Language>>,
    countries: Vec<Language>,
}

impl Languages {
    pub(super) fn new(profiles: &[UserProfile], countries: &[u16]) -> Self {
        let given = |tag: &String| Language { tag: tag.clone(), accepted: accept_language(tag, None) };
        let of_country = |index: &u16| {
            let country = country::by_index(*index);
            let tag = country.map_or("en", |country| country.language);
            Language { tag: tag.to_owned(), accepted: accept_language(tag, country) }
        };
        Self {
            profiles: profiles.iter().map(|profile| profile.languages.iter().map(given).collect()).collect(),
            countries: countries.iter().map(of_country).collect(),
        }
    }

    /// What the profile says itself; empty when it takes the country's language.
    pub(in crate::traffic) fn of_profile(&self, profile: u32) -> &[Language] {
        self.profiles.get(cast::index(profile)).map_or(&[], Vec::as_slice)
    }

    pub(in crate::traffic) fn of_country(&self, row: u32) -> Option<&Language> {
        self.countries.get(cast::index(row))
    }
}
