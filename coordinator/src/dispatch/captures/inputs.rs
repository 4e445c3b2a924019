//! Stored windows on their way to a job: packs with their length before each, u32 big endian.

use std::sync::Arc;

use tokio::io::{AsyncWriteExt, DuplexStream};
use trafficlab_shared::model::capture::window::Window;

use super::{CaptureFault, Dispatch, blocking};
use crate::packs;
use crate::store::StoreError;
use crate::store::captures::{Input, PackExtent, WINDOW_EXTENTS};

/// Extents read at once.
const EXTENTS: usize = 64;

/// Writes the windows of `input`, one pack in memory at a time.
pub(super) async fn write(dispatch: &Arc<Dispatch>, input: &Input, mut to: DuplexStream) -> Result<(), CaptureFault> {
    let mut from = 0;
    loop {
        let extents = extents(dispatch, input, from)?;
        let Some((last, _)) = extents.last() else {
            return to.shutdown().await.map_err(interrupted);
        };
        from = last.saturating_add(1);
        for (first, extent) in extents {
            let wanted = input.clone();
            let pack = blocking(dispatch, move |own| pack(own, &wanted, first, extent)).await?;
            if pack.is_empty() {
                continue;
            }
            let length = u32::try_from(pack.len()).map_err(interrupted)?;
            to.write_all(&length.to_be_bytes()).await.map_err(interrupted)?;
            to.write_all(&pack).await.map_err(interrupted)?;
        }
    }
}

fn interrupted(error: impl std::fmt::Display) -> CaptureFault {
    CaptureFault::Interrupted(error.to_string())
}

/// The next packs whose first window is `from` or later.
fn extents(dispatch: &Dispatch, input: &Input, from: u64) -> Result<Vec<(u64, PackExtent)>, StoreError> {
    let key = |id: u64| (input.capture.clone(), id);
    let rows = WINDOW_EXTENTS.range(&dispatch.store, &key(from), &key(input.windows), false);
    rows.take(EXTENTS).map(|row| row.map(|((_, first), extent)| (first, extent))).collect()
}

/// The windows of one pack that are wanted, as a pack; empty when none is.
fn pack(dispatch: &Dispatch, input: &Input, first: u64, extent: PackExtent) -> Result<Vec<u8>, CaptureFault> {
    let frame = dispatch.segments.read(extent.location)?;
    let inside = first + u64::from(extent.count) <= input.windows;
    if inside && input.from_ns.is_none() && input.to_ns.is_none() {
        return Ok(frame.payload);
    }
    let windows = packs::windows(&frame.payload).map_err(interrupted)?;
    let numbered = (first..input.windows).zip(windows).map(|(_, window)| window);
    let windows: Vec<Window> = numbered.filter(|window| wants(input, window)).collect();
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    Ok(packs::write_windows(&windows).to_vec())
}

fn wants(input: &Input, window: &Window) -> bool {
    input.from_ns.is_none_or(|from| window.start_ns >= from) && input.to_ns.is_none_or(|to| window.start_ns < to)
}
