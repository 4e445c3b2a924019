//! Sites as they come, are kept and are counted.

#![allow(clippy::unwrap_used, reason = "test code")]

use trafficlab_shared::config::{Config, Purpose, Sources};

use super::*;

fn config(sites: &str) -> TrackerConfig {
    let text = format!("[tracker]\nsites = {sites}");
    let sources = Sources { flags: text.parse().unwrap(), ..Sources::default() };
    Config::load(&sources, Purpose::Print).unwrap().tracker
}

fn open(store: &Store, sites: &str) -> Sites {
    Sites::open(store, &config(sites)).unwrap()
}

#[test]
fn an_open_server_makes_sites_and_keeps_them() {
    let store = Store::in_memory().unwrap();
    let sites = open(&store, "[]");
    assert!(matches!(sites.admit("a.example"), Admission::Made(_)));
    assert!(matches!(sites.admit("a.example"), Admission::Known(_)));
    assert_eq!(sites.admit("no host"), Admission::Unknown);
    for number in 1..MOST_SITES {
        assert!(matches!(sites.admit(&format!("s{number}.example")), Admission::Made(_)));
    }
    assert_eq!(sites.admit("one-more.example"), Admission::TooMany);
    assert!(matches!(sites.admit("s7.example"), Admission::Known(_)));
    let again = open(&store, "[]");
    assert_eq!(again.all(), sites.all());
    assert_eq!(again.all().len(), MOST_SITES);
}

#[tokio::test]
async fn a_listed_server_takes_its_sites_and_those_added() {
    let store = Store::in_memory().unwrap();
    drop(open(&store, "[]").admit("seen.example"));
    let sites = open(&store, r#"["www.Shop.example"]"#);
    assert!(matches!(sites.admit("shop.example"), Admission::Known(_)));
    // A site that was seen before the list was made is still there to be read, but takes nothing more.
    assert_eq!(sites.admit("seen.example"), Admission::Unknown);
    assert!(sites.find("seen.example").is_some());
    assert_eq!(sites.admit("other.example"), Admission::Unknown);
    let added = Site { added: true, hash_routing: true, ..Site::new("other.example", 1) };
    sites.put(added.clone()).await.unwrap();
    assert_eq!(sites.admit("other.example"), Admission::Known(Arc::new(added)));
    assert!(sites.remove("other.example").await.unwrap());
    assert!(!sites.remove("other.example").await.unwrap());
    assert_eq!(open(&store, "[]").all().len(), 2);
}
