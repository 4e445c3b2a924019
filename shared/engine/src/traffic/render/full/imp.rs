//! The impressions of a full request: formats, floors, deals and how the ad is shown.

use std::sync::LazyLock;

use trafficlab_shared::model::content::{AdFormat, DeviceType};

use super::{Draft, media};
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::{Array, Object, push_whole};
use crate::traffic::visitor::{Place, Profile};

/// A native request of Native 1.2 as it stands inside the JSON string: title, image, icon, sponsor, text, button.
const NATIVE_REQUEST: &str = r#"{"ver":"1.2","context":1,"contextsubtype":11,"plcmttype":1,"plcmtcnt":1,"aurlsupport":0,"durlsupport":0,"privacy":1,"eventtrackers":[{"event":1,"methods":[1,2]}],"assets":[{"id":1,"required":1,"title":{"len":90}},{"id":2,"required":1,"img":{"type":3,"wmin":1200,"hmin":627}},{"id":3,"data":{"type":1,"len":25}},{"id":4,"img":{"type":1,"w":80,"h":80}},{"id":5,"data":{"type":2,"len":140}},{"id":6,"data":{"type":12,"len":15}}]}"#;

/// The same with its quotes escaped.
static ESCAPED: LazyLock<String> = LazyLock::new(|| NATIVE_REQUEST.replace('"', "\\\""));

pub(super) fn write(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    let count = draft.rtb.imps(draft.key);
    let mut list = request.array("imp");
    for place in 0..count {
        one(&mut list, draft, place);
    }
    list.end();
}

