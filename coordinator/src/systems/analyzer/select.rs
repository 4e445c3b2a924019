//! Which capture a request is about: the one it names, or the newest that has something to say.

use crate::store::Store;
use crate::store::captures::{CAPTURES, Capture, CaptureState, REMOVALS};
use crate::systems::{Fault, Outcome};

/// The capture with this id.
///
/// # Errors
/// 404.
pub fn capture(store: &Store, id: &str) -> Outcome<Capture> {
    let unknown = || {
        let shown: String = id.chars().take(64).collect();
        Fault::not_found("Capture not found").with("capture_id", shown)
    };
    if id.len() > 64 || REMOVALS.contains(store, &id.to_owned())? {
        return Err(unknown());
    }
    CAPTURES.get(store, &id.to_owned())?.ok_or_else(unknown)
}

/// All captures, newest first.
///
/// # Errors
/// When the store fails.
pub fn newest_first(store: &Store) -> impl Iterator<Item = Outcome<Capture>> + '_ {
    let kept = |id: &String| REMOVALS.contains(store, id).map(|removed| !removed);
    CAPTURES.scan(store, true).filter_map(move |row| match row.and_then(|(id, capture)| Ok((kept(&id)?, capture))) {
        Ok((true, capture)) => Some(Ok(capture)),
        Ok((false, _)) => None,
        Err(error) => Some(Err(Fault::from(error))),
    })
}

/// The newest capture that is done or live.
///
/// # Errors
/// When the store fails.
pub fn latest(store: &Store) -> Outcome<Option<Capture>> {
    newest_first(store).find(|capture| capture.as_ref().map_or(true, is_readable)).transpose()
}

/// The capture that a reading request is about: the one it names, else the latest; none when there is none.
///
/// # Errors
/// 404 for an unknown id, 409 for a file that is not analysed yet.
pub fn readable(store: &Store, id: Option<&str>) -> Outcome<Option<Capture>> {
    let Some(id) = id else {
        return latest(store);
    };
    let found = capture(store, id)?;
    if !found.state.is_over() && !found.source.is_live() {
        let message = format!("Capture `{}` is {}; its results come when it is done", found.id, status(&found));
        let refused = Fault::conflict(message).with("capture_id", found.id.clone()).with("status", status(&found));
        return Err(refused.with("progress", percent(&found)));
    }
    Ok(Some(found))
}

/// The newest live capture that has begun.
///
/// # Errors
/// When the store fails.
pub fn latest_live(store: &Store) -> Outcome<Option<Capture>> {
    let wanted = |capture: &Capture| capture.source.is_live() && is_readable(capture);
    newest_first(store).find(|capture| capture.as_ref().map_or(true, wanted)).transpose()
}

/// The live capture that is not over.
///
/// # Errors
/// When the store fails.
pub fn active_live(store: &Store) -> Outcome<Option<Capture>> {
    let wanted = |capture: &Capture| capture.source.is_live() && !capture.state.is_over();
    newest_first(store).find(|capture| capture.as_ref().map_or(true, wanted)).transpose()
}

/// Whether it counts as the latest: done, or live and begun. A live one that failed counts when it captured something.
fn is_readable(capture: &Capture) -> bool {
    let begun = capture.started_ns.is_some() && (!capture.state.is_over() || capture.windows > 0);
    capture.state == CaptureState::Done || capture.source.is_live() && begun
}

/// Whether more windows will come.
#[must_use]
pub fn is_partial(capture: &Capture) -> bool {
    !capture.state.is_over()
}

/// The word of the API for where it stands: `queued`, `running`, `done` or `failed`.
#[must_use]
pub fn status(capture: &Capture) -> &'static str {
    match capture.state {
        // What was captured until the stop is whole; a file that was stopped was not analysed.
        CaptureState::Stopped if capture.source.is_live() => CaptureState::Done.as_str(),
        CaptureState::Stopped => CaptureState::Failed.as_str(),
        state => state.as_str(),
    }
}

/// How far the analysis is, in percent; null for a live capture.
#[must_use]
pub fn percent(capture: &Capture) -> Option<f64> {
    use crate::systems::time::{float, ratio, round3};
    if capture.source.is_live() {
        return None;
    }
    if capture.state == CaptureState::Done {
        return Some(100.0);
    }
    let share = ratio(float(capture.progress.bytes), float(capture.progress.of_bytes));
    Some(round3(share.min(1.0) * 100.0))
}
