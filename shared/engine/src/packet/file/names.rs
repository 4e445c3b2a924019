//! The name resolution block: nothing of it is used, but damage in it ends the file.

use super::options;
use super::order::Order;

/// Walks over the records of a block's body and the options behind them.
pub(super) fn check(body: &[u8], order: Order) -> Result<(), String> {
    let mut left = body;
    while !left.is_empty() {
        let Some((&[a, b, c, d], rest)) = left.split_first_chunk::<4>() else {
            return Err("a block of names ends in the middle of a record".to_owned());
        };
        let (kind, length) = (order.u16([a, b]), usize::from(order.u16([c, d])));
        let (Some(record), Some(after)) = (rest.get(..length), rest.get(length.next_multiple_of(4)..)) else {
            return Err(format!("a name's record of {length} bytes is longer than its block"));
        };
        let address = match kind {
            0 => return options::walk(rest, order, |_, _| Ok(())),
            1 => 4,
            2 => 16,
            _ => {
                left = after;
                continue;
            }
        };
        match record.get(address..) {
            None => return Err(format!("a name's record of {length} bytes is too short")),
            Some(names) if names.last().is_some_and(|&last| last != 0) => {
                return Err("a name has no end".to_owned());
            }
            Some(_) => left = after,
        }
    }
    Ok(())
}
