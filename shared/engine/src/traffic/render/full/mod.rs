//! Bid requests that show nearly every attribute of `OpenRTB` 2.6, each with a value that fits the others.

mod consent;
mod content;
mod device;
mod imp;
mod inventory;
mod media;
pub(super) mod response;
mod source;
mod user;

use trafficlab_shared::model::content::{Deal, RtbSpec};

use super::entry::quoted;
use super::json::Object;
use crate::traffic::auction::rtb::{MICROS, PreparedRtb, USUAL_BLOCKED};
use crate::traffic::cast;
use crate::traffic::rng::{Domain, EntryKey, EntryRng};
use crate::traffic::visitor::Profile;

pub(crate) use imp::accepts_size;

/// A request in the making: what it is about, and the choices of its details.
pub(super) struct Draft<'a> {
    pub(super) rtb: &'a PreparedRtb,
    pub(super) profile: &'a Profile<'a>,
    pub(super) key: EntryKey,
    /// Writes the request's id.
    pub(super) id: &'a dyn Fn(&mut Vec<u8>),
    stream: EntryRng,
}

impl Draft<'_> {
    /// True once in `many`.
    fn once_in(&mut self, many: u32) -> bool {
        self.stream.below32(many) == 0
    }

    /// One of the list.
    fn one_of<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let place = self.stream.below32(cast::length(list.len()));
        list.get(cast::index(place)).copied().unwrap_or(otherwise)
    }

    fn spec(&self) -> &RtbSpec {
        &self.rtb.spec
    }
}

/// Appends the request.
pub(super) fn write(
    out: &mut Vec<u8>,
    rtb: &PreparedRtb,
    profile: &Profile<'_>,
    key: EntryKey,
    id: &dyn Fn(&mut Vec<u8>),
) {
    let mut draft = Draft { rtb, profile, key, id, stream: EntryRng::new(key, Domain::Request) };
    let mut request = Object::begin(out);
    quoted(request.key("id"), |out| id(out));
    imp::write(&mut request, &mut draft);
    inventory::write(&mut request, &mut draft);
    device::write(&mut request, &mut draft);
    user::write(&mut request, &mut draft);
    source::write(&mut request, &mut draft);
    request.members(&rtb.request_json);
    rules(&mut request, &mut draft);
    request.end();
}

/// What the publisher allows, and what the exchange says beside it.
fn rules(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    let spec = draft.spec();
    if !spec.rules.wseat.is_empty() {
        texts(request, "wseat", &spec.rules.wseat);
    }
    if !spec.rules.badv.is_empty() {
        texts(request, "badv", &spec.rules.badv);
    }
    // One of several impressions is sold at most, so a request is never all that a page has to offer.
    request.whole("allimps", 0);
    if draft.spec().rules.wseat.is_empty() && draft.once_in(8) {
        request.raw("bseat", br#"["seat-blocked"]"#);
    }
    // Only one of the two may stand in a request.
    if draft.once_in(4) {
        request.raw("wlangb", br#"["en","es-419"]"#);
    } else if draft.once_in(3) {
        let language = primary(draft.profile.language);
        let mut list = request.array("wlang");
        list.text(language);
        if language != "en" {
            list.text("en");
        }
        list.end();
    }
    request.raw("bapp", br#"["com.example.rival"]"#);
    request.raw("ext", br#"{"synthetic":1}"#);
}

fn texts(object: &mut Object<'_>, key: &'static str, list: &[String]) {
    let mut array = object.array(key);
    list.iter().for_each(|text| array.text(text));
    array.end();
}

/// `en` of `en-GB`.
fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

/// The members that name the content categories to block.
pub(super) fn categories(spec: &RtbSpec) -> String {
    let usual = USUAL_BLOCKED.map(str::to_owned);
    let blocked = if spec.rules.bcat.is_empty() { usual.as_slice() } else { spec.rules.bcat.as_slice() };
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    texts(&mut object, "bcat", blocked);
    object.whole("cattax", 1);
    object.end();
    let text = String::from_utf8(out).unwrap_or_default();
    text.trim_start_matches('{').trim_end_matches('}').to_owned()
}

/// What a full request says of a deal besides its id, floor, rule and seats.
pub(super) fn deal(object: &mut Object<'_>, deal: &Deal) {
    if !deal.adomains.is_empty() {
        texts(object, "wadomain", &deal.adomains);
    }
    object.whole("guar", u64::from(deal.guaranteed));
    let floor = u64::from(cast::round32(deal.floor * MICROS));
    // Less than the floor asks of the longest ad, so neither decides by itself.
    object.decimal("mincpmpersec", floor / 30, 6);
    let mut list = object.array("durfloors");
    let mut range = list.object();
    range.members(r#""mindur":5,"maxdur":30"#);
    range.decimal("bidfloor", floor, 6);
    range.end();
    list.end();
    object.raw("ext", br#"{"synthetic":1}"#);
}
