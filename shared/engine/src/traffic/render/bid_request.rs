//! `OpenRTB` 2.6 bid requests (sections 3.2.1 to 3.2.31), marked as test traffic.

use trafficlab_shared::model::content::{Detail, DeviceType, RtbSpec};

use super::entry::quoted;
use super::json::{Object, push_hex};
use super::{full, imp, place};
use crate::traffic::auction::rtb::{MICROS, PreparedRtb};
use crate::traffic::cast;
use crate::traffic::content::Content;
use crate::traffic::rng::{EntryKey, mix};
use crate::traffic::visitor::{Place, Profile};

/// Countries where the GDPR or its British twin applies.
pub(super) const GDPR: [&str; 31] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE", "IS", "IT", "LI",
    "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// One complete hop: the exchange itself (supply chain 1.0).
const SUPPLY_CHAIN: &[u8] =
    br#"{"complete":1,"ver":"1.0","nodes":[{"asi":"exchange.example","sid":"trafficlab","hp":1}]}"#;

/// Appends the bid request of an entry for sending it to a real bidder; false when the content has no auction.
pub fn write_bid_request(out: &mut Vec<u8>, content: &Content, key: EntryKey, id: &str) -> bool {
    let Some(rtb) = &content.rtb else {
        return false;
    };
    let profile = content.profile(key);
    write(out, rtb, &profile, key, &|out| super::json::push_escaped(out, id));
    true
}

pub(super) fn write(
    out: &mut Vec<u8>,
    rtb: &PreparedRtb,
    profile: &Profile<'_>,
    key: EntryKey,
    id: &dyn Fn(&mut Vec<u8>),
) {
    if rtb.spec.detail == Detail::Full {
        return full::write(out, rtb, profile, key, id);
    }
    let mut request = Object::begin(out);
    quoted(request.key("id"), |out| id(out));
    imp::write(&mut request, rtb, profile, key);
    place::write(&mut request, profile);
    device(&mut request, profile);
    user(&mut request, profile);
    source(&mut request, id);
    regulations(&mut request, profile);
    request.members(&rtb.request_json);
    request.end();
}

