//! Signs of programs in a request's headers; those in the user agent are `agent`'s.

/// Why the headers tell that nobody looks at the page, or nothing. Browsers say so when they fetch or render a page
/// ahead of time: `Sec-Purpose: prefetch;prerender` (Fetch Standard), and by older names `Purpose: prefetch`,
/// `X-Purpose: preview` and `X-Moz: prefetch`.
#[must_use]
pub fn by_headers(purpose: Option<&str>, sec_purpose: Option<&str>, x_moz: Option<&str>) -> Option<&'static str> {
    [sec_purpose, purpose, x_moz].into_iter().flatten().find_map(|value| {
        if has_word(value, "prerender") {
            Some("prerender")
        } else if has_word(value, "prefetch") {
            Some("prefetch")
        } else if has_word(value, "preview") {
            Some("preview: browser")
        } else {
            None
        }
    })
}

/// The device that the client hint `Sec-CH-UA-Mobile` names: `Mobile` for `?1`. `?0` says nothing, since tablets send it
/// as desktops do.
#[must_use]
pub fn device_by_hint(mobile: Option<&str>) -> Option<&'static str> {
    (mobile?.trim() == "?1").then_some("Mobile")
}

fn has_word(value: &str, word: &str) -> bool {
    value.split([';', ',']).any(|part| part.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_requests_ahead_of_time_are_known() {
        assert_eq!(by_headers(None, Some("prefetch;prerender"), None), Some("prerender"));
        assert_eq!(by_headers(None, Some("prefetch"), None), Some("prefetch"));
        assert_eq!(by_headers(Some("Prefetch"), None, None), Some("prefetch"));
        assert_eq!(by_headers(Some("preview"), None, None), Some("preview: browser"));
        assert_eq!(by_headers(None, None, Some("prefetch")), Some("prefetch"));
        assert_eq!(by_headers(Some("navigate"), Some(""), None), None);
        assert_eq!(by_headers(None, None, None), None);
    }

    #[test]
    fn hints_name_phones_only() {
        assert_eq!(device_by_hint(Some("?1")), Some("Mobile"));
        assert_eq!(device_by_hint(Some("?0")), None);
        assert_eq!(device_by_hint(None), None);
    }
}
