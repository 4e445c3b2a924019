//! The script that pages include, under the name of the configuration.

use std::sync::LazyLock;

use bytes::Bytes;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Request, Response};
use sha2::{Digest, Sha256};

use super::reply;

const SOURCE: &str = include_str!("../script.js");
/// An hour, and a day longer while it is asked for anew.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");

struct Served {
    text: Bytes,
    tag: HeaderValue,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let text = served(SOURCE);
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
    Served { text: text.into(), tag }
});

/// The source without comments and indentation.
fn served(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((code, comment)) = rest.split_once("/*") {
        text.push_str(code);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// Answers the script, or 304 to a browser that has it.
#[must_use]
pub fn get(request: &Request) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tag = SERVED.tag.to_str().unwrap_or_default();
    let fresh = known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*");
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    let mut response = if fresh {
        reply::of_type(StatusCode::NOT_MODIFIED, kind, ())
    } else {
        reply::of_type(StatusCode::OK, kind, SERVED.text.clone())
    };
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    response.headers_mut().insert(header::ETAG, SERVED.tag.clone());
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::io::Write;

    use super::*;

    #[test]
    fn it_fits_in_a_kilobyte_compressed() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&SERVED.text).unwrap();
        let length = packer.finish().unwrap().len();
        assert!(length <= 1024, "{length} bytes");
    }

    #[test]
    fn nothing_but_comments_and_indentation_is_left_out() {
        assert_eq!(served("/* a */\n  f('x');\n\n\tg(/* b */1);\n"), "f('x');\ng(1);");
        let text = std::str::from_utf8(&SERVED.text).unwrap();
        assert!(text.starts_with("(function (win, doc, loc) {") && text.ends_with("})(window, document, location);"));
        assert!(!text.contains("/*"));
    }

    #[test]
    fn a_browser_that_has_it_is_told_so() {
        let first = get(&Request::default());
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers().get(header::ETAG).unwrap().clone();
        let again = get(&Request::builder().header(header::IF_NONE_MATCH, tag).finish());
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get(&Request::builder().header(header::IF_NONE_MATCH, "\"x\"").finish()).status(), StatusCode::OK);
    }
}
