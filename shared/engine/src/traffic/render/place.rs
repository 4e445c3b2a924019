//! Where an entry happened: address, page, and the `site`, `app` or `dooh` of its bid request.

use std::io::Write;
use std::net::IpAddr;

use super::entry::quoted;
use super::json::{Object, push_padded, push_whole};
use crate::traffic::tables::{App, Site};
use crate::traffic::visitor::{Place, Profile};

pub(super) fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for (index, part) in ip.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                push_whole(out, u64::from(part));
            }
        }
        // Writing to memory cannot fail.
        IpAddr::V6(ip) => write!(out, "{ip}").unwrap_or_default(),
    }
}

/// The page the visitor was on; apps and screens have one on their publisher's domain.
pub(super) fn push_url(out: &mut Vec<u8>, profile: &Profile<'_>) {
    match profile.place {
        Place::Site(site, page) => push_page(out, site, page),
        Place::App(app) => {
            out.extend_from_slice(b"https://apps.example/");
            out.extend_from_slice(app.bundle.as_bytes());
        }
        Place::Dooh(screen) => {
            out.extend_from_slice(b"https://screens.example/");
            push_whole(out, u64::from(screen));
        }
    }
}

fn push_page(out: &mut Vec<u8>, site: &Site, page: u32) {
    for part in ["https://", site.domain, "/", site.path, "/"] {
        out.extend_from_slice(part.as_bytes());
    }
    push_whole(out, u64::from(page));
}

pub(super) fn write(request: &mut Object<'_>, profile: &Profile<'_>) {
    match profile.place {
        Place::Site(site, page) => write_site(request, site, page, profile),
        Place::App(app) => write_app(request, app, profile),
        Place::Dooh(screen) => write_dooh(request, screen),
    }
}

fn write_site(request: &mut Object<'_>, site: &Site, page: u32, profile: &Profile<'_>) {
    let mut object = request.object("site");
    object.text("id", site.domain);
    object.text("name", site.name);
    object.text("domain", site.domain);
    category(&mut object, site.category);
    quoted(object.key("page"), |out| push_page(out, site, page));
    if profile.user_id.is_multiple_of(3) {
        object.text("ref", "https://search.example/");
    }
    object.whole("mobile", u64::from(profile.client.device.class.as_str() == "mobile"));
    object.whole("privacypolicy", 1);
    publisher(&mut object, site.domain, site.name);
    object.end();
}

fn write_app(request: &mut Object<'_>, app: &App, profile: &Profile<'_>) {
    let apple = profile.client.device.make == "Apple";
    let bundle = if apple { app.apple_id } else { app.bundle };
    let mut object = request.object("app");
    object.text("id", app.bundle);
    object.text("name", app.name);
    object.text("bundle", bundle);
    quoted(object.key("storeurl"), |out| {
        out.extend_from_slice(b"https://store.example/app/");
        out.extend_from_slice(bundle.as_bytes());
    });
    category(&mut object, app.category);
    object.text("ver", "4.2.1");
    object.whole("privacypolicy", 1);
    object.whole("paid", 0);
    publisher(&mut object, app.bundle, app.name);
    object.end();
}

fn write_dooh(request: &mut Object<'_>, screen: u32) {
    let mut object = request.object("dooh");
    quoted(object.key("id"), |out| {
        out.extend_from_slice(b"screen-");
        push_padded(out, u64::from(screen), 4);
    });
    object.text("name", "Station screen");
    object.text("venuetype", "transit");
    object.whole("venuetypetax", 1);
    publisher(&mut object, "screens.example", "Station Screens");
    object.end();
}

fn category(object: &mut Object<'_>, category: &str) {
    let mut list = object.array("cat");
    list.text(category);
    list.end();
}

fn publisher(object: &mut Object<'_>, id: &str, name: &str) {
    let mut inner = object.object("publisher");
    inner.text("id", id);
    inner.text("name", name);
    inner.end();
}
