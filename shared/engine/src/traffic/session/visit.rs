//! One page view of a session.

use super::pages::Pages;
use crate::traffic::rng::{Domain, EntryKey};
use crate::traffic::visitor::Profile;

/// One page view of a session.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The arrival the session begins with, whose visitor all its visits have.
    first: EntryKey,
    page: u32,
    pages: Option<&'a Pages>,
}

impl<'a> Visit<'a> {
    pub(super) const fn new(first: EntryKey, page: u32, pages: Option<&'a Pages>) -> Self {
        Self { first, page, pages }
    }

    /// The key that decides who the visitor is; that of the first visit.
    pub(crate) const fn visitor(&self) -> EntryKey {
        self.first
    }

    /// Identity of the session.
    #[must_use]
    pub const fn session_id(&self) -> u64 {
        self.first.word(Domain::Session)
    }

    /// Number of the page view within the session, from 1.
    #[must_use]
    pub const fn page_number(&self) -> u32 {
        self.page
    }

    /// The visit before this one; none for the first.
    #[must_use]
    pub fn previous(&self) -> Option<Self> {
        let page = self.page.checked_sub(1).filter(|page| *page > 0)?;
        Some(Self { page, ..*self })
    }

    /// Whether the campaign names pages.
    #[must_use]
    pub const fn has_path(&self) -> bool {
        self.pages.is_some()
    }

    /// Appends path and query of the page; false when the campaign names no pages.
    pub fn write_path(&self, out: &mut Vec<u8>, profile: &Profile<'_>) -> bool {
        let Some(pages) = self.pages else {
            return false;
        };
        pages.write(out, self, profile);
        true
    }
}
