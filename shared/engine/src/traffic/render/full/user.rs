//! The user of a full request: ids where they are permitted, interests, consent.

use super::consent::Privacy;
use super::{Draft, device};
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::{Object, push_hex, push_whole};
use crate::traffic::rng::mix;
use crate::traffic::visitor::{Place, Profile};

pub(super) fn write(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    let profile = draft.profile;
    if matches!(profile.place, Place::Dooh(_)) {
        return;
    }
    let privacy = Privacy::of(profile);
    let mut user = request.object("user");
    if privacy.may_identify() {
        quoted(user.key("id"), |out| push_hex(out, profile.user_id, 16));
        if draft.once_in(2) {
            quoted(user.key("buyeruid"), |out| push_hex(out, mix(profile.user_id), 16));
            quoted(user.key("customdata"), |out| push_hex(out, mix(profile.user_id ^ 1) >> 32, 8));
        }
        eids(&mut user, profile);
        data(&mut user, profile);
    }
    keywords(&mut user, draft);
    if let Some(consent) = privacy.consent() {
        user.text("consent", consent);
    }
    let mut home = user.object("geo");
    device::location(&mut home, profile, &privacy);
    // 3: as the user said, which here means the place of the profile.
    home.members(r#""type":3"#);
    home.end();
    user.raw("ext", br#"{"synthetic":1}"#);
    user.end();
}

/// Ids of others for the same person.
fn eids(user: &mut Object<'_>, profile: &Profile<'_>) {
    let mut list = user.array("eids");
    for (inserter, source, matcher, how, kind, salt) in [
        ("exchange.example", "ids.example", "exchange.example", 1, 1, 2_u64),
        ("publisher.example", "sharedid.example", "matcher.example", 4, 3, 3),
    ] {
        let mut eid = list.object();
        eid.text("inserter", inserter);
        eid.text("source", source);
        eid.text("matcher", matcher);
        eid.whole("mm", how);
        let mut uids = eid.array("uids");
        let mut uid = uids.object();
        quoted(uid.key("id"), |out| push_hex(out, mix(profile.user_id ^ salt), 16));
        uid.whole("atype", kind);
        uid.raw_end(r#""ext":{"synthetic":1}"#);
        uids.end();
        eid.raw_end(r#""ext":{"synthetic":1}"#);
    }
    list.end();
}

/// What a data provider would know: the kind of visitor, age and interests.
fn data(user: &mut Object<'_>, profile: &Profile<'_>) {
    let visitor = profile.user_profile;
    let mut list = user.array("data");
    let mut provider = list.object();
    provider.members(r#""id":"trafficlab","name":"trafficlab profiles","cids":["test-contract"]"#);
    let mut segments = provider.array("segment");
    let age = visitor.age_range.as_deref().map(|age| ("age", age));
    let interests = visitor.interests.iter().map(|interest| ("interest", interest.as_str()));
    let kind = [("profile", visitor.name.as_str())];
    for (number, (name, value)) in (1_u64..).zip(kind.into_iter().chain(age).chain(interests)) {
        let mut segment = segments.object();
        quoted(segment.key("id"), |out| push_whole(out, number));
        segment.text("name", name);
        segment.text("value", value);
        segment.raw_end(r#""ext":{"synthetic":1}"#);
    }
    segments.end();
    provider.raw_end(r#""ext":{"segtax":600}"#);
    list.end();
}

/// As one text or as a list, never both.
fn keywords(user: &mut Object<'_>, draft: &mut Draft<'_>) {
    let interests = &draft.profile.user_profile.interests;
    if interests.is_empty() {
        return;
    }
    if draft.once_in(3) {
        user.text("keywords", &interests.join(","));
        return;
    }
    let mut words = user.array("kwarray");
    interests.iter().for_each(|word| words.text(word));
    words.end();
}