/// The members that are the same in every request of a run.
pub(crate) fn request_members(spec: &RtbSpec) -> String {
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.whole("test", 1);
    object.whole("at", u64::from(spec.auction.at()));
    object.whole("tmax", u64::from(spec.tmax_ms));
    let mut currencies = object.array("cur");
    currencies.text(&spec.currency);
    currencies.end();
    match spec.detail {
        Detail::Basic => object.raw("bcat", br#"["IAB25","IAB26"]"#),
        Detail::Full => object.members(&full::categories(spec)),
    }
    object.end();
    let text = String::from_utf8(out).unwrap_or_default();
    text.trim_start_matches('{').trim_end_matches('}').to_owned()
}

/// `imp.pmp` with all deals, or nothing.
pub(crate) fn pmp(spec: &RtbSpec) -> String {
    if spec.deals.is_empty() {
        return String::new();
    }
    let mut out = Vec::new();
    let mut pmp = Object::begin(&mut out);
    pmp.whole("private_auction", u64::from(spec.rules.private_auction));
    let mut deals = pmp.array("deals");
    for deal in &spec.deals {
        let mut object = deals.object();
        object.text("id", &deal.id);
        object.decimal("bidfloor", u64::from(cast::round32(deal.floor * MICROS)), 6);
        object.text("bidfloorcur", &spec.currency);
        if let Some(at) = deal.at() {
            object.whole("at", u64::from(at));
        }
        if !deal.seats.is_empty() {
            let mut seats = object.array("wseat");
            deal.seats.iter().for_each(|seat| seats.text(seat));
            seats.end();
        }
        if spec.detail == Detail::Full {
            full::deal(&mut object, deal);
        }
        object.end();
    }
    deals.end();
    if spec.detail == Detail::Full {
        pmp.raw("ext", br#"{"synthetic":1}"#);
    }
    pmp.end();
    String::from_utf8(out).unwrap_or_default()
}

fn device(request: &mut Object<'_>, profile: &Profile<'_>) {
    let mut device = request.object("device");
    device.members(&profile.client.device_json);
    let ip = if profile.ip.is_ipv4() { "ip" } else { "ipv6" };
    quoted(device.key(ip), |out| place::push_ip(out, profile.ip));
    device.text("language", primary(profile.language));
    let handheld = matches!(profile.client.device.class, DeviceType::Mobile | DeviceType::Tablet);
    device.whole("connectiontype", if handheld && profile.user_id & 1 == 0 { 6 } else { 2 });
    let limited = profile.user_id.is_multiple_of(5);
    device.whole("lmt", u64::from(limited));
    if matches!(profile.place, Place::App(_)) && !limited {
        quoted(device.key("ifa"), |out| push_uuid(out, profile.user_id));
    }
    geo(&mut device, profile);
    device.end();
}

fn geo(device: &mut Object<'_>, profile: &Profile<'_>) {
    let mut geo = device.object("geo");
    geo.signed_decimal("lat", i64::from(profile.latitude), 4);
    geo.signed_decimal("lon", i64::from(profile.longitude), 4);
    // 2: derived from the address.
    geo.whole("type", 2);
    geo.text("country", profile.country.iso3);
    if !profile.city.region.is_empty() {
        geo.text("region", profile.city.region);
    }
    geo.text("city", profile.city.name);
    geo.signed("utcoffset", i64::from(profile.city.utc_offset));
    geo.end();
}

/// `en` of `en-GB`.
fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

fn user(request: &mut Object<'_>, profile: &Profile<'_>) {
    if matches!(profile.place, Place::Dooh(_)) {
        return;
    }
    let visitor = profile.user_profile;
    let mut user = request.object("user");
    quoted(user.key("id"), |out| push_hex(out, profile.user_id, 16));
    if !visitor.interests.is_empty() {
        let mut words = user.array("kwarray");
        visitor.interests.iter().for_each(|word| words.text(word));
        words.end();
    }
    let mut data = user.array("data");
    let mut provider = data.object();
    provider.text("id", "trafficlab");
    provider.text("name", "trafficlab profiles");
    let mut segments = provider.array("segment");
    let mut segment = segments.object();
    segment.text("name", &visitor.name);
    segment.end();
    if let Some(age) = &visitor.age_range {
        let mut segment = segments.object();
        segment.text("name", "age");
        segment.text("value", age);
        segment.end();
    }
    segments.end();
    provider.end();
    data.end();
    user.end();
}

fn source(request: &mut Object<'_>, id: &dyn Fn(&mut Vec<u8>)) {
    let mut source = request.object("source");
    source.whole("fd", 1);
    quoted(source.key("tid"), |out| id(out));
    source.raw("schain", SUPPLY_CHAIN);
    source.end();
}

fn regulations(request: &mut Object<'_>, profile: &Profile<'_>) {
    let mut regs = request.object("regs");
    regs.whole("coppa", 0);
    regs.whole("gdpr", u64::from(GDPR.binary_search(&profile.country.iso2).is_ok()));
    if profile.country.iso2 == "US" {
        regs.text("us_privacy", "1YNN");
    }
    regs.end();
}

pub(super) fn push_uuid(out: &mut Vec<u8>, id: u64) {
    let other = mix(id);
    push_hex(out, id >> 32, 8);
    out.push(b'-');
    push_hex(out, id >> 16, 4);
    // Version 4, variant 1, as real advertising ids are.
    out.extend_from_slice(b"-4");
    push_hex(out, id, 3);
    out.extend_from_slice(b"-a");
    push_hex(out, other, 3);
    out.push(b'-');
    push_hex(out, other >> 16, 12);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_countries_is_sorted_for_its_search() {
        assert!(GDPR.is_sorted());
    }
}
