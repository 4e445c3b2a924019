//! Sessions have the lengths, think times and constancy that were asked for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use trafficlab_shared::model::content::{ContentSpec, PageSpec};

use super::*;
use crate::traffic::content::Content;

fn spec(think_time: f64, pages: f64, beat_s: u32) -> SessionsSpec {
    SessionsSpec { think_time, pages, beat_s, ..SessionsSpec::default() }
}

const fn key(slot: u32, k: u32) -> EntryKey {
    EntryKey { seed: 5, shard: 3, slot, k }
}

/// Visits by session: the slot and number of each page view, in the order of the arrivals.
fn sessions(spec: &SessionsSpec, arrivals: impl Iterator<Item = (u32, u32)>) -> Vec<Vec<(u32, u32)>> {
    let prepared = PreparedSessions::new(spec);
    let mut found: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
    for (slot, k) in arrivals {
        let visit = prepared.visit(key(slot, k));
        found.entry(visit.session_id()).or_default().push((slot, visit.page_number()));
    }
    found.into_values().collect()
}

fn dense(slots: u32, wide: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..slots).flat_map(move |slot| (0..wide).map(move |k| (slot, k)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

fn gaps(sessions: &[Vec<(u32, u32)>]) -> Vec<f64> {
    let pairs = sessions.iter().flat_map(|session| session.windows(2));
    pairs.map(|pair| f64::from(pair[1].0 - pair[0].0)).collect()
}

#[test]
fn lengths_and_think_times_are_those_asked_for() {
    for (think_time, pages) in [(8.0, 4.0), (1.0, 2.0), (2.5, 1.0), (3.2, 6.0), (30.0, 8.0), (8.0, 32.0)] {
        let found = sessions(&spec(think_time, pages, 1), dense(4_000, 40));
        for session in &found {
            let numbers: Vec<u32> = session.iter().map(|visit| visit.1).collect();
            assert!(numbers.iter().copied().eq(1..=u32::try_from(numbers.len()).unwrap()), "{numbers:?}");
        }
        // Sessions that the end of the run cuts off would only be shorter.
        let whole: Vec<&Vec<(u32, u32)>> = found.iter().filter(|session| session[0].0 < 2_500).collect();
        let lengths: Vec<f64> = whole.iter().map(|session| f64::from(session.last().unwrap().1)).collect();
        assert!((mean(&lengths) / pages - 1.0).abs() < 0.05, "{think_time} {pages}: {}", mean(&lengths));
        let gaps = gaps(&found);
        if pages > 1.0 {
            assert!((mean(&gaps) / think_time - 1.0).abs() < 0.03, "{think_time} {pages}: {}", mean(&gaps));
            let longest = 2.0 * (think_time * 1.6).ceil() + 1.0;
            assert!(gaps.iter().all(|gap| (1.0..=longest).contains(gap)));
        }
    }
}

#[test]
fn session_lengths_are_geometric() {
    let found = sessions(&spec(8.0, 4.0, 1), dense(6_000, 40));
    let whole: Vec<usize> = found.iter().filter(|session| session[0].0 < 4_000).map(Vec::len).collect();
    let count = f64::from(u32::try_from(whole.len()).unwrap());
    for pages in 1..=8_u32 {
        let having = whole.iter().filter(|length| u32::try_from(**length).unwrap() == pages).count();
        let share = f64::from(u32::try_from(having).unwrap()) / count;
        let expected = 0.25 * libm::pow(0.75, f64::from(pages - 1));
        assert!((share - expected).abs() < 0.02, "{pages}: {share} {expected}");
    }
}

#[test]
fn think_times_vary_from_visit_to_visit() {
    let found = sessions(&spec(8.0, 8.0, 1), dense(2_000, 1));
    let gaps = gaps(&found);
    let mean = mean(&gaps);
    let variance =
        gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / f64::from(u32::try_from(gaps.len()).unwrap());
    // The triangular distribution has (R² - 1) / 6, which is 10.5 for 8.
    assert!((7.8..8.2).contains(&mean) && (9.0..12.0).contains(&variance), "{mean} {variance}");
}

#[test]
fn rare_arrivals_have_sessions_too() {
    for (gap, think_time) in [(6.0, 8.0), (4.6, 8.0), (1.5, 8.0), (60.0, 8.0)] {
        let mut rare = spec(think_time, 4.0, 1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small rate")]
        rare.fit((60e6 / gap) as u64);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
        let slots = (0..3_000).map(|number| ((f64::from(number) * gap) as u32, 0));
        let found = sessions(&rare, slots);
        let lengths: Vec<f64> = found.iter().map(|session| f64::from(u32::try_from(session.len()).unwrap())).collect();
        // Beats are whole seconds, so that some of them stay empty.
        assert!((2.4..4.4).contains(&mean(&lengths)), "{gap}: {}", mean(&lengths));
        let expected = (think_time / gap).round().max(1.0) * gap;
        let gaps = gaps(&found);
        assert!((0.85..1.5).contains(&(mean(&gaps) / expected)), "{gap}: {} {expected}", mean(&gaps));
    }
}

/// Counts that come and go leave visits out in the last columns only.
#[test]
fn poisson_arrivals_lose_few_pages() {
    let spec = spec(8.0, 4.0, 1);
    let arrivals = (0..3_000).flat_map(|slot| {
        let mut stream = crate::traffic::rng::EntryRng::new(key(slot, 0), Domain::Arrivals);
        // A binomial count of 2 000 tries, which is close to Poisson's with a mean of 30.
        let count = (0..2_000).filter(|_| stream.below32(2_000) < 30).count();
        (0..u32::try_from(count).unwrap()).map(move |k| (slot, k))
    });
    let found = sessions(&spec, arrivals);
    let (mut pages, mut unseen) = (0, 0);
    for session in &found {
        pages += session.len();
        unseen += session.windows(2).filter(|pair| pair[1].1 > pair[0].1 + 1).count();
    }
    let gaps = gaps(&found);
    assert!(unseen * 12 < pages, "{unseen} of {pages}");
    assert!((mean(&gaps) / 8.0 - 1.0).abs() < 0.12, "{}", mean(&gaps));
}

fn content(pages: Vec<PageSpec>) -> Content {
    let sessions = SessionsSpec { paths: pages, ..spec(8.0, 4.0, 1) };
    let rtb = Some(trafficlab_shared::model::content::RtbSpec { ad_formats: [1.0; 4], ..Default::default() });
    Content::new(&ContentSpec { sessions: Some(sessions), rtb, ..ContentSpec::default() }).unwrap()
}

#[test]
fn a_session_is_one_person_on_one_site() {
    let content = content(Vec::new());
    let mut known: HashMap<u64, String> = HashMap::new();
    let (mut again, mut formats) = (0, [0_u32; 4]);
    for (slot, k) in dense(200, 20) {
        let profile = content.profile(key(slot, k));
        let dims = content.dims(key(slot, k));
        assert_eq!(profile.dims, dims);
        formats[usize::from(dims.ad_format)] += 1;
        let who = format!(
            "{} {} {} {} {:?} {} {} {}",
            profile.user_id,
            profile.ip,
            profile.language,
            profile.client.user_agent,
            profile.city,
            profile.longitude,
            profile.user_profile.name,
            match profile.place {
                crate::traffic::visitor::Place::Site(site, _) => site.domain,
                _ => "",
            }
        );
        match known.get(&profile.session_id) {
            Some(before) => {
                assert_eq!(before, &who);
                again += 1;
            }
            None => {
                known.insert(profile.session_id, who);
            }
        }
    }
    assert!(again > 2_500, "{again}");
    // Visitors stay, ads do not: 4 000 draws of four kinds.
    assert!(formats.iter().all(|count| (850..1_150).contains(count)), "{formats:?}");
}

/// The bid request names the page that the same visitor saw before.
#[test]
fn referrers_of_bid_requests_are_pages_that_were_seen() {
    for pages in [Vec::new(), vec![page("/a/{{random_int:1,999}}", 1.0, false)]] {
        let content = content(pages);
        let mut seen: HashMap<(u64, u32), String> = HashMap::new();
        let mut followed = 0;
        for (slot, k) in dense(100, 10) {
            let visit = content.profile(key(slot, k)).visit.unwrap();
            let mut out = Vec::new();
            assert!(crate::traffic::render::write_bid_request(&mut out, &content, key(slot, k), "r"));
            let request: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let Some(site) = request.get("site") else {
                continue;
            };
            if let Some(previous) = visit.previous() {
                let known = seen.get(&(visit.session_id(), previous.page_number()));
                assert_eq!(known.map(String::as_str), site["ref"].as_str());
                followed += 1;
            }
            seen.insert((visit.session_id(), visit.page_number()), site["page"].as_str().unwrap().to_owned());
        }
        assert!(followed > 200, "{followed}");
    }
}

fn page(path: &str, weight: f64, entry: bool) -> PageSpec {
    PageSpec { path: path.to_owned(), weight, entry }
}

#[test]
fn paths_lead_through_the_site() {
    let pages = vec![
        page("/", 1.0, true),
        page("/landing?c={{country}}&x=%20", 3.0, true),
        page("/product/{{random_int:1,500}}", 6.0, false),
        page("/in/{{city}}/{{page}}", 2.0, false),
    ];
    let content = content(pages);
    let mut seen: HashMap<(u64, u32), String> = HashMap::new();
    let (mut entries, mut referrers) = (0, 0);
    for (slot, k) in dense(300, 10) {
        let profile = content.profile(key(slot, k));
        let visit = profile.visit.unwrap();
        let mut path = Vec::new();
        assert!(visit.write_path(&mut path, &profile));
        let path = String::from_utf8(path).unwrap();
        assert!(path.starts_with('/') && !path.contains(['{', ' ']), "{path}");
        if visit.page_number() == 1 {
            entries += 1;
            assert!(path == "/" || path.starts_with("/landing?c=US"), "{path}");
            assert!(visit.previous().is_none());
        }
        if let Some(previous) = visit.previous() {
            let mut referrer = Vec::new();
            previous.write_path(&mut referrer, &profile);
            let known = seen.get(&(profile.session_id, previous.page_number()));
            assert_eq!(known.map(String::as_bytes), Some(referrer.as_slice()));
            referrers += 1;
        }
        seen.insert((profile.session_id, visit.page_number()), path);
    }
    assert!(entries > 500 && referrers > 1_500, "{entries} {referrers}");
    let products = seen.iter().filter(|((_, page), path)| *page > 1 && path.starts_with("/product/")).count();
    assert!((0.45..0.55).contains(&(products as f64 / f64::from(referrers))), "{products} of {referrers}");
}

proptest! {
    /// Any worker that goes on anywhere meets the same visitors: nothing but the key counts.
    #[test]
    fn every_visit_has_its_first(
        seed in any::<u64>(), shard in any::<u32>(), slot in any::<u32>(), k in any::<u32>(),
        think_time in 1.0f64..100.0, pages in 1.0f64..32.0, beat_s in 1_u32..20,
    ) {
        let prepared = PreparedSessions::new(&spec(think_time, pages, beat_s));
        let key = EntryKey { seed, shard, slot, k };
        let visit = prepared.visit(key);
        prop_assert!((1..=FRAME).contains(&visit.page_number()));
        let first = prepared.visit(visit.visitor());
        prop_assert_eq!(first.page_number(), 1);
        prop_assert_eq!(first.session_id(), visit.session_id());
        prop_assert!(visit.visitor().slot <= slot);
        prop_assert_eq!(visit.page_number() == 1, visit.visitor().slot / beat_s == slot / beat_s);
    }
}
