//! Lines of logs and what they tell.
#![allow(clippy::unwrap_used, reason = "test code")]

use super::*;

const COMMON: &str = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#;
const COMBINED: &str = r#"192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET /blog/?p=1 HTTP/1.1" 200 5120 "https://www.google.com/" "Mozilla/5.0 (X11; Linux x86_64)""#;
const VHOST: &str =
    r#"WWW.Example.com:443 2001:db8::1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/2.0" 304 - "-" "curl/8.5.0""#;
const CADDY: &str = r#"{"level":"info","ts":1646861401.5241024,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.9","remote_port":"41342","client_ip":"192.0.2.9","proto":"HTTP/2.0","method":"GET","host":"localhost:2015","uri":"/docs?x=1","headers":{"User-Agent":["curl/7.82.0"],"Referer":["https://news.example/"],"Accept":["*/*"]}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":10900,"status":200,"resp_headers":{}}"#;

fn read(line: &str, format: Format) -> LogLine<'_> {
    parse(line.as_bytes(), format).unwrap()
}

#[test]
fn every_format_is_read() {
    let line = read(COMMON, Format::Common);
    assert_eq!((line.address.to_string().as_str(), line.time_ms, line.bytes), ("127.0.0.1", 971_211_336_000, 2326));
    assert_eq!((&*line.method, &*line.target, line.status, &line.host), ("GET", "/apache_pb.gif", 200, &None));
    let line = read(COMBINED, Format::Combined);
    assert_eq!((&*line.target, &*line.referrer), ("/blog/?p=1", "https://www.google.com/"));
    assert_eq!(line.user_agent, "Mozilla/5.0 (X11; Linux x86_64)");
    assert!(matches!(line.user_agent, Cow::Borrowed(_)));
    let line = read(VHOST, Format::VhostCombined);
    assert_eq!((line.host.as_deref(), line.address.to_string().as_str()), (Some("www.example.com"), "2001:db8::1"));
    assert_eq!((&*line.referrer, line.bytes, line.status), ("", 0, 304));
    let line = read(CADDY, Format::Caddy);
    assert_eq!((line.address.to_string().as_str(), line.time_ms), ("192.0.2.9", 1_646_861_401_524));
    assert_eq!((line.host.as_deref(), &*line.target, line.bytes), (Some("localhost"), "/docs?x=1", 10_900));
    assert_eq!((&*line.referrer, &*line.user_agent), ("https://news.example/", "curl/7.82.0"));
}

#[test]
fn escapes_of_both_servers_are_undone() {
    let line = r#"192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET /a\x22b HTTP/1.1" 200 1 "-" "an \"agent\" \\ \x1f\n\xC3\xBC" "extra" 0.003"#;
    let line = read(line, Format::Combined);
    assert_eq!((&*line.target, &*line.user_agent), ("/a\"b", "an \"agent\" \\ ü"));
}

#[test]
fn what_is_no_request_line_is_no_page_view() {
    for request in [r"\x16\x03\x01", "-", "", "GET", "quit"] {
        let line = format!(r#"192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "{request}" 400 0 "-" "-""#);
        assert!(!read(&line, Format::Combined).is_page_view(), "{request}");
    }
}

#[test]
fn page_views_are_told_from_the_rest() {
    let line = read(COMBINED, Format::Combined);
    assert!(line.is_page_view());
    assert!(read(VHOST, Format::VhostCombined).is_page_view(), "a page that the browser had already");
    assert!(!read(COMMON, Format::Common).is_page_view(), "an image");
    for (method, status) in [("POST", 200), ("HEAD", 200), ("GET", 301), ("GET", 404), ("GET", 500)] {
        assert!(!LogLine { method: method.into(), status, ..line.clone() }.is_page_view(), "{method} {status}");
    }
}

#[test]
fn formats_are_found_by_the_lines() {
    for (line, format) in
        [(COMMON, Format::Common), (COMBINED, Format::Combined), (VHOST, Format::VhostCombined), (CADDY, Format::Caddy)]
    {
        assert_eq!(detect(&[b"# a comment".as_slice(), line.as_bytes(), line.as_bytes()]), Some(format));
    }
    assert_eq!(detect(&[b"hello".as_slice()]), None);
    assert_eq!(detect(&[]), None);
}

#[test]
fn what_is_wrong_with_a_line_is_told() {
    let long = format!("{COMMON}{}", "x".repeat(MAX_LINE_BYTES));
    for (line, format, fault) in [
        (" \r\n", Format::Common, LineFault::Empty),
        (&*long, Format::Common, LineFault::TooLong),
        ("client.example - - [", Format::Common, LineFault::Address),
        ("192.0.2.1 - -", Format::Common, LineFault::Time),
        ("192.0.2.1 - - [22/Nov/2026] \"GET / HTTP/1.1\" 200 1", Format::Common, LineFault::Time),
        ("192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1", Format::Common, LineFault::Quotes),
        ("192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" abc 1", Format::Common, LineFault::Status),
        ("192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 999 1", Format::Common, LineFault::Status),
        (COMMON, Format::Combined, LineFault::Quotes),
        (COMMON, Format::Caddy, LineFault::NotJson),
        ("{\"level\":", Format::Caddy, LineFault::NotJson),
        ("{\"level\":\"info\",\"msg\":\"started\"}", Format::Caddy, LineFault::NotAccess),
        ("{\"logger\":\"http.log.access\",\"request\":{}}", Format::Caddy, LineFault::Address),
    ] {
        assert_eq!(parse(line.as_bytes(), format), Err(fault), "{line:.80}");
    }
}

#[test]
fn times_of_caddy_come_in_many_forms() {
    for ts in [
        "1646861401.524",
        "1646861401524.0",
        "1646861401524000000",
        "\"2022-03-09T21:30:01.524Z\"",
        "\"2022/03/09 21:30:01.524\"",
    ] {
        let line = CADDY.replace("1646861401.5241024", ts);
        assert_eq!(read(&line, Format::Caddy).time_ms, 1_646_861_401_524, "{ts}");
    }
}
