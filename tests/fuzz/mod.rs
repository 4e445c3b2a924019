//! Bytes that nobody promised: decoders and handlers refuse them and never panic; and golden files,
//! so that what was once written can be read for ever.

mod captures;
mod decoders;
mod exports;
mod golden;
mod samples;
mod stored_accounts;
mod stored_ads;
mod stored_alerts;
mod stored_captures;
mod stored_settings;
mod stored_visits;
