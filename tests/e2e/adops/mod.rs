//! Ad operations: accounts, campaigns, figures, exports, privacy.

mod analytics;
mod auth;
mod bulk;
mod campaigns;
mod exports;
mod front;
mod gdpr;
mod imports;
mod inputs;
mod linked;
mod matrix;
mod metrics;
mod passwords;
mod probes;
mod quick;
mod reports;
mod routes;
mod settings;
mod tokens;
mod users;
