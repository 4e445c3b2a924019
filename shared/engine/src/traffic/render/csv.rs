//! One entry as a CSV row (RFC 4180); the auction is flattened and the bid documents are left to JSON.

use super::json::{push_decimal, push_whole};
use super::stamp::push_rfc3339;
use super::{EntryRow, answer, entry, place};
use crate::traffic::visitor::Profile;

/// The header row, with its line end.
pub const CSV_HEADER: &str = "id,campaign_id,run_id,sequence,timestamp,scheduled_at,mode,method,url,status_code,success,response_time_ms,service_time_ms,error,bytes_in,bytes_out,geo_location,country,region,city,device_model,device_type,os,browser,user_agent,ip_address,ad_format,user_profile,rtb_outcome,rtb_bids,rtb_winner,rtb_clearing_price,rtb_currency,rtb_floor,worker_id\r\n";

/// Appends the entry as one row with its line end; the columns are those of [`CSV_HEADER`].
pub fn write_csv(out: &mut Vec<u8>, row: &EntryRow<'_>) {
    let (context, packed) = (row.context, row.entry);
    let profile = row.content.profile(row.key());
    entry::push_id(out, context, packed);
    text(out, context.campaign_id);
    text(out, context.run_id);
    cell(out, |out| push_whole(out, row.sequence));
    cell(out, |out| push_rfc3339(out, row.ended_ns()));
    cell(out, |out| push_rfc3339(out, row.scheduled_ns));
    text(out, packed.mode.as_str());
    text(out, context.method);
    match context.url {
        Some(url) => {
            let mut shown = Vec::with_capacity(url.len());
            place::push_shown_url(&mut shown, url, &profile, |out, plain| out.extend_from_slice(plain.as_bytes()));
            text(out, std::str::from_utf8(&shown).unwrap_or(url));
        }
        None => cell(out, |out| place::push_url(out, &profile)),
    }
    cell(out, |out| push_whole(out, u64::from(packed.status)));
    text(out, if packed.success { "true" } else { "false" });
    cell(out, |out| push_decimal(out, u64::from(packed.response_us), 3));
    cell(out, |out| push_decimal(out, u64::from(packed.service_us), 3));
    text(out, if packed.error.code() == 0 { "" } else { packed.error.as_str() });
    cell(out, |out| push_whole(out, u64::from(packed.bytes_in)));
    cell(out, |out| push_whole(out, u64::from(packed.bytes_out)));
    let client = profile.client;
    for value in [
        profile.country.name,
        profile.country.iso2,
        profile.city.region,
        profile.city.name,
        client.device.model,
        client.device.class.as_str(),
        client.device.os,
        client.browser,
        &client.user_agent,
    ] {
        text(out, value);
    }
    cell(out, |out| place::push_ip(out, profile.ip));
    text(out, profile.ad_format.as_str());
    text(out, &profile.user_profile.name);
    auctioned(out, row, &profile);
    text(out, context.worker_id);
    out.extend_from_slice(b"\r\n");
}

fn auctioned(out: &mut Vec<u8>, row: &EntryRow<'_>, profile: &Profile<'_>) {
    let Some((rtb, auction)) = row.content.rtb.as_ref().zip(row.entry.auction.as_ref()) else {
        out.extend_from_slice(b",,,,,,");
        return;
    };
    text(out, auction.outcome.as_str());
    cell(out, |out| push_whole(out, u64::from(auction.bids)));
    if let Some(winner) = answer::winner(row, rtb, auction) {
        text(out, &winner);
        cell(out, |out| push_decimal(out, u64::from(auction.price_micros), 6));
    } else {
        out.extend_from_slice(b",,");
    }
    text(out, &rtb.spec.currency);
    cell(out, |out| push_decimal(out, u64::from(answer::floor(row, rtb, auction, profile)), 6));
}

/// A cell that needs no quotes.
fn cell(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b',');
    write(out);
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b',');
    // A spreadsheet would run such a cell as a formula; names come from users.
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !value.contains([',', '"', '\r', '\n']) {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    for byte in value.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
