//! What requests say of their visitors.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use serde_json::{Value, json};
use trafficlab_shared::model::content::{ContentInput, ContentSpec};
use trafficlab_shared::template::{Part, Template};

use super::*;

fn content(config: &Value) -> Arc<Content> {
    let geo = json!(["Germany"]);
    let input = ContentInput { geo_locations: Some(&geo), config: Some(config), ..ContentInput::default() };
    Arc::new(Content::new(&ContentSpec::parse(&input).unwrap()).unwrap())
}

fn visitor(config: &Value, url: &str) -> Visitor {
    Visitor::new(content(config), 9, 1).with_target(&TargetUrl::parse(url).unwrap(), "GET")
}

const fn ticket(slot: u32, k: u32) -> Ticket {
    Ticket { slot, k, due_ns: 0 }
}

fn headers(visitor: &Visitor, ticket: Ticket) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut sink = HeaderSink::new(&mut out, &[]);
    visitor.headers(ticket, &mut sink);
    assert!(sink.is_safe());
    let text = String::from_utf8(out).unwrap();
    let line = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap();
    text.lines().map(line).collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
}

fn value(visitor: &Visitor, template: &str, ticket: Ticket) -> String {
    let template = Template::parse(template).unwrap();
    let mut out = Vec::new();
    for part in template.parts() {
        match part {
            Part::Text(text) => out.extend_from_slice(text.as_bytes()),
            Part::Variable(variable) => visitor.variable(*variable, ticket, &mut out),
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn headers_are_those_of_one_browser() {
    let visitor = visitor(&json!({}), "http://127.0.0.1:9000/");
    let mut hinted = 0;
    for k in 0..300 {
        let found = headers(&visitor, ticket(0, k));
        let agent = header(&found, "User-Agent").unwrap();
        assert_eq!(agent, value(&visitor, "{{user_agent}}", ticket(0, k)));
        assert_eq!(header(&found, "Accept-Language"), Some("de-DE,de;q=0.9,en;q=0.8"));
        assert!(header(&found, "Accept").is_some());
        if let Some(mobile) = header(&found, "Sec-CH-UA-Mobile") {
            assert!(agent.contains("Chrome/"), "{agent}");
            // Sticks for televisions call themselves mobile in their user agent only.
            assert!(mobile == "?0" || agent.contains("Mobile"), "{agent}");
            assert!(header(&found, "Sec-CH-UA").is_some() && header(&found, "Sec-CH-UA-Platform").is_some());
            hinted += 1;
        }
    }
    assert!((100..250).contains(&hinted), "{hinted}");
}

#[test]
fn client_hints_stay_off_the_open_network_without_tls() {
    for (url, hints) in [("http://shop.example/", false), ("https://shop.example/", true), ("http://[::1]:8/", true)] {
        let visitor = visitor(&json!({}), url);
        let any = (0..100).any(|k| header(&headers(&visitor, ticket(0, k)), "Sec-CH-UA").is_some());
        assert_eq!(any, hints, "{url}");
    }
    let posted = Visitor::new(content(&json!({})), 9, 1)
        .with_target(&TargetUrl::parse("https://shop.example/").unwrap(), "POST");
    assert_eq!(header(&headers(&posted, ticket(0, 0)), "Accept"), Some("*/*"));
}

#[test]
fn pages_follow_each_other() {
    let config =
        json!({"sessions": {"think_time": 2, "paths": [{"path": "/", "entry": true}, "/p/{{random_int:1,999}}"]}});
    let visitor = visitor(&config, "http://127.0.0.1:9000/");
    let mut last = std::collections::HashMap::new();
    let mut followed = 0;
    for slot in 0..60 {
        for k in 0..4 {
            let at = ticket(slot, k);
            let mut path = Vec::new();
            assert!(visitor.path(at, &mut path));
            let path = String::from_utf8(path).unwrap();
            assert_eq!(value(&visitor, "{{path}}", at), path);
            let session = value(&visitor, "{{session_id}}/{{user_id}}", at);
            let referer = header(&headers(&visitor, at), "Referer").map(str::to_owned);
            assert_eq!(value(&visitor, "{{referer}}", at), referer.clone().unwrap_or_default());
            let page = value(&visitor, "{{page}}", at);
            assert_eq!(page == "1", referer.is_none());
            assert!(page != "1" || path == "/");
            if let Some(referer) = referer {
                assert_eq!(last.get(&session), Some(&referer));
                followed += 1;
            }
            last.insert(session, format!("http://127.0.0.1:9000{path}"));
        }
    }
    assert!(followed > 100, "{followed}");
}

#[test]
fn a_target_with_a_path_keeps_it() {
    let config = json!({"sessions": {"paths": ["/a"]}});
    let kept = visitor(&config, "http://127.0.0.1:9000/own?x=1");
    assert!(!kept.path(ticket(0, 0), &mut Vec::new()));
    assert_eq!(value(&kept, "{{path}}{{referer}}", ticket(9, 0)), "/own?x=1");
    let plain = visitor(&json!({}), "http://127.0.0.1:9000/");
    assert!(!plain.path(ticket(0, 0), &mut Vec::new()));
    assert_eq!(value(&plain, "{{path}} {{page}}", ticket(0, 0)), "/ 1");
}

#[test]
fn fields_of_the_visitor_fill_templates() {
    let visitor = visitor(&json!({}), "http://127.0.0.1:9000/");
    for k in 0..50 {
        let at = ticket(3, k);
        let text = value(&visitor, "{{timezone_offset}} {{screen_width}} {{screen_height}} {{user_id}}", at);
        let parts: Vec<&str> = text.split(' ').collect();
        assert_eq!(parts[0], "60");
        assert!(parts[1..3].iter().all(|side| (300..4_000).contains(&side.parse::<u32>().unwrap())), "{text}");
        assert_eq!(parts[3].len(), 16);
        for name in ["device_make", "device_model", "os", "os_version", "region", "city", "browser", "user_profile"] {
            assert!(!value(&visitor, &format!("{{{{{name}}}}}"), at).is_empty(), "{name}");
        }
    }
}

#[test]
fn one_request_takes_one_row() {
    let texts = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
    let rows = vec![texts(&["ann", "1"]), texts(&["bob", "2"])];
    let table = Arc::new(CsvTable::new(texts(&["user", "pin"]), rows).unwrap());
    let one = visitor(&json!({}), "http://127.0.0.1:9000/").with_table(Arc::clone(&table));
    let other = visitor(&json!({}), "http://127.0.0.1:9000/").with_table(table);
    let row = |visitor: &Visitor, k| value(visitor, "{{csv:user}}{{csv:pin}}{{csv:none}}", ticket(0, k));
    assert_eq!([row(&one, 0), row(&one, 1), row(&one, 2)], ["ann1", "bob2", "ann1"]);
    // Threads share the count.
    assert_eq!(row(&other, 0), "bob2");
}
