//! The marketing channel of a visit.
//!
//! The rules and their order are those that Plausible publishes for its channels ("Acquisition channels, referral
//! sources and paid campaigns", <https://plausible.io/docs/top-referrers>), which follow the default channel group of
//! Google Analytics 4 with a channel for AI assistants beside it. Case never matters. Two differences: a `medium` of
//! exactly `organic` is Organic Search as in Google's table, and the first rule that fits is a row of `RULES`.

use std::sync::LazyLock;

use super::names::Category;

/// What the rules look at.
pub(super) struct Signs<'a> {
    /// Name of the source; empty for none.
    pub(super) source: &'a str,
    pub(super) category: Category,
    /// Whether the tag says by itself that the visit was paid for, as `facebook-ads` does.
    pub(super) paid_tag: bool,
    pub(super) medium: &'a str,
    pub(super) campaign: &'a str,
    pub(super) tag: &'a str,
    pub(super) click: &'a str,
}

/// A condition.
enum Test {
    Is(Category),
    Source(&'static str),
    AnySource,
    Click(&'static [&'static str]),
    PaidTag,
    PaidMedium,
    Medium(&'static [&'static str]),
    MediumHas(&'static [&'static str]),
    MediumEnds(&'static str),
    TagHas(&'static [&'static str]),
    Tag(&'static str),
    CampaignHas(&'static str),
    ShoppingCampaign,
}

use Test::{
    AnySource, CampaignHas, Click, Is, Medium, MediumEnds, MediumHas, PaidMedium, PaidTag, ShoppingCampaign, Source,
    Tag, TagHas,
};

const EMAIL: &[&str] = &["email", "e-mail", "e_mail", "e mail", "newsletter"];
const SOCIAL: &[&str] = &["social", "social-network", "social-media", "sm", "social network", "social media"];
const DISPLAY: &[&str] = &["display", "banner", "expandable", "interstitial", "cpm"];
const GOOGLE_CLICKS: &[&str] = &["gclid", "gbraid", "wbraid"];

/// Channels in the order in which they are tried, each with alternatives of which one must hold in all its conditions.
const RULES: [(&str, &[&[Test]]); 18] = [
    ("Cross-network", &[&[CampaignHas("cross-network")]]),
    ("Paid Shopping", &[&[Is(Category::Shopping), PaidMedium], &[ShoppingCampaign, PaidMedium]]),
    (
        "Paid Search",
        &[
            &[Is(Category::Search), PaidMedium],
            &[Is(Category::Search), PaidTag],
            &[Source("Google"), Click(GOOGLE_CLICKS)],
            &[Source("Bing"), Click(&["msclkid"])],
        ],
    ),
    ("Paid Social", &[&[Is(Category::Social), PaidMedium], &[Is(Category::Social), PaidTag]]),
    ("Paid Video", &[&[Is(Category::Video), PaidMedium], &[Is(Category::Video), PaidTag]]),
    ("Display", &[&[Medium(DISPLAY)]]),
    ("Paid Other", &[&[PaidMedium]]),
    ("Organic Shopping", &[&[Is(Category::Shopping)], &[ShoppingCampaign]]),
    ("Organic Social", &[&[Is(Category::Social)], &[Medium(SOCIAL)]]),
    ("Organic Video", &[&[Is(Category::Video)], &[MediumHas(&["video"])]]),
    ("AI Assistants", &[&[Is(Category::Assistant)]]),
    ("Organic Search", &[&[Is(Category::Search)], &[Medium(&["organic"])]]),
    ("Email", &[&[Is(Category::Mail)], &[TagHas(EMAIL)], &[MediumHas(EMAIL)]]),
    ("Affiliates", &[&[Medium(&["affiliate"])]]),
    ("Audio", &[&[Medium(&["audio"])]]),
    ("SMS", &[&[Tag("sms")], &[Medium(&["sms"])]]),
    (
        "Mobile Push Notifications",
        &[&[MediumEnds("push")], &[MediumHas(&["mobile", "notification"])], &[Tag("firebase")]],
    ),
    ("Referral", &[&[Medium(&["referral", "app", "link"])], &[AnySource]]),
];

const DIRECT: &str = "Direct";

/// The channel of a visit.
pub(super) fn channel(signs: &Signs<'_>) -> &'static str {
    if ![signs.medium, signs.campaign, signs.tag, signs.click].iter().all(|text| text.is_empty()) {
        return by_rules(signs);
    }
    // Most visits have a referrer or nothing at all: what the rules say of those is worked out once.
    static BARE: LazyLock<[(Category, &str); 7]> = LazyLock::new(|| {
        Category::ALL.map(|category| {
            let source = "somebody";
            (
                category,
                by_rules(&Signs { source, category, paid_tag: false, medium: "", campaign: "", tag: "", click: "" }),
            )
        })
    });
    if signs.source.is_empty() {
        return DIRECT;
    }
    BARE.iter().find(|(category, _)| *category == signs.category).map_or(DIRECT, |(_, channel)| channel)
}

fn by_rules(signs: &Signs<'_>) -> &'static str {
    RULES
        .iter()
        .find(|(_, alternatives)| alternatives.iter().any(|tests| tests.iter().all(|test| test.holds(signs))))
        .map_or(DIRECT, |(name, _)| name)
}

impl Test {
    fn holds(&self, signs: &Signs<'_>) -> bool {
        match self {
            Self::Is(category) => signs.category == *category,
            Self::Source(name) => signs.source == *name,
            Self::AnySource => !signs.source.is_empty(),
            Self::Click(kinds) => kinds.contains(&signs.click),
            Self::PaidTag => signs.paid_tag,
            Self::PaidMedium => is_paid_medium(signs.medium),
            Self::Medium(values) => values.iter().any(|value| signs.medium.eq_ignore_ascii_case(value)),
            Self::MediumHas(parts) => parts.iter().any(|part| has(signs.medium, part)),
            Self::MediumEnds(end) => ends(signs.medium, end),
            Self::TagHas(parts) => parts.iter().any(|part| has(signs.tag, part)),
            Self::Tag(value) => signs.tag.eq_ignore_ascii_case(value),
            Self::CampaignHas(part) => has(signs.campaign, part),
            Self::ShoppingCampaign => is_shopping(signs.campaign),
        }
    }
}

/// `^(.*cp.*|ppc|retargeting|paid.*)$`
fn is_paid_medium(medium: &str) -> bool {
    has(medium, "cp")
        || ["ppc", "retargeting"].iter().any(|value| medium.eq_ignore_ascii_case(value))
        || medium.as_bytes().get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"paid"))
}

/// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: `shop` at the beginning of a word or behind an `e`, or `shopping`.
fn is_shopping(campaign: &str) -> bool {
    let is_begin =
        |before: Option<&u8>| before.is_none_or(|byte| !byte.is_ascii_alphabetic() || byte.eq_ignore_ascii_case(&b'e'));
    let bytes = campaign.as_bytes();
    let shop = bytes.windows(4).enumerate().any(|(at, window)| {
        window.eq_ignore_ascii_case(b"shop") && is_begin(at.checked_sub(1).and_then(|before| bytes.get(before)))
    });
    shop || has(campaign, "shopping")
}

/// Whether `part` occurs in `text` in any case.
fn has(text: &str, part: &str) -> bool {
    text.len() >= part.len()
        && text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn ends(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.as_bytes().get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mediums_and_campaigns_are_read_as_the_rules_say() {
        for (medium, paid) in [
            ("cpc", true),
            ("CPM", true),
            ("ppc", true),
            ("paid_social", true),
            ("unpaid", false),
            ("retargeting2", false),
            ("", false),
        ] {
            assert_eq!(is_paid_medium(medium), paid, "{medium}");
        }
        for (campaign, shopping) in [
            ("shop", true),
            ("spring-Shop", true),
            ("eshop", true),
            ("workshop", false),
            ("window shopping", true),
            ("xshopping", true),
            ("", false),
        ] {
            assert_eq!(is_shopping(campaign), shopping, "{campaign}");
        }
        assert!(ends("web-PUSH", "push") && !ends("sh", "push"));
    }
}
