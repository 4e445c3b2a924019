//! Request methods and headers: which of them a campaign may set.

use crate::error::FieldFault;

/// The most request headers of a campaign.
pub const MAX_HEADERS: usize = 64;
/// The longest header value in bytes.
pub const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// Checks a request method: a token, and not one that would turn the connection into something else.
///
/// # Errors
/// The fault, with `path` as its field.
pub fn check_method(method: &str, path: &str) -> Result<(), FieldFault> {
    if !is_token(method) || method.len() > 32 {
        return Err(FieldFault::new(path, format!("`{}` is not an HTTP method", method.escape_default())));
    }
    if method.eq_ignore_ascii_case("CONNECT") {
        return Err(FieldFault::new(path, "the method `CONNECT` cannot be used"));
    }
    Ok(())
}

/// Checks the request headers of a campaign; `path` is the field they stand in, such as `config.headers`.
#[must_use]
pub fn check_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, path: &str) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut count = 0;
    for (name, value) in headers {
        count += 1;
        let field = || format!("{path}.{}", name.escape_default());
        if let Some(message) = header_name_fault(name) {
            faults.push(FieldFault::new(field(), message));
        } else if let Some(message) = header_value_fault(value) {
            faults.push(FieldFault::new(field(), message));
        }
    }
    if count > MAX_HEADERS {
        faults.push(FieldFault::new(path, format!("more than {MAX_HEADERS} headers")));
    }
    faults
}

fn header_name_fault(name: &str) -> Option<String> {
    const RESERVED: [&str; 5] = ["host", ":authority", "content-length", "transfer-encoding", "connection"];
    let lower = name.trim().to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("x-synthetic-") {
        return Some(format!("the header `{}` is set by the generator and cannot be changed", name.escape_default()));
    }
    (!is_token(name) || name.len() > 256).then(|| format!("`{}` is not a header name", name.escape_default()))
}

fn header_value_fault(value: &str) -> Option<String> {
    if value.len() > MAX_HEADER_VALUE_BYTES {
        return Some(format!("the value is longer than {MAX_HEADER_VALUE_BYTES} bytes"));
    }
    (!is_safe_value(value.as_bytes()))
        .then(|| "the value contains a line break or another control character".to_owned())
}

/// Whether `value` may stand in a header line: no control characters but the tab.
#[must_use]
pub fn is_safe_value(value: &[u8]) -> bool {
    value.iter().all(|&byte| byte == b'\t' || byte >= 0x20 && byte != 0x7f)
}

/// Whether `text` is a token of RFC 9110: what methods and header names are made of.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn reserved_and_broken_headers() {
        let bad = [
            ("Host", "x"),
            ("host", "x"),
            (":authority", "x"),
            ("CONTENT-LENGTH", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "x"),
            ("X-Synthetic-Traffic", "x"),
            ("x-synthetic-anything", "x"),
            (" Host", "x"),
            ("", "x"),
            ("a b", "x"),
            ("a:", "x"),
            ("ok", "a\r\nb: c"),
            ("ok", "a\0"),
            ("ok\r\n", "x"),
        ];
        for header in bad {
            assert_eq!(check_headers([header], "config.headers").len(), 1, "{header:?}");
        }
        assert_eq!(check_headers([("Host", "x")], "config.headers").first().unwrap().field, "config.headers.Host");
        assert!(
            check_headers([("Accept", "*/*"), ("X-Trace", "a\tb"), ("Cookie", "ä=1")], "config.headers").is_empty()
        );
        assert_eq!(check_headers(std::iter::repeat_n(("A", "b"), 65), "h").len(), 1);
    }

    #[test]
    fn methods() {
        for method in ["GET", "PURGE", "post"] {
            assert!(check_method(method, "config.method").is_ok());
        }
        for method in ["", "G ET", "GET\r\n", "CONNECT", "connect"] {
            assert!(check_method(method, "config.method").is_err(), "{method:?}");
        }
    }
}
