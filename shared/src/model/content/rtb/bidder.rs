//! The real bidder of `rtb_config`: where it is and whether it hears what became of its bids.

use super::super::fields::{Faults, ObjectReader};
use crate::target::{MAX_URL_BYTES, TargetUrl};
use serde::{Deserialize, Serialize};

/// Notices that a bid request may lead to on average: win, billing and a few losses. With them counted in,
/// `max_rate_per_target` holds whatever the bidder asks to be told.
pub const NOTICES_PER_REQUEST: usize = 4;

/// A real bidder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bidder {
    /// Where bid requests are posted.
    pub endpoint: String,
    /// Whether its win, billing and loss notices are really requested.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub notify: bool,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_yes(notify: &bool) -> bool {
    *notify
}

pub(super) fn read(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Option<Bidder> {
    let notify = reader.flag(&["notify"], faults).unwrap_or(true);
    let endpoint = reader.text(&["endpoint", "bidder_url"], MAX_URL_BYTES, faults)?;
    if let Err(error) = TargetUrl::parse(&endpoint) {
        faults.add(reader.path_of("endpoint"), error.to_string());
    } else if endpoint.contains("{{") {
        faults.add(reader.path_of("endpoint"), "takes no templates");
    }
    Some(Bidder { endpoint, notify })
}