fn one(list: &mut Array<'_>, draft: &mut Draft<'_>, place: u32) {
    let profile = draft.profile;
    let mut imp = list.object();
    quoted(imp.key("id"), |out| push_whole(out, u64::from(place) + 1));
    metric(&mut imp, draft);
    match profile.ad_format {
        AdFormat::Banner => banner(&mut imp, draft, place),
        AdFormat::Video => media::video(&mut imp, draft, place),
        AdFormat::Audio => media::audio(&mut imp, draft, place),
        AdFormat::Native => native(&mut imp),
    }
    if !draft.rtb.pmp_json.is_empty() {
        imp.raw("pmp", draft.rtb.pmp_json.as_bytes());
    }
    display(&mut imp, draft, place);
    imp.decimal("bidfloor", u64::from(draft.rtb.floor_of(profile.ad_format, place)), 6);
    imp.text("bidfloorcur", &draft.spec().currency);
    if matches!(profile.place, Place::Dooh(_)) {
        // One play of a screen is seen by several people.
        imp.raw("qty", br#"{"multiplier":12.5,"sourcetype":1,"vendor":"screens.example","ext":{"audience":"adults"}}"#);
    }
    imp.raw("ext", br#"{"gpid":"/trafficlab/test"}"#);
    imp.end();
}

/// How often ads of this place were seen before.
fn metric(imp: &mut Object<'_>, draft: &mut Draft<'_>) {
    if draft.once_in(3) {
        return;
    }
    let (viewable, clicked) = (u64::from(35 + draft.stream.below32(60)), u64::from(draft.stream.below32(30)));
    let mut list = imp.array("metric");
    let mut viewability = list.object();
    viewability.text("type", "viewability");
    viewability.decimal("value", viewable, 2);
    viewability.text("vendor", "metrics.example");
    viewability.raw("ext", br#"{"days":30}"#);
    viewability.end();
    let mut clicks = list.object();
    clicks.text("type", "click_through_rate");
    clicks.decimal("value", clicked, 4);
    clicks.text("vendor", "EXCHANGE");
    clicks.end();
    list.end();
}

fn display(imp: &mut Object<'_>, draft: &mut Draft<'_>, place: u32) {
    let profile = draft.profile;
    let full_screen = place == 0 && matches!(profile.ad_size, (320, 480) | (768, 1024));
    imp.whole("instl", u64::from(full_screen));
    match profile.place {
        Place::Site(..) => {
            imp.text("tagid", tag("page", place));
            imp.raw("iframebuster", br#"["frames.example"]"#);
            if profile.ad_format == AdFormat::Banner && draft.once_in(4) {
                imp.raw(
                    "refresh",
                    br#"{"refsettings":[{"reftype":1,"minint":30,"ext":{"visible":1}}],"count":2,"ext":{"total":5}}"#,
                );
            }
        }
        Place::App(_) => {
            imp.text("tagid", tag("app", place));
            imp.text("displaymanager", "trafficlab-sdk");
            imp.text("displaymanagerver", "3.1.0");
            imp.whole("clickbrowser", u64::from(draft.stream.below32(2)));
            imp.whole("rwdd", u64::from(profile.ad_format == AdFormat::Video && draft.once_in(3)));
        }
        Place::Dooh(_) => imp.text("tagid", tag("screen", place)),
    }
    let stream = matches!(profile.ad_format, AdFormat::Video | AdFormat::Audio);
    let television = profile.client.device.class == DeviceType::Ctv;
    if stream {
        imp.whole("ssai", if television { 2 } else { 1 });
    }
    imp.whole("exp", if television { 3_600 } else { 600 });
    imp.whole("secure", 1);
}

const fn tag(surface: &str, place: u32) -> &'static str {
    match (surface.as_bytes().first(), place) {
        (Some(b'p'), 0) => "page-main",
        (Some(b'p'), _) => "page-below",
        (Some(b'a'), 0) => "app-main",
        (Some(b'a'), _) => "app-below",
        (_, 0) => "screen-main",
        _ => "screen-below",
    }
}

/// The sizes that a banner may have, the favourite first.
fn sizes(profile: &Profile<'_>, place: u32) -> [(u32, u32); 2] {
    let other = match profile.client.device.class {
        DeviceType::Mobile => [(300, 250), (320, 100)],
        DeviceType::Tablet => [(728, 90), (300, 250)],
        DeviceType::Desktop => [(300, 250), (728, 90)],
        DeviceType::Ctv | DeviceType::Dooh => [(1920, 1080), (1280, 720)],
    };
    let [first, second] = other;
    if place > 0 {
        return other;
    }
    [profile.ad_size, if first == profile.ad_size { second } else { first }]
}

/// The size of an ad that fits the impression best.
pub(in crate::traffic::render) fn first_size(profile: &Profile<'_>, place: u32) -> (u32, u32) {
    let [first, _] = sizes(profile, place);
    first
}

/// Whether a banner of this size fits the impression. Some full requests of sites offer a flexible shape, which is
/// taken from all of them here.
pub(crate) fn accepts_size(profile: &Profile<'_>, place: u32, full: bool, size: (u32, u32)) -> bool {
    if !full {
        return profile.ad_size == size;
    }
    let (width, height) = (u64::from(size.0), u64::from(size.1));
    let flexible = matches!(profile.place, Place::Site(..)) && width >= 320 && width * 9 == height * 16;
    flexible || sizes(profile, place).contains(&size)
}

fn banner(imp: &mut Object<'_>, draft: &mut Draft<'_>, place: u32) {
    let allowed = sizes(draft.profile, place);
    let mut banner = imp.object("banner");
    let mut formats = banner.array("format");
    for (width, height) in allowed {
        let mut format = formats.object();
        format.whole("w", u64::from(width));
        format.whole("h", u64::from(height));
        format.end();
    }
    if matches!(draft.profile.place, Place::Site(..)) && draft.once_in(4) {
        // A flexible ad: a shape and the least width.
        formats.object().raw_end(r#""wratio":16,"hratio":9,"wmin":320,"ext":{"flex":1}"#);
    }
    formats.end();
    let [(width, height), _] = allowed;
    banner.whole("w", u64::from(width));
    banner.whole("h", u64::from(height));
    banner.members(r#""btype":[4],"battr":[1,3,8,10],"mimes":["image/jpeg","image/png","text/html"],"api":[6,7]"#);
    banner.whole("pos", if place == 0 { 1 } else { 3 });
    banner.whole("topframe", u64::from(!draft.once_in(5)));
    if draft.once_in(4) {
        banner.raw("expdir", b"[2,4]");
    }
    quoted(banner.key("id"), |out| push_whole(out, u64::from(place) + 1));
    banner.raw("ext", br#"{"lazy":0}"#);
    banner.end();
}

fn native(imp: &mut Object<'_>) {
    let mut native = imp.object("native");
    quoted(native.key("request"), |out| out.extend_from_slice(ESCAPED.as_bytes()));
    native.members(r#""ver":"1.2","api":[7],"battr":[8,10],"ext":{"feed":1}"#);
    native.end();
}
