//! JSON for outside subscribers of a capture, on `tl.v1.live.capture.<id>`: after the commit it tells of, once a second
//! at the most, with a `seq` without gaps, as for campaigns.
//!
//! Types: `windows` (whole windows with the id of the first), `anomalies`, and `state` at the end of each pass.

use serde_json::{Value, json};

use super::Dispatch;
use crate::dispatch::live::{self, Last, LiveError};
use crate::store::captures::{CAPTURES, Capture};
use crate::windows;

/// Stands before a capture's id among the keys of live messages; no campaign's id has a dot.
pub(in crate::dispatch) const KEY: &str = "capture.";
/// Windows, or anomalies, in one message: with all their lists they stay below 1 MB.
const IN_MESSAGE: usize = 20;
/// Messages of one capture in one pass; the rest follows in the next.
const MESSAGES: usize = 50;

/// The key of a capture's messages.
pub(super) fn key(capture: &str) -> String {
    format!("{KEY}{capture}")
}

/// Publishes a capture's news; comes back with what was published last.
pub(in crate::dispatch) async fn tell(
    dispatch: &Dispatch,
    id: &str,
    last: Option<Last>,
) -> Result<Option<Last>, LiveError> {
    let key = key(id);
    let last = live::last_of(dispatch, &key, last).await?;
    let Some(capture) = CAPTURES.get(&dispatch.store, &id.to_owned())? else {
        return Ok(None);
    };
    let mut last = live::read_unless_known(dispatch, &key, last).await?;
    let mut more = false;
    for _ in 0..MESSAGES {
        let Some(message) = next(dispatch, &capture, &mut last)? else {
            more = false;
            break;
        };
        more = true;
        live::publish(dispatch, &key, &mut last, &message).await?;
    }
    if more {
        super::lock(&dispatch.touched).insert(key.clone());
    } else {
        let message = state(&capture, &last);
        live::publish(dispatch, &key, &mut last, &message).await?;
    }
    live::keep(dispatch, &key, last)
}

/// The next message of windows or anomalies, if there is one; `last` moves on with it.
fn next(dispatch: &Dispatch, capture: &Capture, last: &mut Last) -> Result<Option<Value>, LiveError> {
    let seq = last.seq + 1;
    if last.through < capture.windows {
        let first = last.through;
        let found = windows::windows(&dispatch.store, &dispatch.segments, &capture.id, first, IN_MESSAGE);
        let found = found.map_err(|error| LiveError::Windows(error.to_string()))?;
        if let Some((newest, _)) = found.last() {
            last.through = newest + 1;
            let windows: Vec<_> = found.iter().map(|(_, window)| window).collect();
            return Ok(Some(message(
                capture,
                last,
                seq,
                "windows",
                &json!({ "first_window": first, "windows": windows }),
            )));
        }
    }
    // A detection that replaced another may have found fewer.
    last.anomalies = last.anomalies.min(capture.anomalies);
    if last.anomalies < capture.anomalies {
        let found = windows::anomalies(&dispatch.store, capture, last.anomalies, IN_MESSAGE)?;
        if let Some((newest, _)) = found.last() {
            let first = last.anomalies;
            last.anomalies = newest + 1;
            let anomalies: Vec<_> = found.iter().map(|(_, anomaly)| anomaly).collect();
            let content = json!({ "first_anomaly": first, "anomalies": anomalies });
            return Ok(Some(message(capture, last, seq, "anomalies", &content)));
        }
    }
    Ok(None)
}

fn state(capture: &Capture, last: &Last) -> Value {
    let content = json!({
        "status": capture.state.as_str(),
        "reason": capture.reason,
        "windows": capture.windows,
        "anomalies": capture.anomalies,
        "packets": capture.progress.packets,
        "kernel_drops": capture.progress.kernel_drops,
        "app_drops": capture.progress.app_drops,
        "gaps": capture.gaps.len(),
    });
    message(capture, last, last.seq + 1, "state", &content)
}

/// What every message has, and its content. `through_sequence` counts the windows told.
fn message(capture: &Capture, last: &Last, seq: u64, kind: &str, content: &Value) -> Value {
    let mut message = json!({
        "v": 1,
        "type": kind,
        "seq": seq,
        "capture_id": capture.id,
        "through_sequence": last.through,
        "through_anomaly": last.anomalies,
    });
    if let (Some(all), Some(content)) = (message.as_object_mut(), content.as_object()) {
        all.extend(content.clone());
    }
    message
}
