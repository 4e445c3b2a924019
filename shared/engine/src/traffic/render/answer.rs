//! The `rtb` of an entry whose bids came from a real bidder: its answer as it was received.

use super::EntryRow;
use super::auction::{self, summary, text_or_null};
use super::json::Object;
use crate::traffic::auction::rtb::PreparedRtb;
use crate::traffic::bidder::{Stored, is_real};
use crate::traffic::pack::{AuctionRecord, EntryMode};
use crate::traffic::visitor::Profile;

/// Deepest nesting of an answer that is shown as JSON; readers give up at about 128, and the entry lies around it.
const MAX_DEPTH: usize = 64;

/// Whether a real bidder was asked.
pub(super) fn is_asked(row: &EntryRow<'_>) -> bool {
    let named = row.content.rtb.as_ref().is_some_and(|rtb| rtb.spec.bidder.is_some());
    named && row.entry.mode == EntryMode::Http
}

pub(super) fn write(
    inner: &mut Object<'_>,
    row: &EntryRow<'_>,
    rtb: &PreparedRtb,
    auction: &AuctionRecord,
    profile: &Profile<'_>,
) {
    let stored = row.blob.and_then(Stored::read);
    match &stored {
        Some((header, body)) => response(inner, header, body),
        None => inner.null("bid_response"),
    }
    let mut result = inner.object("auction");
    let winner = winner(row, rtb, auction);
    let floor = floor(row, rtb, auction, profile);
    let header = stored.map(|(header, _)| header);
    summary(&mut result, rtb, auction, winner.as_deref(), floor);
    result.flag("bidder_won", auction.outcome.is_won() && is_real(auction));
    if let Some(header) = header {
        text_or_null(&mut result, "imp", header.imp.as_deref());
        result.decimal("min_to_win", u64::from(header.min_to_win), 6);
        let mut reasons = result.array("loss_reasons");
        header.losses.iter().filter(|code| **code != 0).for_each(|code| reasons.whole(u64::from(*code)));
        reasons.end();
    } else {
        result.raw("loss_reasons", b"[]");
    }
    result.end();
}

/// The name of the seat that won, if one did.
pub(super) fn winner(row: &EntryRow<'_>, rtb: &PreparedRtb, auction: &AuctionRecord) -> Option<String> {
    if !auction.outcome.is_won() {
        return None;
    }
    if !is_real(auction) {
        return Some(rtb.seat(auction.seat).to_owned());
    }
    let header = row.blob.and_then(Stored::read).map(|(header, _)| header);
    header.and_then(|header| header.winner)
}

/// The floor that counted: it is stored with an answer, whose bid may be for any of the impressions.
pub(super) fn floor(row: &EntryRow<'_>, rtb: &PreparedRtb, auction: &AuctionRecord, profile: &Profile<'_>) -> u32 {
    let stored = row.blob.and_then(Stored::read);
    stored.map_or_else(|| auction::floor(rtb, auction, profile, row.key()), |(header, _)| header.floor)
}

/// The answer as JSON when it is whole and is some; else as a text, and how long it was.
fn response(inner: &mut Object<'_>, header: &Stored, body: &[u8]) {
    let whole = usize::try_from(header.bytes).is_ok_and(|bytes| bytes == body.len());
    if whole && is_plain_json(body) {
        compact(inner.key("bid_response"), body);
    } else {
        inner.null("bid_response");
        inner.text("bid_response_text", &String::from_utf8_lossy(body));
        inner.flag("bid_response_cut", !whole);
    }
    inner.whole("bid_response_bytes", u64::from(header.bytes));
}

/// Whether every reader of the entry can read this inside it. Grammar alone is not enough: half of a surrogate pair, a
/// number that fits no float, bytes that are no UTF-8 or an abyss of brackets would spoil the whole entry.
fn is_plain_json(body: &[u8]) -> bool {
    depth(body) <= MAX_DEPTH
        && std::str::from_utf8(body).is_ok()
        && serde_json::from_slice::<serde_json::Value>(body).is_ok()
}

/// How deep brackets are nested at most; those inside texts count too, which errs on the safe side.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in json {
        match byte {
            b'{' | b'[' => now += 1,
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// Valid JSON without the white space between its parts, so that an entry stays on one line.
fn compact(out: &mut Vec<u8>, json: &[u8]) {
    let (mut inside, mut escaped) = (false, false);
    for &byte in json {
        if !inside && byte.is_ascii_whitespace() {
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn white_space_goes_and_texts_stay() {
        let mut out = Vec::new();
        compact(&mut out, b"{ \"a b\\\" \" :\n [ 1 , \" \\\\\" ] }\r\n");
        assert_eq!(out, b"{\"a b\\\" \":[1,\" \\\\\"]}");
    }
}
