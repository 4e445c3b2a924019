//! How many distinct failures each pattern of each source has.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::Target;

/// What a source's failures may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    /// Ports of one host.
    Ports(IpAddr, IpAddr),
    /// Hosts on one port.
    Hosts(IpAddr, u16),
    /// Pairs of host and port.
    Pairs(IpAddr),
}

impl Pattern {
    /// Whether a failure counts for it.
    pub(super) fn holds(self, target: &Target) -> bool {
        match self {
            Self::Ports(src, host) => src == target.src && host == target.dst,
            Self::Hosts(src, port) => src == target.src && port == target.port,
            Self::Pairs(src) => src == target.src,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    failed: u32,
    /// Told, and not below the threshold since.
    told: bool,
    /// Of pairs: patterns of the source that are told, which explain its pairs.
    explained: u32,
}

/// Counts by pattern. Each remembered failure has a part in three of them, which bounds their number.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    all: HashMap<Pattern, Count, foldhash::fast::RandomState>,
}

impl Counts {
    /// Adds a failure that was not there. Gives the patterns that are told, with their counts, and whether each has
    /// just crossed its threshold.
    pub(super) fn add(&mut self, target: Target, limits: [u32; 3]) -> Vec<(Pattern, u32, bool)> {
        let mut told = Vec::new();
        for (pattern, threshold) in patterns(target, limits) {
            let count = self.all.entry(pattern).or_default();
            count.failed += 1;
            let crossed = !count.told && count.failed >= threshold && count.explained == 0;
            count.told |= crossed;
            let (failed, is_told) = (count.failed, count.told);
            if crossed && !matches!(pattern, Pattern::Pairs(_)) {
                self.all.entry(Pattern::Pairs(target.src)).or_default().explained += 1;
            }
            if is_told {
                told.push((pattern, failed, crossed));
            }
        }
        told
    }

    /// Removes a failure.
    pub(super) fn remove(&mut self, target: Target, limits: [u32; 3]) {
        for (pattern, threshold) in patterns(target, limits) {
            let Some(count) = self.all.get_mut(&pattern) else { continue };
            count.failed = count.failed.saturating_sub(1);
            let fell = count.told && count.failed < threshold;
            count.told &= !fell;
            let gone = count.failed == 0 && count.explained == 0;
            if fell
                && !matches!(pattern, Pattern::Pairs(_))
                && let Some(pairs) = self.all.get_mut(&Pattern::Pairs(target.src))
            {
                pairs.explained = pairs.explained.saturating_sub(1);
            }
            if gone {
                self.all.remove(&pattern);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

/// Pairs come last, so that a pattern that explains them is known by then.
fn patterns(target: Target, [ports, hosts, pairs]: [u32; 3]) -> [(Pattern, u32); 3] {
    [
        (Pattern::Ports(target.src, target.dst), ports),
        (Pattern::Hosts(target.src, target.port), hosts),
        (Pattern::Pairs(target.src), pairs),
    ]
}
