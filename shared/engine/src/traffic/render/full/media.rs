//! Video and audio impressions: plain ones, and the three kinds of ad pods.

use trafficlab_shared::model::content::DeviceType;

use super::Draft;
use crate::traffic::render::json::Object;

/// Longest ad in seconds.
const LONGEST: u32 = 30;

/// How the ads of a break are asked for (section 7.6 of the standard).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pod {
    /// One ad, no pod.
    None,
    /// A slot of a known length in a break whose slots are all known.
    Structured,
    /// A length of time that the bidder may fill as it likes.
    Dynamic,
    /// Lengths that are known, in a break that is filled up with others.
    Hybrid,
}

pub(super) fn video(imp: &mut Object<'_>, draft: &mut Draft<'_>, place: u32) {
    let class = draft.profile.client.device.class;
    let television = class == DeviceType::Ctv;
    let screen = television || class == DeviceType::Dooh;
    let (width, height) = if screen { (1920, 1080) } else { (640, 360) };
    let pod =
        if television { draft.one_of(&[Pod::Structured, Pod::Dynamic, Pod::Hybrid], Pod::Dynamic) } else { Pod::None };
    let floor = draft.rtb.floor_of(draft.profile.ad_format, place);
    let mut video = imp.object("video");
    video.members(r#""mimes":["video/mp4","video/webm"],"protocols":[2,3,5,6,7,8],"linearity":1,"delivery":[2]"#);
    video.whole("startdelay", u64::from(place) * 300);
    lengths(&mut video, pod, place, floor);
    if pod != Pod::None {
        video.raw("poddedupe", b"[1,3]");
    }
    video.whole("w", width);
    video.whole("h", height);
    video.members(
        r#""battr":[1,8],"maxextended":0,"minbitrate":300,"maxbitrate":8000,"playbackend":1,"pos":7,"ext":{"player":"trafficlab"}"#,
    );
    video.whole("boxingallowed", u64::from(draft.stream.below32(2)));
    video.whole("plcmt", if screen { 1 } else { u64::from(draft.one_of(&[1u32, 2, 4], 1)) });
    if screen {
        video.members(r#""skip":0,"playbackmethod":[1]"#);
    } else {
        video.members(r#""skip":1,"skipmin":10,"skipafter":5,"playbackmethod":[2],"api":[7]"#);
        companions(&mut video);
    }
    video.end();
}

pub(super) fn audio(imp: &mut Object<'_>, draft: &mut Draft<'_>, place: u32) {
    let pod = draft.one_of(&[Pod::None, Pod::None, Pod::Structured, Pod::Dynamic, Pod::Hybrid], Pod::None);
    let floor = draft.rtb.floor_of(draft.profile.ad_format, place);
    let mut audio = imp.object("audio");
    audio.members(r#""mimes":["audio/mp4","audio/mpeg"],"protocols":[7,8,9,10],"delivery":[1,2],"api":[7]"#);
    audio.whole("startdelay", u64::from(place) * 600);
    lengths(&mut audio, pod, place, floor);
    audio.members(
        r#""battr":[1],"maxextended":10,"minbitrate":64,"maxbitrate":320,"stitched":1,"nvol":4,"ext":{"player":"trafficlab"}"#,
    );
    audio.whole("feed", u64::from(draft.one_of(&[1u32, 2, 3], 3)));
    companions(&mut audio);
    audio.end();
}

/// Seconds, and the place in the break.
fn lengths(media: &mut Object<'_>, pod: Pod, place: u32, floor: u32) {
    if matches!(pod, Pod::Structured | Pod::Hybrid) {
        // Where lengths are required, least and most have no place.
        media.raw("rqddurs", b"[15,30]");
    } else {
        media.whole("minduration", 5);
        media.whole("maxduration", u64::from(LONGEST));
        // The same floor for short and long ads, said by length.
        let mut list = media.array("durfloors");
        for (least, most) in [(5_u32, 15_u32), (16, LONGEST)] {
            let mut range = list.object();
            range.whole("mindur", u64::from(least));
            range.whole("maxdur", u64::from(most));
            range.decimal("bidfloor", u64::from(floor), 6);
            range.raw_end(r#""ext":{"synthetic":1}"#);
        }
        list.end();
    }
    if pod == Pod::None {
        return;
    }
    media.text("podid", "pod-1");
    media.whole("podseq", u64::from(place == 0));
    media.whole("slotinpod", u64::from(place == 0));
    if matches!(pod, Pod::Dynamic | Pod::Hybrid) {
        media.whole("poddur", 60);
        media.whole("maxseq", 4);
        // Less than the floor asks of the longest ad, so it never decides by itself.
        media.decimal("mincpmpersec", u64::from(floor / LONGEST), 6);
    }
}

fn companions(media: &mut Object<'_>) {
    media.raw("companionad", br#"[{"w":300,"h":250,"id":"c1","vcm":1,"pos":4,"mimes":["image/jpeg","image/png"]}]"#);
    media.raw("companiontype", b"[1,2]");
}
