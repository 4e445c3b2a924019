//! What `/test` tells of the auction: a sample of its documents, whether all are right, and the funnel.

use serde_json::{Value, json};
use trafficlab_engine::traffic::counters::RtbCounters;
use trafficlab_engine::traffic::openrtb::{Coverage, check_request, check_response};

use crate::systems::time::{float, ratio, round3};

/// Mistakes that are shown.
const SHOWN: usize = 10;

/// The documents of all entries against the tables of the standard.
pub(super) struct Checked {
    sample: Value,
    requests: usize,
    responses: usize,
    faults: Vec<String>,
    attributes: usize,
}

/// Checks the auctions among `entries`; none when nothing was auctioned.
pub(super) fn check(entries: &[Value]) -> Option<Checked> {
    let auctions = || entries.iter().filter_map(|entry| entry.get("rtb").filter(|rtb| !rtb.is_null()));
    let sold = |rtb: &&Value| rtb.pointer("/auction/winner").is_some_and(Value::is_string);
    let sample = auctions().find(sold).or_else(|| auctions().next())?.clone();
    let mut coverage = Coverage::default();
    let mut checked = Checked { sample, requests: 0, responses: 0, faults: Vec::new(), attributes: 0 };
    for rtb in auctions() {
        let request = rtb.get("bid_request").unwrap_or(&Value::Null);
        checked.faults.extend(check_request(request, &mut coverage));
        checked.requests += 1;
        if let Some(response) = rtb.get("bid_response").filter(|response| !response.is_null()) {
            checked.faults.extend(check_response(response, request, &mut coverage));
            checked.responses += 1;
        }
    }
    (checked.attributes, _) = coverage.counts();
    Some(checked)
}

impl Checked {
    /// Whether every document is right.
    pub(super) const fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// For people.
    pub(super) fn detail(&self) -> String {
        format!("{} requests and {} responses, {} mistakes", self.requests, self.responses, self.faults.len())
    }

    /// The member `rtb` of the answer.
    pub(super) fn view(&self, counters: &RtbCounters) -> Value {
        let share = |part: u64, whole: u64| round3(100.0 * ratio(float(part), float(whole)));
        json!({
            "bid_request": self.sample.get("bid_request"),
            "bid_response": self.sample.get("bid_response"),
            "auction": self.sample.get("auction"),
            "validation": {
                "valid": self.is_valid(),
                "standard": "OpenRTB 2.6",
                "requests": self.requests,
                "responses": self.responses,
                "attributes_used": self.attributes,
                "faults": self.faults.iter().take(SHOWN).collect::<Vec<_>>(),
            },
            "funnel": {
                "requests": counters.requests,
                "bids": counters.bids,
                "no_bids": counters.no_bids,
                "lost": counters.lost,
                "impressions": counters.impressions,
                "clicks": counters.clicks,
                "conversions": counters.conversions,
                "fill_rate": share(counters.impressions, counters.requests),
                "click_rate": share(counters.clicks, counters.impressions),
                "conversion_rate": share(counters.conversions, counters.clicks),
                "spend": float(counters.spend_micros()) / 1e6,
            },
        })
    }
}
