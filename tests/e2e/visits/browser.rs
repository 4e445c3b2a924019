//! A browser on a page of another host: Plausible's own package as published, and our script.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::tracker;
use crate::harness::{Api, Browser, Cluster, Pages, browser, plausible_package, soon};

const ARRIVAL: &str = "?utm_source=letter&utm_campaign=autumn";

/// What Plausible's documentation tells people to write, with the API's address of ours.
const PLAUSIBLE_PAGE: &str = r#"<!doctype html><title>A shop</title>
<a id="out" href="http://elsewhere.test:PORT/landing">elsewhere</a>
<script type="module">
import Plausible from '/package/build/module/index';
const { trackEvent, trackPageview, enableAutoPageviews, enableAutoOutboundTracking } =
  Plausible({ domain: 'shop.test', apiHost: 'API' });
ANSWERED
enableAutoPageviews();
await answered(1);
history.pushState({}, '', '/cart');
await answered(2);
history.back();
await answered(3);
trackPageview({ url: location.origin + '/manual' });
await answered(4);
await new Promise((callback) => trackEvent('Signup', { props: { plan: 'pro', seats: 3 }, callback }));
enableAutoOutboundTracking();
document.getElementById('out').click();
</script>"#;

/// Our own script with nothing but its documented attributes and calls.
const OWN_PAGE: &str = r#"<!doctype html><title>A shop</title>
<a id="out" href="http://elsewhere.test:PORT/landing">elsewhere</a>
<script>
// Counted here, since the events of this script were not found among the page's resource timings in time. Why is not
// known; perhaps because the script does not read the answers' bodies.
let answers = 0;
const before = window.fetch;
window.fetch = (...given) => before(...given).then((answer) => { answers += answer.status === 202; return answer; });
const answered = async (count) => { while (answers < count) await new Promise((later) => setTimeout(later, 10)); };
window.plausible = window.plausible || function () { (plausible.q = plausible.q || []).push(arguments); };
plausible('Queued', { props: { early: 'yes' } });
</script>
<script defer data-domain="shop.test" src="API/t.js"></script>
<script>
addEventListener('load', async () => {
  await answered(2);
  history.pushState({}, '', '/cart');
  window.trafficlab('Signup', { props: { plan: 'pro', seats: 3 } });
  await answered(4);
  document.getElementById('out').click();
});
</script>"#;

/// Waits in the page until the server has answered so many events, so that they are in order.
const ANSWERED: &str = "const answered = async (count) => {
  const events = () => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/event'));
  while (events().length < count) await new Promise((later) => setTimeout(later, 10));
};";

/// A file of the package, under the name its own modules use: without the ending.
fn file_of(package: &Path, path: &str) -> Option<String> {
    std::fs::read_to_string(package.join(format!("{}.js", path.strip_prefix("/package/")?))).ok()
}

/// Answers of a shop with one page for every path; nothing under `/landing`, and files of the package.
async fn shop(page: &'static str, api: &Api, package: Option<&Path>) -> Pages {
    let (api, package) = (api.base.clone(), package.map(Path::to_owned));
    let port = std::sync::Arc::new(std::sync::OnceLock::<u16>::new());
    let known = std::sync::Arc::clone(&port);
    let pages = Pages::serve(move |path| match path {
        "/" => {
            let port = known.get()?.to_string();
            Some(("text/html", page.replace("ANSWERED", ANSWERED).replace("API", &api).replace("PORT", &port)))
        }
        _ => Some(("text/javascript", file_of(package.as_deref()?, path)?)),
    })
    .await;
    port.set(pages.port).unwrap();
    pages
}

/// How often each value of a property was seen on the shop's site.
async fn counts(api: &Api, property: &str, metric: &str) -> BTreeMap<String, u64> {
    let path = format!("/api/visits/breakdown?site_id=shop.test&period=all&property={property}&metrics={metric}");
    let answer = api.get(&path).await;
    if answer.status == 404 {
        // The site is made by its first visit.
        return BTreeMap::new();
    }
    let row = |row: &Value| {
        let name = row.as_object().unwrap().iter().find(|(key, _)| *key != metric).unwrap().1;
        (name.as_str().unwrap().to_owned(), row[metric].as_u64().unwrap())
    };
    answer.expect(200)["results"].as_array().unwrap().iter().map(row).collect()
}

