//! The device of a full request, and where it is.

use trafficlab_shared::model::content::DeviceType;

use super::consent::Privacy;
use super::{Draft, primary};
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::Object;
use crate::traffic::render::{bid_request, place};
use crate::traffic::visitor::{Place, Profile};

pub(super) fn write(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    let (profile, privacy) = (draft.profile, Privacy::of(draft.profile));
    let mut device = request.object("device");
    device.members(&profile.client.device_json);
    let ip = if profile.ip.is_ipv4() { "ip" } else { "ipv6" };
    quoted(device.key(ip), |out| place::push_ip(out, profile.ip));
    // A short tag or a long one, never both.
    if profile.language.contains('-') {
        device.text("langb", profile.language);
    } else {
        device.text("language", primary(profile.language));
    }
    network(&mut device, draft);
    device.whole("dnt", u64::from(privacy.limited));
    device.whole("lmt", u64::from(privacy.limited));
    if matches!(profile.place, Place::App(_)) && privacy.may_identify() {
        quoted(device.key("ifa"), |out| bid_request::push_uuid(out, profile.user_id));
    }
    if let Some(version) = profile.client.device.model.strip_prefix("iPhone ") {
        device.text("hwv", version);
    }
    device.whole("geofetch", u64::from(matches!(profile.place, Place::Site(..))));
    let mut geo = device.object("geo");
    location(&mut geo, profile, &privacy);
    if draft.once_in(2) {
        geo.whole("accuracy", u64::from(500 + draft.stream.below32(5_000)));
        geo.whole("lastfix", u64::from(draft.stream.below32(600)));
    }
    // 2: derived from the address; 3: MaxMind's list is the usual source of such data.
    geo.members(r#""type":2,"ipservice":3,"ext":{"synthetic":1}"#);
    geo.end();
    device.raw("ext", br#"{"synthetic":1}"#);
    device.end();
}

fn network(device: &mut Object<'_>, draft: &mut Draft<'_>) {
    let handheld = matches!(draft.profile.client.device.class, DeviceType::Mobile | DeviceType::Tablet);
    if !handheld {
        device.whole("connectiontype", u64::from(draft.one_of(&[1_u32, 2], 2)));
        return;
    }
    // 2 is a wireless network, 4 to 7 are the generations of cellular ones.
    let kind = draft.one_of(&[2_u32, 2, 2, 5, 6, 6, 7], 2);
    device.whole("connectiontype", u64::from(kind));
    if kind > 2 {
        device.text("carrier", "Test Mobile");
        // Country code 001 belongs to test networks (ITU-T E.212).
        device.text("mccmnc", "001-01");
    }
}

/// Where the visitor is; children and those who refused are shown by their country's region only.
pub(super) fn location(geo: &mut Object<'_>, profile: &Profile<'_>, privacy: &Privacy) {
    if privacy.may_identify() {
        geo.signed_decimal("lat", i64::from(profile.latitude), 4);
        geo.signed_decimal("lon", i64::from(profile.longitude), 4);
        geo.text("city", profile.city.name);
    } else {
        // Rounded to about eleven kilometres.
        geo.signed_decimal("lat", i64::from(profile.latitude / 1_000), 1);
        geo.signed_decimal("lon", i64::from(profile.longitude / 1_000), 1);
    }
    geo.text("country", profile.country.iso3);
    if !profile.city.region.is_empty() {
        geo.text("region", profile.city.region);
    }
    geo.signed("utcoffset", i64::from(profile.city.utc_offset));
}
