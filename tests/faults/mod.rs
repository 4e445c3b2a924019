//! What must hold when processes are killed, stopped or away at the wrong moment.

mod ads_audit;
mod ads_erase;
mod ads_export;
mod ads_import;
mod backpressure;
mod bidder;
mod broker_away;
mod captures;
mod chaos;
mod control;
mod creates;
mod leases;
mod malformed;
mod real_requests;
mod sleepers;
mod takeover;
mod traps;
mod visits;
mod visits_disk;