async fn must_be(api: &Api, property: &str, metric: &str, wanted: &[(&str, u64)]) {
    let wanted: BTreeMap<String, u64> = wanted.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(counts(api, property, metric).await, wanted, "{property} by {metric}");
}

/// Waits for the outbound link, which the pages click last, and for everything before it.
async fn arrived(api: &Api, wanted: &[(&str, u64)]) {
    let mut last = BTreeMap::new();
    let all: u64 = wanted.iter().map(|(_, count)| count).sum();
    let what = format!("{wanted:?} of the browser");
    let look = async || {
        last = counts(api, "event:name", "events").await;
        (last.values().sum::<u64>() >= all).then_some(())
    };
    soon(&what, look).await;
    must_be(api, "event:name", "events", wanted).await;
}

/// What both pages have in common: one visitor of a desktop browser who came by a letter, and the props of their calls.
async fn one_visitor(cluster: &Cluster, pages: &Pages, views: u64, events: u64) {
    let api = &cluster.api;
    let metrics = "visitors,visits,pageviews,events,bounce_rate";
    let path = format!("/api/visits/aggregate?site_id=shop.test&period=all&metrics={metrics}");
    let figures = api.get(&path).await.expect(200);
    for (metric, value) in
        [("visitors", 1), ("visits", 1), ("pageviews", views), ("events", events), ("bounce_rate", 0)]
    {
        assert_eq!(figures["results"][metric]["value"].as_f64(), Some(json!(value).as_f64().unwrap()), "{figures}");
    }
    for (property, value) in [
        ("visit:utm_source", "letter"),
        ("visit:utm_campaign", "autumn"),
        ("visit:entry_page", "/"),
        ("visit:browser", "Chrome"),
        ("visit:os", "Linux"),
        ("visit:device", "Desktop"),
    ] {
        must_be(api, property, "visits", &[(value, 1)]).await;
    }
    must_be(api, "event:props:plan", "events", &[("pro", 1)]).await;
    must_be(api, "event:props:seats", "events", &[("3", 1)]).await;
    must_be(api, "event:props:url", "events", &[(&format!("http://elsewhere.test:{}/landing", pages.port), 1)]).await;
    let stats = api.get("/stats").await.expect(200);
    assert_eq!((&stats["total_visits"], &stats["bot_visits"]), (&json!(events), &json!(0)));
}

#[tokio::test]
async fn plausibles_own_package_works_as_it_is() {
    let (Some(program), Some(package)) = (browser(), plausible_package()) else { return };
    let cluster = tracker(&[]).await;
    let pages = shop(PLAUSIBLE_PAGE, &cluster.api, Some(&package)).await;
    let _open = Browser::open(&program, &format!("http://shop.test:{}/{ARRIVAL}", pages.port));
    arrived(&cluster.api, &[("pageview", 4), ("Signup", 1), ("Outbound Link: Click", 1)]).await;
    must_be(&cluster.api, "event:page", "pageviews", &[("/", 2), ("/cart", 1), ("/manual", 1)]).await;
    one_visitor(&cluster, &pages, 4, 6).await;
}

#[tokio::test]
async fn our_script_sees_pages_navigation_links_and_events() {
    let Some(program) = browser() else { return };
    let cluster = tracker(&[]).await;
    let pages = shop(OWN_PAGE, &cluster.api, None).await;
    let _open = Browser::open(&program, &format!("http://shop.test:{}/{ARRIVAL}", pages.port));
    arrived(&cluster.api, &[("pageview", 2), ("Queued", 1), ("Signup", 1), ("Outbound Link: Click", 1)]).await;
    must_be(&cluster.api, "event:page", "pageviews", &[("/", 1), ("/cart", 1)]).await;
    must_be(&cluster.api, "event:props:early", "events", &[("yes", 1)]).await;
    one_visitor(&cluster, &pages, 2, 5).await;
}
