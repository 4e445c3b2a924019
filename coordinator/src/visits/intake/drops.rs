//! Why visits are left out, and how many were.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a visit that could be read is not counted. The words go into the header `X-Visit-Dropped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The site is none of the configured ones.
    UnknownSite,
    /// Sites appear by themselves, and there are as many as there may be.
    TooManySites,
    /// A page of another site sent it.
    OriginMismatch,
    /// The visitor sends `DNT: 1`.
    Dnt,
    /// The visitor sends `Sec-GPC: 1`.
    Gpc,
    /// The site leaves out the path or the address.
    Excluded,
    /// The site takes no more visits for now.
    SiteLimit,
    /// Too many visits with the mark of a campaign that does not generate.
    UnverifiedLimit,
    /// It only tells how long a page was looked at, which is not kept.
    Engagement,
    /// The event was counted for another of its sites, and then the client or the disk was at its limit.
    Overload,
}

const REASONS: [Reason; 10] = [
    Reason::UnknownSite,
    Reason::TooManySites,
    Reason::OriginMismatch,
    Reason::Dnt,
    Reason::Gpc,
    Reason::Excluded,
    Reason::SiteLimit,
    Reason::UnverifiedLimit,
    Reason::Engagement,
    Reason::Overload,
];

impl Reason {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownSite => "unknown_site",
            Self::TooManySites => "too_many_sites",
            Self::OriginMismatch => "origin_mismatch",
            Self::Dnt => "dnt",
            Self::Gpc => "gpc",
            Self::Excluded => "excluded",
            Self::SiteLimit => "site_limit",
            Self::UnverifiedLimit => "unverified_limit",
            Self::Engagement => "engagement",
            Self::Overload => "overload",
        }
    }
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Drops {
    counts: [AtomicU64; REASONS.len()],
}

impl Drops {
    /// One more visit was left out.
    pub(crate) fn add(&self, reason: Reason) {
        for (count, known) in self.counts.iter().zip(REASONS) {
            if known == reason {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many visits were left out for each reason.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        REASONS.into_iter().zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_apart() {
        let drops = Drops::default();
        drops.add(Reason::Dnt);
        drops.add(Reason::Dnt);
        drops.add(Reason::UnverifiedLimit);
        let counted: Vec<_> = drops.counts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(Reason::Dnt, 2), (Reason::UnverifiedLimit, 1)]);
    }
}
