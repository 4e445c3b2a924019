//! One entry as a JSON object.

use super::json::{Object, push_decimal, push_escaped, push_hex, push_whole};
use super::stamp::push_rfc3339;
use super::{EntryContext, EntryRow, auction, place};
use crate::traffic::pack::PackedEntry;
use crate::traffic::visitor::Profile;

/// Appends `<run_id>-<shard>-<slot>-<k>`, the id of the entry and the value of `X-Synthetic-Id`.
pub fn write_entry_id(out: &mut Vec<u8>, run_id: &str, shard: u32, slot: u32, k: u32) {
    out.extend_from_slice(run_id.as_bytes());
    for part in [shard, slot, k] {
        out.push(b'-');
        push_whole(out, u64::from(part));
    }
}

/// Appends the entry as one JSON object without a line end.
pub fn write_json(out: &mut Vec<u8>, row: &EntryRow<'_>) {
    let (context, entry) = (row.context, row.entry);
    let profile = row.content.profile(row.key());
    let mut object = Object::begin(out);
    identity(&mut object, row);
    stamp(&mut object, "timestamp", row.ended_ns());
    stamp(&mut object, "scheduled_at", row.scheduled_ns);
    object.text("mode", entry.mode.as_str());
    object.text("method", context.method);
    quoted(object.key("url"), |out| match context.url {
        Some(url) => place::push_shown_url(out, url, &profile, push_escaped),
        None => place::push_url(out, &profile),
    });
    exchange(&mut object, entry);
    visitor(&mut object, &profile);
    auction::write(&mut object, row, &profile);
    object.text("worker_id", context.worker_id);
    object.end();
}

fn identity(object: &mut Object<'_>, row: &EntryRow<'_>) {
    quoted(object.key("id"), |out| push_id(out, row.context, row.entry));
    object.text("campaign_id", row.context.campaign_id);
    object.text("run_id", row.context.run_id);
    object.whole("sequence", row.sequence);
}

/// Run ids are made by us and need no escapes.
pub(super) fn push_id(out: &mut Vec<u8>, context: &EntryContext<'_>, entry: &PackedEntry) {
    write_entry_id(out, context.run_id, context.shard, entry.slot, entry.k);
}

pub(super) fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn stamp(object: &mut Object<'_>, key: &'static str, epoch_ns: u64) {
    quoted(object.key(key), |out| push_rfc3339(out, epoch_ns));
}

fn exchange(object: &mut Object<'_>, entry: &PackedEntry) {
    object.whole("status_code", u64::from(entry.status));
    object.flag("success", entry.success);
    push_decimal(object.key("response_time_ms"), u64::from(entry.response_us), 3);
    push_decimal(object.key("service_time_ms"), u64::from(entry.service_us), 3);
    if entry.error.code() == 0 {
        object.null("error");
    } else {
        object.text("error", entry.error.as_str());
    }
    object.whole("bytes_in", u64::from(entry.bytes_in));
    object.whole("bytes_out", u64::from(entry.bytes_out));
}

fn visitor(object: &mut Object<'_>, profile: &Profile<'_>) {
    let client = profile.client;
    object.text("geo_location", profile.country.name);
    object.text("country", profile.country.iso2);
    object.text("region", profile.city.region);
    object.text("city", profile.city.name);
    object.signed_decimal("latitude", i64::from(profile.latitude), 4);
    object.signed_decimal("longitude", i64::from(profile.longitude), 4);
    object.signed("utc_offset", i64::from(profile.city.utc_offset));
    object.text("language", profile.language);
    object.text("device_model", client.device.model);
    object.text("device_make", client.device.make);
    object.text("device_type", client.device.class.as_str());
    object.text("os", client.device.os);
    object.text("os_version", client.os_version);
    object.text("browser", client.browser);
    object.text("user_agent", &client.user_agent);
    quoted(object.key("ip_address"), |out| place::push_ip(out, profile.ip));
    object.text("ad_format", profile.ad_format.as_str());
    object.text("user_profile", &profile.user_profile.name);
    if let Some(visit) = &profile.visit {
        quoted(object.key("session_id"), |out| push_hex(out, profile.session_id, 16));
        object.whole("page_number", u64::from(visit.page_number()));
    }
}
