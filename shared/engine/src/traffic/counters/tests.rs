//! Counters add up in any order.

#![allow(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;
use trafficlab_shared::model::content::{ContentSpec, RtbSpec};

use super::*;
use crate::traffic::content::Content;
use crate::traffic::rng::EntryKey;
use crate::traffic::simulate::simulate_with_dims;

fn content() -> Content {
    let spec = ContentSpec { rtb: Some(RtbSpec::default()), ..ContentSpec::default() };
    Content::new(&spec).unwrap()
}

fn counted(seed: u64, count: u32) -> Counters {
    let content = content();
    let mut counters =
        Counters { scheduled: u64::from(count) + 3, dropped: 1, missed: 2, late: seed % 5, ..Counters::default() };
    for k in 0..count {
        let (entry, dims) = simulate_with_dims(&content, EntryKey { seed, shard: 0, slot: 0, k });
        counters.add_entry(&entry, &dims);
    }
    counters
}

fn sum(parts: &[&Counters]) -> Counters {
    let mut total = Counters::default();
    parts.iter().for_each(|part| total.merge(part));
    total
}

#[test]
fn every_dimension_sees_every_entry() {
    let counters = counted(5, 2_000);
    assert!(counters.balanced());
    for tally in [&counters.status, &counters.geo, &counters.device, &counters.ad_format, &counters.user_profile] {
        assert_eq!(tally.total(), 2_000);
    }
    let rtb = counters.rtb;
    assert_eq!(rtb.requests, rtb.no_bids + rtb.lost + rtb.impressions);
    assert!(rtb.impressions >= rtb.clicks && rtb.clicks >= rtb.conversions && rtb.clicks > 0);
    assert!(rtb.spend_micros() > 0 && rtb.bids > rtb.impressions);
    assert_eq!(counters.errors.total(), counters.status.get(0));
    assert!(counters.geo.distinct() == 1 && counters.device.distinct() > 40);
}

#[test]
fn an_unsorted_message_is_put_in_order() {
    let tally: Tally = serde_json::from_str("[[7,1],[3,2],[7,4],[9,0]]").unwrap();
    assert_eq!(tally.iter().collect::<Vec<_>>(), [(3, 2), (7, 5)]);
}

proptest! {
    #[test]
    fn order_and_grouping_do_not_matter(seeds in any::<[u64; 3]>(), counts in any::<[u8; 3]>()) {
        let [a, b, c] = [0, 1, 2].map(|part: usize| {
            let (seed, count) = (seeds.get(part).copied().unwrap(), counts.get(part).copied().unwrap());
            counted(seed, u32::from(count) % 40)
        });
        let all = sum(&[&a, &b, &c]);
        prop_assert_eq!(&all, &sum(&[&c, &a, &b]));
        prop_assert_eq!(&all, &sum(&[&a, &sum(&[&b, &c])]));
        prop_assert!(all.balanced());
        let bytes = rmp_serde::to_vec_named(&all).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<Counters>(&bytes).unwrap(), &all);
    }
}
