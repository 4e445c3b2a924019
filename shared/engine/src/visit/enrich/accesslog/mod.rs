//! Lines of web servers' access logs.
//!
//! Apache's `common`, `combined` and `vhost_combined` formats (Apache HTTP Server documentation, "Log Files" and
//! `mod_log_config`), of which nginx writes `combined` by default, and Caddy's JSON of the logger `http.log.access`.
//! Both ways of escaping are understood: Apache's backslashes and nginx's `\x22`. What follows the known fields of a
//! line is not looked at, since many add their own.

mod caddy;
mod common;
mod page;
mod stamp;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::text::clean;

/// Longest line that is taken, in bytes.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// How the lines of a log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `%h %l %u %t "%r" %>s %b`
    Common,
    /// `common` with `"%{Referer}i" "%{User-agent}i"` behind it.
    Combined,
    /// `combined` with `%v:%p` ahead of it.
    VhostCombined,
    /// Caddy's JSON.
    Caddy,
}

/// Formats in the order in which they are tried: the stricter one before the one that would take its lines as well.
const FORMATS: [Format; 4] = [Format::Caddy, Format::VhostCombined, Format::Combined, Format::Common];

/// Why a line is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LineFault {
    /// Nothing there.
    #[error("the line is empty")]
    Empty,
    /// Longer than any line may be.
    #[error("the line is longer than 64 KiB")]
    TooLong,
    /// The client is no IP address.
    #[error("the client's address is not an IP address")]
    Address,
    /// The time is missing or not one.
    #[error("the time is not readable")]
    Time,
    /// The request, the referrer or the user agent is not between quotes.
    #[error("a field between quotes is missing")]
    Quotes,
    /// The status is missing or not one.
    #[error("the status is not readable")]
    Status,
    /// Not JSON.
    #[error("the line is not JSON")]
    NotJson,
    /// JSON of another logger.
    #[error("the line is not of an access log")]
    NotAccess,
}

/// A request as a log tells it. Texts have no control characters; what the log does not know is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// The client.
    pub address: IpAddr,
    /// When, in milliseconds of the Unix epoch.
    pub time_ms: i64,
    /// Method; all of the request line when it is not one.
    pub method: Cow<'a, str>,
    /// The host that was asked, without port, where the format tells.
    pub host: Option<Cow<'a, str>>,
    /// Target of the request as sent.
    pub target: Cow<'a, str>,
    /// Status of the answer.
    pub status: u16,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Referring page.
    pub referrer: Cow<'a, str>,
    /// User agent.
    pub user_agent: Cow<'a, str>,
}

impl LogLine<'_> {
    /// Whether somebody saw a page: a GET that was answered by 2xx or 304 and whose path is not that of an asset.
    #[must_use]
    pub fn is_page_view(&self) -> bool {
        self.method == "GET" && matches!(self.status, 200..=299 | 304) && page::is_page(&self.target)
    }
}

/// Reads a line, with or without its line break.
///
/// # Errors
/// Why it is not a line of `format`.
pub fn parse(line: &[u8], format: Format) -> Result<LogLine<'_>, LineFault> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Err(LineFault::Empty);
    }
    if line.len() > MAX_LINE_BYTES {
        return Err(LineFault::TooLong);
    }
    match format {
        Format::Common => common::parse(line, false, false),
        Format::Combined => common::parse(line, false, true),
        Format::VhostCombined => common::parse(line, true, true),
        Format::Caddy => caddy::parse(line),
    }
}

/// The format of a log by its first lines: the one that most of them are written in, or nothing when none of them fits any.
#[must_use]
pub fn detect(lines: &[&[u8]]) -> Option<Format> {
    let fitting = |format: Format| lines.iter().filter(|line| parse(line, format).is_ok()).count();
    let mut best: Option<(Format, usize)> = None;
    for format in FORMATS {
        let count = fitting(format);
        if count > best.map_or(0, |(_, most)| most) {
            best = Some((format, count));
        }
    }
    best.map(|(format, _)| format)
}

/// An address as logs write it, also with a port or a zone.
fn address(text: &[u8]) -> Result<IpAddr, LineFault> {
    let text = std::str::from_utf8(text).or(Err(LineFault::Address))?.trim_end_matches(',');
    let bare = text.split('%').next().unwrap_or_default();
    bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip())).or(Err(LineFault::Address))
}

/// A host without its port, in lower case.
fn host_name(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let end = text.rfind(':').filter(|colon| !text.get(*colon..).is_some_and(|tail| tail.contains(']')));
    let name = text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim_end_matches('.');
    if name.is_empty() || name == "-" {
        return None;
    }
    let is_as_is = name.len() == text.len() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if is_as_is { text } else { Cow::Owned(name.to_ascii_lowercase()) })
}

/// A text of the log; `-` stands for nothing.
fn value(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = match text {
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(text) => Cow::Owned(clean(&text).into_owned()),
    };
    if text == "-" { Cow::Borrowed("") } else { text }
}

#[cfg(test)]
mod tests;
