//! Where an entry happened: address, page, and the `site`, `app` or `dooh` of its bid request.

use std::io::Write;
use std::net::IpAddr;

use super::entry::quoted;
use super::json::{Object, push_padded, push_whole};
use crate::traffic::session::Visit;
use crate::traffic::tables::{App, Site};
use crate::traffic::visitor::{Place, Profile, site_page};

pub(crate) fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
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

/// What stands before the path of a URL without a path of its own; none for all others.
#[must_use]
pub fn site_root(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let root = url.strip_suffix('/').unwrap_or(url);
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    (!authority.contains(['/', '?', '#'])).then_some(root)
}

/// Where the request went: the target, with the page of the session when the target has no path of its own.
/// `escape` writes what comes from the target.
pub(super) fn push_shown_url(
    out: &mut Vec<u8>,
    target: &str,
    profile: &Profile<'_>,
    escape: impl Fn(&mut Vec<u8>, &str),
) {
    let visit = profile.visit.filter(Visit::has_path);
    match visit.zip(site_root(target)) {
        Some((visit, root)) => {
            escape(out, root);
            visit.write_path(out, profile);
        }
        None => escape(out, target),
    }
}

/// The page the visitor was on; apps and screens have one on their publisher's domain.
pub(super) fn push_url(out: &mut Vec<u8>, profile: &Profile<'_>) {
    match profile.place {
        Place::Site(site, page) => push_page(out, site, page, profile),
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

fn push_page(out: &mut Vec<u8>, site: &Site, page: u32, profile: &Profile<'_>) {
    push_page_of(out, site, page, profile.visit.as_ref(), profile);
}

fn push_page_of(out: &mut Vec<u8>, site: &Site, page: u32, visit: Option<&Visit<'_>>, profile: &Profile<'_>) {
    out.extend_from_slice(b"https://");
    out.extend_from_slice(site.domain.as_bytes());
    if visit.is_some_and(|visit| visit.write_path(out, profile)) {
        return;
    }
    for part in ["/", site.path, "/"] {
        out.extend_from_slice(part.as_bytes());
    }
    push_whole(out, u64::from(page));
}

/// `site.ref`: the page before, or for some visitors a search, which is said.
pub(super) fn write_referrer(object: &mut Object<'_>, profile: &Profile<'_>) -> bool {
    if let Some(visit) = profile.visit.and_then(|visit| visit.previous())
        && let Place::Site(site, _) = profile.place
    {
        let page = site_page(&visit);
        quoted(object.key("ref"), |out| push_page_of(out, site, page, Some(&visit), profile));
        return false;
    }
    let searched = profile.user_id.is_multiple_of(3);
    if searched {
        object.text("ref", "https://search.example/");
    }
    searched
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
    quoted(object.key("page"), |out| push_page(out, site, page, profile));
    write_referrer(&mut object, profile);
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

#[cfg(test)]
mod tests {
    use super::site_root;

    #[test]
    fn only_targets_without_a_path_take_the_pages() {
        assert_eq!(site_root("http://127.0.0.1:9000/"), Some("http://127.0.0.1:9000"));
        assert_eq!(site_root("https://shop.example"), Some("https://shop.example"));
        for url in ["http://a.example/x", "http://a.example/?q", "http://a.example//", "a.example/"] {
            assert_eq!(site_root(url), None, "{url}");
        }
    }
}
