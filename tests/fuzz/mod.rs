//! Bytes that nobody promised: decoders and handlers refuse them and never panic; and golden files,
//! so that what was once written can be read for ever.

mod captures;
mod decoders;
mod golden;
mod samples;
mod stored_alerts;
mod stored_captures;
mod stored_visits;
