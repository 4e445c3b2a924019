//! Lines of Apache's formats.

use std::borrow::Cow;

use memchr::memmem;

use super::{LineFault, LogLine, address, host_name, stamp, value};
use crate::visit::enrich::text::hex;

/// Reads a line that begins with `%v:%p` when it `has_host` and that ends with referrer and user agent when it
/// `has_agent`.
pub(super) fn parse(line: &[u8], has_host: bool, has_agent: bool) -> Result<LogLine<'_>, LineFault> {
    let (host, rest) = if has_host {
        let (host, rest) = word(line).ok_or(LineFault::Address)?;
        (host_name(text(host)), rest)
    } else {
        (None, line)
    };
    let (client, rest) = word(rest).ok_or(LineFault::Address)?;
    let address = address(client)?;
    let (time_ms, rest) = time(rest).ok_or(LineFault::Time)?;
    let (request, rest) = quoted(rest).ok_or(LineFault::Quotes)?;
    let (status, rest) = number(rest).ok_or(LineFault::Status)?;
    let status = u16::try_from(status).ok().filter(|status| (100..=599).contains(status)).ok_or(LineFault::Status)?;
    let (bytes, rest) = number(rest).unwrap_or((0, rest));
    let (referrer, user_agent) = if has_agent {
        let (referrer, rest) = quoted(rest).ok_or(LineFault::Quotes)?;
        let (user_agent, _) = quoted(rest).ok_or(LineFault::Quotes)?;
        (value(referrer), value(user_agent))
    } else {
        (Cow::Borrowed(""), Cow::Borrowed(""))
    };
    let (method, target) = request_line(value(request));
    Ok(LogLine { address, time_ms, method, host, target, status, bytes, referrer, user_agent })
}

/// The next word and what follows it.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let end = memchr::memchr(b' ', bytes)?;
    bytes.split_at_checked(end)
}

/// The time between the brackets that follow the names of the user.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let begin = memmem::find(bytes, b" [")? + 2;
    let rest = bytes.get(begin..)?;
    let end = memchr::memchr(b']', rest)?;
    Some((stamp::of_log(rest.get(..end)?)?, rest.get(end + 1..)?))
}

/// The next whole number, or 0 where the log has `-`, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at_checked(end)?;
    if digits == b"-" {
        return Some((0, rest));
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(|number| (number, rest))
}

/// The text between the next quotes, its escapes undone, and what follows it.
fn quoted(bytes: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let inner = bytes.trim_ascii_start().strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
        if inner.get(at) == Some(&b'"') {
            break;
        }
        at += 2;
    }
    Some((text(inner.get(..at)?), inner.get(at + 1..)?))
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', bytes).is_none() {
        return String::from_utf8_lossy(bytes);
    }
    Cow::Owned(String::from_utf8_lossy(&unescaped(bytes)).into_owned())
}

/// `\xhh` is a byte, `\"` and `\\` stand for themselves, and the other escapes for control characters, which nobody
/// wants.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        match after {
            [b'x', high, low, tail @ ..] => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    plain.push(high << 4 | low);
                    rest = tail;
                }
            }
            [character @ (b'"' | b'\\'), tail @ ..] => {
                plain.push(*character);
                rest = tail;
            }
            [_, tail @ ..] => rest = tail,
            [] => {}
        }
    }
    plain
}

/// Method and target of `GET /path HTTP/1.1`; everything is the method where that is not the shape.
fn request_line(request: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    fn split(request: &str) -> Option<(&str, &str)> {
        let (method, rest) = request.split_once(' ')?;
        let target = rest
            .rsplit_once(' ')
            .filter(|(_, version)| version.starts_with("HTTP/"))
            .map_or(rest, |(target, _)| target);
        Some((method, target))
    }
    match request {
        Cow::Borrowed(request) => {
            let (method, target) = split(request).unwrap_or((request, ""));
            (Cow::Borrowed(method), Cow::Borrowed(target))
        }
        Cow::Owned(request) => {
            let (method, target) = split(&request).unwrap_or((&request, ""));
            (Cow::Owned(method.to_owned()), Cow::Owned(target.to_owned()))
        }
    }
}
