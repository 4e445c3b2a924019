//! What visitors agreed to, by the law of their country, and how it is said.
//!
//! A TC string is made as "IAB Europe Transparency and Consent Framework" 2.2 lays its bits out, a GPP string as the
//! "Global Privacy Platform" does: `DBABMA` is the header of a string with the European section alone, `DBABTA` with
//! the United States' one. CMP 0 and vendor 0 do not exist, so nobody's consent is forged.

use std::sync::LazyLock;

use crate::traffic::render::bid_request::GDPR;
use crate::traffic::visitor::Profile;

/// Days of the made-up agreement since 1970, in tenths of a second as the string counts: 2025-01-01.
const CREATED: u64 = 17_356_896_000;

static AGREED: LazyLock<String> = LazyLock::new(|| tc_string(true));
static REFUSED: LazyLock<String> = LazyLock::new(|| tc_string(false));

/// What a request may tell about its visitor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Privacy {
    /// European rules hold.
    pub(super) gdpr: bool,
    /// The United States' rules hold.
    pub(super) us: bool,
    /// The visitor is a child by the American rule.
    pub(super) coppa: bool,
    /// The device asks not to be followed.
    pub(super) limited: bool,
    /// The visitor refused.
    refused: bool,
}

impl Privacy {
    pub(super) fn of(profile: &Profile<'_>) -> Self {
        let us = profile.country.iso2 == "US";
        Self {
            gdpr: GDPR.binary_search(&profile.country.iso2).is_ok(),
            us,
            coppa: us && (profile.user_id >> 16).is_multiple_of(100),
            limited: profile.user_id.is_multiple_of(5),
            refused: (profile.user_id >> 8).is_multiple_of(4),
        }
    }

    /// Whether ids of the visitor may be in the request.
    pub(super) const fn may_identify(&self) -> bool {
        !(self.coppa || self.limited || (self.gdpr && self.refused))
    }

    /// The TC string where European rules hold.
    pub(super) fn consent(&self) -> Option<&'static str> {
        let text = if self.refused { &REFUSED } else { &AGREED };
        self.gdpr.then(|| text.as_str())
    }

    /// `us_privacy` where the American rules hold: told, opted out or not, no limited agreement.
    pub(super) fn us_privacy(&self) -> Option<&'static str> {
        self.us.then_some(if self.refused { "1YYN" } else { "1YNN" })
    }
}

/// The core segment: who, when, which purposes; no vendors and no publisher restrictions.
fn tc_string(agreed: bool) -> String {
    let purposes = if agreed { 0x00ff_c000 } else { 0 };
    let letters = |first: u64, second: u64| (first << 6) | second;
    let (english, ours) = (letters(4, 13), letters(0, 0));
    let fields: [(u64, u32); 20] = [
        (2, 6),         // version
        (CREATED, 36),  // created
        (CREATED, 36),  // last updated
        (0, 12),        // id of the CMP
        (1, 12),        // its version
        (1, 6),         // screen
        (english, 12),  // language
        (1, 12),        // version of the vendor list
        (4, 6),         // version of the policy
        (1, 1),         // for this service only
        (0, 1),         // standard texts
        (0, 12),        // special features
        (purposes, 24), // purposes agreed to
        (0, 24),        // legitimate interests
        (0, 1),         // purpose one treated as everywhere
        (ours, 12),     // publisher's country: none that exists
        (0, 17),        // vendors agreed to: highest id 0, as a bit field
        (0, 17),        // the same of legitimate interests
        (0, 12),        // publisher restrictions
        (0, 5),         // up to a whole number of letters
    ];
    base64(&fields)
}

/// Bits in groups of six as Base64url, highest first.
fn base64(fields: &[(u64, u32)]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut text, mut group, mut filled) = (String::new(), 0_u8, 0_u32);
    for (value, width) in fields {
        for place in (0..*width).rev() {
            group = (group << 1) | u8::from((value >> place) & 1 == 1);
            filled += 1;
            if filled == 6 {
                text.push(LETTERS.get(usize::from(group)).map_or('A', |letter| char::from(*letter)));
                (group, filled) = (0, 0);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn strings_are_whole_letters_and_say_version_2() {
        for (text, agreed) in [(&*AGREED, true), (&*REFUSED, false)] {
            // Version 2 is the letter C; 259 bits of the core segment and five of padding are 44 letters.
            assert!(text.starts_with('C'), "{text}");
            assert_eq!(text.len(), 44, "{text}");
            assert_eq!(text == &*AGREED, agreed);
        }
    }
}
