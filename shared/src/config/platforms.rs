//! The sections of advertising platforms.

use serde::Deserialize;

use super::optional::unset;
use super::secret::Secret;

/// Credentials of one tenant for all platforms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformsConfig {
    /// The tenant they belong to; 0 means none.
    pub tenant: u64,
    /// Meta.
    pub meta: MetaConfig,
    /// Google Ads.
    pub google: GoogleConfig,
    /// `TikTok`.
    pub tiktok: TiktokConfig,
    /// Snapchat.
    pub snapchat: SnapchatConfig,
    /// `LinkedIn`.
    pub linkedin: LinkedinConfig,
}

/// Meta's conversions and marketing API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaConfig {
    /// Host of the API.
    pub base_url: String,
    /// Pixel that events belong to.
    #[serde(deserialize_with = "unset")]
    pub pixel_id: Option<String>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
    /// Advertising account.
    #[serde(deserialize_with = "unset")]
    pub account_id: Option<String>,
}

/// Google Ads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleConfig {
    /// Host of the API.
    pub base_url: String,
    /// Customer account.
    #[serde(deserialize_with = "unset")]
    pub customer_id: Option<String>,
    /// Token of the developer.
    #[serde(deserialize_with = "unset")]
    pub developer_token: Option<Secret>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
    /// Conversion action that events count for.
    #[serde(deserialize_with = "unset")]
    pub conversion_action: Option<String>,
}

/// `TikTok`'s events API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiktokConfig {
    /// Host of the API.
    pub base_url: String,
    /// Pixel that events belong to.
    #[serde(deserialize_with = "unset")]
    pub pixel_code: Option<String>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
}

/// Snapchat's conversions API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapchatConfig {
    /// Host of the API.
    pub base_url: String,
    /// Pixel that events belong to.
    #[serde(deserialize_with = "unset")]
    pub pixel_id: Option<String>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
}

/// `LinkedIn`'s conversions API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkedinConfig {
    /// Host of the API.
    pub base_url: String,
    /// Conversion that events count for.
    #[serde(deserialize_with = "unset")]
    pub conversion_id: Option<String>,
    /// Token of the API.
    #[serde(deserialize_with = "unset")]
    pub access_token: Option<Secret>,
}
