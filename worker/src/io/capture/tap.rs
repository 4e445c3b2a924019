//! An open interface: how it is set up, and what its refusals mean.

use pcap::{Active, Capture, Error, Precision};
use trafficlab_engine::packet::raw::LinkType;
use trafficlab_shared::model::capture::work::LiveSpec;

use super::CaptureFault;

/// Ring between the kernel and us: no drops at 250 000 packets/s and more.
const RING: i32 = 64 * 1024 * 1024;
/// The kernel gathers packets for this long at the most: five times fewer wake-ups than one by one.
const GATHER_MS: i32 = 100;
/// What the headers of a packet need: a VXLAN tunnel over IPv6 with full TCP options inside has 184 bytes.
pub(crate) const HEADER_BYTES: u32 = 192;
/// The longest packet libpcap hands out; `lo` has frames of 62 530 bytes and more.
const ANY_BYTES: u32 = 262_144;
/// libpcap's name for all interfaces together, which knows no promiscuous mode.
const ANY: &str = "any";

/// An open interface.
pub(crate) struct Tap {
    pub(super) capture: Capture<Active>,
    /// What its packets begin with.
    pub(crate) link: LinkType,
    /// Bytes taken of each packet at the most.
    pub(crate) snap_length: u32,
    pub(super) interface: String,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Tap").field("interface", &self.interface).field("link", &self.link).finish_non_exhaustive()
    }
}

impl Tap {
    /// Opens an interface as asked.
    ///
    /// # Errors
    /// A sentence that says what to do: no such interface, no right to capture, a filter that is wrong.
    pub(crate) fn open(live: &LiveSpec) -> Result<Self, CaptureFault> {
        let name = live.interface.as_str();
        let refused = |error: &Error| refusal(name, &text(error));
        let snap_length = snap_length(live);
        let capture = Capture::from_device(name)
            .map_err(|error| refused(&error))?
            .promisc(live.promiscuous && name != ANY)
            .immediate_mode(live.immediate)
            .timeout(GATHER_MS)
            .buffer_size(RING)
            .precision(Precision::Nano)
            .snaplen(i32::try_from(snap_length).unwrap_or(i32::MAX))
            .open()
            .map_err(|error| refused(&error))?;
        // The timeout above is none for reading: with a filter that matches nothing a read would block for ever.
        let mut capture = capture.setnonblock().map_err(|error| refused(&error))?;
        if !live.filter.is_empty() {
            capture
                .filter(&live.filter, true)
                .map_err(|error| CaptureFault(format!("filter `{}` is wrong: {}", live.filter, text(&error))))?;
        }
        let link = LinkType(u16::try_from(capture.get_datalink().0 & 0xffff).unwrap_or_default());
        Ok(Self { capture, link, snap_length, interface: name.to_owned() })
    }
}

/// Bytes taken of each packet: headers only, unless payload is asked for.
fn snap_length(live: &LiveSpec) -> u32 {
    let most = if live.payload { ANY_BYTES } else { HEADER_BYTES };
    if live.snap_length == 0 { most } else { live.snap_length.min(most) }
}

/// What libpcap says, on one line.
pub(super) fn text(error: &Error) -> String {
    let text = match error {
        Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A sentence for people that says what to do.
fn refusal(interface: &str, said: &str) -> CaptureFault {
    let said_low = said.to_lowercase();
    if said_low.contains("operation not permitted") || said_low.contains("permission") {
        let program =
            std::env::current_exe().map_or_else(|_| "trafficlab-worker".into(), |path| path.display().to_string());
        return CaptureFault(format!(
            "Operation not permitted: the worker has no right to capture on `{interface}`; \
             give it by `setcap cap_net_raw+ep {program}` and start it again"
        ));
    }
    if said_low.contains("no such device") || said_low.contains("doesn't exist") {
        return CaptureFault(format!("interface `{interface}` does not exist on the worker's host"));
    }
    CaptureFault(format!("interface `{interface}` cannot be captured on: {said}"))
}

/// A sentence for an error that comes while packets are taken.
pub(super) fn breakdown(interface: &str, error: &Error) -> CaptureFault {
    let said = text(error);
    let low = said.to_lowercase();
    // Linux says "The interface disappeared" when it is removed and "went down" when it is set down.
    if low.contains("disappeared") || low.contains("no such device") || low.contains("enxio") {
        return CaptureFault(format!("The interface disappeared: `{interface}`"));
    }
    if low.contains("went down") || low.contains("network is down") {
        return CaptureFault(format!("interface `{interface}` went down"));
    }
    CaptureFault(format!("interface `{interface}` cannot be read any more: {said}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;

    #[test]
    fn only_headers_are_taken_unless_payload_is_asked_for() {
        let live = |snap_length, payload| LiveSpec { snap_length, payload, ..LiveSpec::default() };
        assert_eq!(snap_length(&live(0, false)), HEADER_BYTES);
        assert_eq!(snap_length(&live(1500, false)), HEADER_BYTES);
        assert_eq!(snap_length(&live(64, false)), 64);
        assert_eq!(snap_length(&live(0, true)), ANY_BYTES);
        assert_eq!(snap_length(&live(1500, true)), 1500);
    }

    #[test]
    fn refusals_say_what_to_do() {
        let said = "eth0: You don't have permission to capture on that device (socket: Operation not permitted)";
        let refused = refusal("eth0", said).0;
        assert!(
            refused.contains("Operation not permitted") && refused.contains("setcap cap_net_raw+ep /"),
            "{refused}"
        );
        let unknown = refusal("x9", "x9: No such device exists (SIOCGIFHWADDR: No such device)").0;
        assert_eq!(unknown, "interface `x9` does not exist on the worker's host");
        let gone = breakdown("x9", &Error::PcapError("The interface disappeared".into())).0;
        assert_eq!(gone, "The interface disappeared: `x9`");
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let live = LiveSpec { interface: "tl-none-9".into(), ..LiveSpec::default() };
        let fault = Tap::open(&live).unwrap_err().0;
        assert!(fault.contains("tl-none-9"), "{fault}");
    }
}
