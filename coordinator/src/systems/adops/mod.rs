//! The ad-operations document: accounts, campaigns, figures, exports, privacy.

pub mod analytics;
pub mod audit;
pub mod auth;
pub mod bulk;
pub mod campaigns;
pub mod envelope;
pub mod exports;
pub mod imports;
pub mod integrations;
pub mod keys;
pub mod metrics;
pub mod page;
pub mod privacy;
pub mod reports;
pub mod tenant;
pub mod upkeep;
pub mod users;
pub mod views;
