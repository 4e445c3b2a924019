//! Where the ad of a full request would be shown: site, app or public screen, with its publisher.

use super::{Draft, content};
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::{Object, push_padded};
use crate::traffic::render::place;
use crate::traffic::tables::{App, Site};
use crate::traffic::visitor::Place;

pub(super) fn write(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    match draft.profile.place {
        Place::Site(site, _) => write_site(request, site, draft),
        Place::App(app) => write_app(request, app, draft),
        Place::Dooh(screen) => write_dooh(request, screen, draft),
    }
}

fn write_site(request: &mut Object<'_>, site: &Site, draft: &mut Draft<'_>) {
    let profile = draft.profile;
    let mut object = request.object("site");
    object.text("id", site.domain);
    object.text("name", site.name);
    object.text("domain", site.domain);
    categories(&mut object, site.category);
    quoted(object.key("page"), |out| place::push_url(out, profile));
    if place::write_referrer(&mut object, profile) {
        object.text("search", site.path);
    }
    object.whole("mobile", u64::from(profile.client.device.class.as_str() == "mobile"));
    object.whole("privacypolicy", 1);
    words(&mut object, site.path, draft);
    publisher(&mut object, site.domain, site.name, site.category);
    content::write(&mut object, site.category, draft);
    object.raw("ext", br#"{"amp":0}"#);
    object.end();
}

fn write_app(request: &mut Object<'_>, app: &App, draft: &mut Draft<'_>) {
    let apple = draft.profile.client.device.make == "Apple";
    let bundle = if apple { app.apple_id } else { app.bundle };
    let mut object = request.object("app");
    object.text("id", app.bundle);
    object.text("name", app.name);
    object.text("bundle", bundle);
    object.text("domain", "apps.example");
    quoted(object.key("storeurl"), |out| {
        out.extend_from_slice(b"https://store.example/app/");
        out.extend_from_slice(bundle.as_bytes());
    });
    categories(&mut object, app.category);
    object.text("ver", draft.one_of(&["4.2.1", "4.2.0", "4.1.7"], "4.2.1"));
    object.whole("privacypolicy", 1);
    object.whole("paid", u64::from(draft.once_in(12)));
    words(&mut object, "mobile", draft);
    publisher(&mut object, app.bundle, app.name, app.category);
    content::write(&mut object, app.category, draft);
    object.raw("ext", br#"{"synthetic":1}"#);
    object.end();
}

fn write_dooh(request: &mut Object<'_>, screen: u32, draft: &mut Draft<'_>) {
    let mut object = request.object("dooh");
    quoted(object.key("id"), |out| {
        out.extend_from_slice(b"screen-");
        push_padded(out, u64::from(screen), 4);
    });
    object.text("name", "Station screen");
    object.text("venuetype", "transit");
    object.whole("venuetypetax", 1);
    object.text("domain", "screens.example");
    object.text("keywords", "station,travel");
    publisher(&mut object, "screens.example", "Station Screens", "IAB20");
    content::write(&mut object, "IAB20", draft);
    object.raw("ext", br#"{"synthetic":1}"#);
    object.end();
}

/// The category of the whole, of the section and of the page.
fn categories(object: &mut Object<'_>, category: &str) {
    object.whole("cattax", 1);
    for key in ["cat", "sectioncat", "pagecat"] {
        let mut list = object.array(key);
        list.text(category);
        list.end();
    }
}

/// As one text or as a list, never both.
fn words(object: &mut Object<'_>, word: &str, draft: &mut Draft<'_>) {
    if draft.once_in(2) {
        object.text("keywords", word);
    } else {
        let mut list = object.array("kwarray");
        list.text(word);
        list.end();
    }
    if draft.once_in(10) {
        object.text("inventorypartnerdomain", "partner.example");
    }
}

fn publisher(object: &mut Object<'_>, id: &str, name: &str, category: &str) {
    let mut inner = object.object("publisher");
    inner.text("id", id);
    inner.text("name", name);
    inner.whole("cattax", 1);
    let mut list = inner.array("cat");
    list.text(category);
    list.end();
    inner.text("domain", "publisher.example");
    inner.raw_end(r#""ext":{"synthetic":1}"#);
}
