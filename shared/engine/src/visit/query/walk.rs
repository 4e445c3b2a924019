//! Every visitor of the data, one after the other, on several threads.

use super::effort::Effort;
use super::event::Event;
use super::gather::Gather;
use super::set::Prepared;
use super::spread::spread;
use crate::visit::data::{DataFault, SLICES};
use crate::visit::question::LeftOut;

/// Below this many rows a second thread costs more than it brings.
const ROWS_OF_A_THREAD: u64 = 20_000;

/// Shows every visitor's events, in the order of time, to `each` with the state of the thread that met the visitor.
/// The states come back in no order, with what was left out.
///
/// # Errors
/// `Stopped`, and what reading the data brings.
pub(super) fn walk<T: Send>(
    prepared: &Prepared<'_>,
    how: &Effort<'_>,
    make: impl Fn() -> T + Sync,
    each: impl Fn(&mut T, &Gather, &[Event]) + Sync,
) -> Result<(Vec<T>, LeftOut), DataFault> {
    let useful = usize::try_from(prepared.rows() / ROWS_OF_A_THREAD).unwrap_or(usize::MAX).saturating_add(1);
    let how = Effort { threads: how.threads.min(useful.try_into().unwrap_or(how.threads)), ..*how };
    let walked = spread(
        &how,
        SLICES,
        || (make(), Gather::default()),
        |(state, gather), number| {
            let Ok(slice) = u8::try_from(number) else { return Ok(()) };
            gather.load(prepared, slice)?;
            gather.visitors().for_each(|visitor| each(state, gather, visitor));
            Ok(())
        },
    )?;
    let left_out = walked.iter().fold(LeftOut::default(), |sum, (_, gather)| {
        let one = gather.left_out();
        LeftOut {
            bots: sum.bots + one.bots,
            synthetic: sum.synthetic + one.synthetic,
            unverified: sum.unverified + one.unverified,
        }
    });
    Ok((walked.into_iter().map(|(state, _)| state).collect(), left_out))
}
