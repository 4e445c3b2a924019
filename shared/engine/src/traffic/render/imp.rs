//! The impression on offer: banner, video, audio or native.

use trafficlab_shared::model::content::{AdFormat, DeviceType};

use super::entry::quoted;
use super::json::{Array, Object, push_whole};
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::rng::EntryKey;
use crate::traffic::visitor::{Place, Profile};

/// A native request of Native 1.2 as it stands inside the JSON string: title, main image, sponsor.
const NATIVE_REQUEST: &str = r#"{"ver":"1.2","context":1,"plcmttype":1,"assets":[{"id":1,"required":1,"title":{"len":90}},{"id":2,"required":1,"img":{"type":3,"wmin":1200,"hmin":627}},{"id":3,"data":{"type":1,"len":25}}]}"#;

pub(super) fn write(request: &mut Object<'_>, rtb: &PreparedRtb, profile: &Profile<'_>, key: EntryKey) {
    let mut list = request.array("imp");
    for place in 0..rtb.imps(key) {
        one(&mut list, rtb, profile, place);
    }
    list.end();
}

fn one(list: &mut Array<'_>, rtb: &PreparedRtb, profile: &Profile<'_>, place: u32) {
    let mut imp = list.object();
    quoted(imp.key("id"), |out| push_whole(out, u64::from(place) + 1));
    match profile.ad_format {
        AdFormat::Banner => banner(&mut imp, profile),
        AdFormat::Video => video(&mut imp, profile),
        AdFormat::Audio => imp.raw(
            "audio",
            br#"{"mimes":["audio/mp4","audio/mpeg"],"minduration":5,"maxduration":30,"protocols":[7,8],"startdelay":0,"feed":3,"stitched":0,"nvol":3}"#,
        ),
        AdFormat::Native => {
            let mut native = imp.object("native");
            native.text("request", NATIVE_REQUEST);
            native.text("ver", "1.2");
            native.end();
        }
    }
    if !rtb.pmp_json.is_empty() {
        imp.raw("pmp", rtb.pmp_json.as_bytes());
    }
    imp.whole("instl", u64::from(matches!(profile.ad_size, (320, 480) | (768, 1024))));
    imp.text("tagid", tag(profile));
    imp.decimal("bidfloor", u64::from(rtb.floor_of(profile.ad_format, place)), 6);
    imp.text("bidfloorcur", &rtb.spec.currency);
    imp.whole("secure", 1);
    if matches!(profile.place, Place::Dooh(_)) {
        // One play of a screen is seen by several people.
        imp.raw("qty", br#"{"multiplier":12.5,"sourcetype":1,"vendor":"screens.example"}"#);
    }
    imp.end();
}

const fn tag(profile: &Profile<'_>) -> &'static str {
    match profile.place {
        Place::Site(..) => "page-main",
        Place::App(_) => "app-main",
        Place::Dooh(_) => "screen-main",
    }
}

fn banner(imp: &mut Object<'_>, profile: &Profile<'_>) {
    let (width, height) = profile.ad_size;
    let mut banner = imp.object("banner");
    let mut formats = banner.array("format");
    let mut format = formats.object();
    format.whole("w", u64::from(width));
    format.whole("h", u64::from(height));
    format.end();
    formats.end();
    banner.whole("w", u64::from(width));
    banner.whole("h", u64::from(height));
    banner.members(r#""mimes":["image/jpeg","image/png","text/html"],"pos":1,"topframe":1,"api":[6,7]"#);
    banner.end();
}

fn video(imp: &mut Object<'_>, profile: &Profile<'_>) {
    let television = profile.client.device.class == DeviceType::Ctv;
    let (width, height) = if television { (1920, 1080) } else { (640, 360) };
    let mut video = imp.object("video");
    video.members(
        r#""mimes":["video/mp4","video/webm"],"minduration":5,"maxduration":30,"startdelay":0,"protocols":[2,3,5,6,7,8],"linearity":1,"plcmt":1,"delivery":[2]"#,
    );
    video.whole("w", width);
    video.whole("h", height);
    if television {
        // A dynamic pod: up to four ads share a minute.
        video.members(r#""podid":"pod-1","poddur":60,"maxseq":4,"skip":0,"playbackmethod":[1]"#);
    } else {
        video.members(r#""skip":1,"skipmin":10,"skipafter":5,"playbackmethod":[2],"api":[7]"#);
    }
    video.end();
}
