//! The content around an ad: an episode for video, a track for audio, an article for the rest.

use trafficlab_shared::model::content::AdFormat;

use super::{Draft, primary};
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::{Object, push_whole};

const NETWORK: &str = r#""network":{"id":"net-1","name":"Test Network","domain":"network.example","ext":{"synthetic":1}},"channel":{"id":"ch-1","name":"Test Channel","domain":"channel.example","ext":{"synthetic":1}}"#;
const PRODUCER: &str = r#""producer":{"id":"prod-1","name":"Test Studio","cattax":1,"cat":["IAB1"],"domain":"studio.example","ext":{"synthetic":1}}"#;
const DATA: &str =
    r#""data":[{"id":"contextual","name":"trafficlab context","segment":[{"id":"1","name":"mood","value":"calm"}]}]"#;

pub(super) fn write(place: &mut Object<'_>, category: &str, draft: &mut Draft<'_>) {
    let format = draft.profile.ad_format;
    let stream = matches!(format, AdFormat::Video | AdFormat::Audio);
    if !stream && !draft.once_in(3) {
        return;
    }
    let number = u64::from(draft.stream.below32(24)) + 1;
    let mut content = place.object("content");
    quoted(content.key("id"), |out| {
        out.extend_from_slice(b"content-");
        push_whole(out, number);
    });
    match format {
        AdFormat::Video => film(&mut content, number, draft),
        AdFormat::Audio => track(&mut content, number),
        AdFormat::Banner | AdFormat::Native => {
            content.members(r#""title":"An article","context":5,"prodq":1,"userrating":"4.5","embeddable":1"#);
        }
    }
    content.whole("cattax", 1);
    let mut list = content.array("cat");
    list.text(category);
    list.end();
    content.text("url", "https://content.example/item");
    content.whole("qagmediarating", 1);
    content.members(DATA);
    common(&mut content, draft);
    content.end();
}

fn film(content: &mut Object<'_>, number: u64, draft: &mut Draft<'_>) {
    let live = u64::from(draft.once_in(5));
    content.whole("episode", number);
    content.members(
        r#""title":"The Test","series":"Patterns","season":"2","genre":"drama","gtax":9,"genres":["drama","comedy"],"contentrating":"TV-PG","context":1,"prodq":1,"sourcerelationship":1,"realtime":1"#,
    );
    content.whole("len", 1_500 + number * 10);
    content.whole("livestream", live);
    content.whole("firstbroadcast", live);
    content.members(PRODUCER);
    content.members(NETWORK);
}

fn track(content: &mut Object<'_>, number: u64) {
    content.members(
        r#""title":"Sine","artist":"The Oscillators","genre":"electronic","album":"Waves","context":3,"prodq":1,"livestream":0,"sourcerelationship":1"#,
    );
    // The country code QZ and year 00 of a code that nobody registered.
    quoted(content.key("isrc"), |out| {
        out.extend_from_slice(b"QZZZZ00000");
        crate::traffic::render::json::push_padded(out, number, 2);
    });
    content.whole("len", 180 + number);
}

/// Language and words, of which each comes in two forms and never in both.
fn common(content: &mut Object<'_>, draft: &mut Draft<'_>) {
    let language = draft.profile.language;
    if language.contains('-') {
        content.text("langb", language);
    } else {
        content.text("language", primary(language));
    }
    if draft.once_in(2) {
        content.text("keywords", "test,synthetic");
    } else {
        content.raw("kwarray", br#"["test","synthetic"]"#);
    }
    content.raw("ext", br#"{"synthetic":1}"#);
}
