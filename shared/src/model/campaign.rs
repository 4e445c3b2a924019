//! A traffic campaign's status machine and the rule for its id.

use serde::{Deserialize, Serialize};

/// Where a campaign stands. A session of the sessions document is the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Being prepared.
    Draft,
    /// May generate, or does.
    Running,
    /// Its generation is held and can go on.
    Paused,
    /// Its duration is over.
    Completed,
    /// Ended by a person.
    Stopped,
    /// Its job failed for good.
    Error,
}

impl CampaignStatus {
    /// Every status, in the order of the document.
    pub const ALL: [Self; 6] = [Self::Draft, Self::Running, Self::Paused, Self::Completed, Self::Stopped, Self::Error];

    /// The statuses this one may turn into, apart from itself.
    #[must_use]
    pub const fn allowed(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Running],
            Self::Running => &[Self::Paused, Self::Completed, Self::Stopped, Self::Error],
            Self::Paused => &[Self::Running, Self::Stopped],
            Self::Completed | Self::Stopped | Self::Error => &[Self::Draft, Self::Running],
        }
    }

    /// Whether this status may turn into `next`; into itself it always may.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self == next || self.allowed().contains(&next)
    }

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Whether `id` is a campaign id: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[must_use]
pub fn is_campaign_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::CampaignStatus::{self, Completed, Draft, Error, Paused, Running, Stopped};

    #[test]
    fn every_pair_is_as_the_contract_says() {
        let legal = [
            (Draft, Running),
            (Running, Paused),
            (Running, Completed),
            (Running, Stopped),
            (Running, Error),
            (Paused, Running),
            (Paused, Stopped),
            (Stopped, Draft),
            (Stopped, Running),
            (Completed, Draft),
            (Completed, Running),
            (Error, Draft),
            (Error, Running),
        ];
        for from in CampaignStatus::ALL {
            for to in CampaignStatus::ALL {
                let expected = from == to || legal.contains(&(from, to));
                assert_eq!(from.may_become(to), expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn ids_keep_to_their_alphabet() {
        for good in ["a", "spring-sale_2", &"x".repeat(64)] {
            assert!(super::is_campaign_id(good), "{good}");
        }
        for bad in ["", "..", "a/b", "a.b", "a b", "é", "a\0", &"x".repeat(65)] {
            assert!(!super::is_campaign_id(bad), "{bad}");
        }
    }
}
