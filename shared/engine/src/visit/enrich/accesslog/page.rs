//! Which requests are for pages.

/// Ends of names of what pages load and of what programs read.
const ASSETS: [&str; 66] = [
    "css",
    "js",
    "mjs",
    "map",
    "wasm",
    "json",
    "jsonld",
    "xml",
    "rss",
    "atom",
    "txt",
    "csv",
    "png",
    "apng",
    "jpg",
    "jpeg",
    "gif",
    "webp",
    "avif",
    "svg",
    "svgz",
    "ico",
    "cur",
    "bmp",
    "tif",
    "tiff",
    "heic",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp3",
    "mp4",
    "m4a",
    "m4v",
    "m4s",
    "m3u8",
    "ts",
    "ogg",
    "ogv",
    "oga",
    "opus",
    "wav",
    "flac",
    "webm",
    "mov",
    "avi",
    "mkv",
    "zip",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "zst",
    "7z",
    "rar",
    "tar",
    "dmg",
    "exe",
    "msi",
    "apk",
    "iso",
    "deb",
    "rpm",
    "webmanifest",
];

/// Whether the path of a target is that of a page: its last segment ends in nothing, or in something that is not in the
/// list of assets, and it is not under `/.well-known/`. Documents that people open, such as PDF, are pages.
pub(super) fn is_page(target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let path =
        path.split_once("://").map_or(path, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_asset =
        last.rsplit_once('.').is_some_and(|(_, end)| ASSETS.iter().any(|asset| end.eq_ignore_ascii_case(asset)));
    path.starts_with('/') && !path.starts_with("/.well-known/") && !is_asset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_no_pages() {
        for (target, page) in [
            ("/", true),
            ("/about", true),
            ("/blog/a.html?x=1.css", true),
            ("/index.php", true),
            ("/paper.pdf", true),
            ("/v1.2", true),
            ("/a.b/", true),
            ("https://example.com", true),
            ("https://example.com/a", true),
            ("/app.JS?v=1", false),
            ("/favicon.ico", false),
            ("/robots.txt", false),
            ("/.well-known/security", false),
            ("https://example.com/a.css", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(is_page(target), page, "{target}");
        }
    }
}
