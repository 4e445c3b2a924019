//! Ad markup: a small but well-formed creative for each format.

use trafficlab_shared::model::content::AdFormat;

use super::json::{Object, push_escaped, push_whole};
use crate::traffic::visitor::Profile;

/// Parts of a markup; numbers are filled in between.
enum Part {
    Text(&'static str),
    Brand,
    Width,
    Height,
}
use Part::{Brand, Height, Text, Width};

const BANNER: &[Part] = &[
    Text("<a href=\"https://brand-"),
    Brand,
    Text(".example/\"><img src=\"https://cdn.example/brand-"),
    Brand,
    Text(".jpg\" width=\""),
    Width,
    Text("\" height=\""),
    Height,
    Text(
        "\" alt=\"test ad\"></a><img src=\"https://cdn.example/pixel?p=${AUCTION_PRICE}\" width=\"1\" height=\"1\" alt=\"\">",
    ),
];
const VIDEO: &[Part] = &[
    Text("<VAST version=\"4.2\"><Ad id=\"1\"><InLine><AdSystem>trafficlab</AdSystem><AdTitle>Brand "),
    Brand,
    Text(
        "</AdTitle><Impression><![CDATA[https://cdn.example/pixel?p=${AUCTION_PRICE}]]></Impression><Creatives><Creative><Linear><Duration>00:00:15</Duration><MediaFiles><MediaFile delivery=\"progressive\" type=\"video/mp4\" width=\"",
    ),
    Width,
    Text("\" height=\""),
    Height,
    Text("\"><![CDATA[https://cdn.example/brand-"),
    Brand,
    Text(".mp4]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>"),
];
const AUDIO: &[Part] = &[
    Text("<VAST version=\"4.2\"><Ad id=\"1\" adType=\"audio\"><InLine><AdSystem>trafficlab</AdSystem><AdTitle>Brand "),
    Brand,
    Text(
        "</AdTitle><Impression><![CDATA[https://cdn.example/pixel?p=${AUCTION_PRICE}]]></Impression><Creatives><Creative><Linear><Duration>00:00:15</Duration><MediaFiles><MediaFile delivery=\"progressive\" type=\"audio/mpeg\" width=\"0\" height=\"0\"><![CDATA[https://cdn.example/brand-",
    ),
    Brand,
    Text(".mp3]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>"),
];
const NATIVE: &[Part] = &[
    Text("{\"native\":{\"ver\":\"1.2\",\"link\":{\"url\":\"https://brand-"),
    Brand,
    Text(
        ".example/\"},\"imptrackers\":[\"https://cdn.example/pixel?p=${AUCTION_PRICE}\"],\"assets\":[{\"id\":1,\"title\":{\"text\":\"Test ad of brand ",
    ),
    Brand,
    Text("\"}},{\"id\":2,\"img\":{\"url\":\"https://cdn.example/brand-"),
    Brand,
    Text(".jpg\",\"w\":1200,\"h\":627}},{\"id\":3,\"data\":{\"value\":\"Brand "),
    Brand,
    Text("\"}}]}}"),
];

/// Writes `adm` and the size or duration that goes with it; `size` is that of a banner.
pub(super) fn write(bid: &mut Object<'_>, profile: &Profile<'_>, size: (u32, u32), brand: u32) {
    let parts = match profile.ad_format {
        AdFormat::Banner => BANNER,
        AdFormat::Video => VIDEO,
        AdFormat::Audio => AUDIO,
        AdFormat::Native => NATIVE,
    };
    let (width, height) = match profile.ad_format {
        AdFormat::Banner => size,
        _ => (640, 360),
    };
    let out = bid.key("adm");
    out.push(b'"');
    for part in parts {
        match part {
            Text(text) => push_escaped(out, text),
            Brand => push_whole(out, u64::from(brand)),
            Width => push_whole(out, u64::from(width)),
            Height => push_whole(out, u64::from(height)),
        }
    }
    out.push(b'"');
    match profile.ad_format {
        AdFormat::Banner => {
            bid.whole("w", u64::from(width));
            bid.whole("h", u64::from(height));
        }
        AdFormat::Video | AdFormat::Audio => bid.whole("dur", 15),
        AdFormat::Native => {}
    }
}
