//! `page` and `page_size` of every list.

use trafficlab_shared::error::FieldFault;

use super::envelope::Pagination;
use crate::systems::{Fault, Outcome};

/// Items of a page when nothing is said.
const USUAL: u64 = 20;
/// Most items of a page.
const MOST: u64 = 100;
/// The last page; beyond it nothing can lie.
const LAST: u64 = 1 << 40;

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    number: u64,
    size: u64,
}

impl Page {
    /// Reads the two parameters, as they stand in the query.
    ///
    /// # Errors
    /// `validation_error` that names each parameter that is not a whole number of its range.
    pub fn read(page: Option<&str>, page_size: Option<&str>) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut whole = |name: &str, text: Option<&str>, usual: u64, most: u64| match text.map(str::parse) {
            None => usual,
            Some(Ok(number)) if (1..=most).contains(&number) => number,
            Some(_) => {
                faults.push(FieldFault::new(name, format!("must be a whole number from 1 to {most}")));
                usual
            }
        };
        let found = Self { number: whole("page", page, 1, LAST), size: whole("page_size", page_size, USUAL, MOST) };
        if faults.is_empty() { Ok(found) } else { Err(Fault::validation(faults)) }
    }

    /// The items before this page.
    #[must_use]
    pub const fn skipped(self) -> u64 {
        (self.number - 1) * self.size
    }

    /// Items of a full page.
    #[must_use]
    pub fn size(self) -> usize {
        usize::try_from(self.size).unwrap_or(0)
    }

    /// The items of this page among all in their order.
    pub fn of<T>(self, items: impl Iterator<Item = T>) -> Vec<T> {
        let skipped = usize::try_from(self.skipped()).unwrap_or(usize::MAX);
        items.skip(skipped).take(self.size()).collect()
    }

    /// What the answer says of `total` items.
    #[must_use]
    pub const fn pagination(self, total: u64) -> Pagination {
        Pagination { page: self.number, page_size: self.size, total, total_pages: total.div_ceil(self.size) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn pages_are_bounded_and_named() {
        assert_eq!(Page::read(None, None).unwrap(), Page { number: 1, size: 20 });
        assert_eq!(Page::read(Some("3"), Some("100")).unwrap().of(0..250), (200..250).collect::<Vec<_>>());
        let bad = ["0", "-1", "1000000000000000000", "x", "", "1.5"];
        for text in bad {
            let fault = Page::read(Some(text), Some(text)).unwrap_err();
            let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
            assert_eq!(fields, ["page", "page_size"], "{text}");
        }
        assert!(Page::read(None, Some("101")).is_err());
        let pagination = Page::read(None, None).unwrap().pagination(41);
        assert_eq!((pagination.total, pagination.total_pages), (41, 3));
    }
}
