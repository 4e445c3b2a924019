//! Where a full request comes from and which laws hold: source, supply chain, regulations.

use super::Draft;
use super::consent::Privacy;
use crate::traffic::render::entry::quoted;
use crate::traffic::render::json::Object;
use crate::traffic::visitor::Place;

/// The exchange buys from the publisher itself (supply chain 1.0).
const DIRECT: &[u8] = br#"{"complete":1,"ver":"1.0","nodes":[{"asi":"exchange.example","sid":"trafficlab","hp":1,"name":"Test Publisher","domain":"publisher.example","ext":{"synthetic":1}}],"ext":{"synthetic":1}}"#;
/// A reseller stands in between.
const RESOLD: &[u8] = br#"{"complete":1,"ver":"1.0","nodes":[{"asi":"reseller.example","sid":"pub-77","rid":"r-1","hp":1,"name":"Test Publisher","domain":"publisher.example"},{"asi":"exchange.example","sid":"trafficlab","rid":"r-2","hp":1,"name":"Test Reseller","domain":"reseller.example"}],"ext":{"synthetic":1}}"#;

pub(super) fn write(request: &mut Object<'_>, draft: &mut Draft<'_>) {
    let resold = draft.once_in(4);
    let mut source = request.object("source");
    source.whole("fd", 1);
    quoted(source.key("tid"), |out| (draft.id)(out));
    source.text("pchain", "0000000000000001:trafficlab");
    source.raw("schain", if resold { RESOLD } else { DIRECT });
    source.raw("ext", br#"{"synthetic":1}"#);
    source.end();
    regulations(request, draft);
}

fn regulations(request: &mut Object<'_>, draft: &Draft<'_>) {
    let privacy = Privacy::of(draft.profile);
    let mut regs = request.object("regs");
    regs.whole("coppa", u64::from(privacy.coppa));
    regs.whole("gdpr", u64::from(privacy.gdpr));
    if matches!(draft.profile.place, Place::Dooh(_)) {
        regs.end();
        return;
    }
    if let Some(consent) = privacy.consent() {
        quoted(regs.key("gpp"), |out| {
            out.extend_from_slice(b"DBABMA~");
            out.extend_from_slice(consent.as_bytes());
        });
        regs.raw("gpp_sid", b"[2]");
    }
    if let Some(text) = privacy.us_privacy() {
        regs.text("us_privacy", text);
        quoted(regs.key("gpp"), |out| {
            out.extend_from_slice(b"DBABTA~");
            out.extend_from_slice(text.as_bytes());
        });
        regs.raw("gpp_sid", b"[6]");
    }
    regs.raw("ext", br#"{"synthetic":1}"#);
    regs.end();
}
