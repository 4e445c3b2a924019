//! Options of pcapng blocks: the few that matter, and the checks whose failure makes a file damaged.

use super::order::Order;

/// Codes that blocks of all kinds share and that carry a number of an enterprise.
const CUSTOM: [u16; 4] = [2988, 2989, 19372, 19373];

/// Walks over the options in `bytes`, which is all that is left of a block; `each` sees code and value and says whether the value is sound.
pub(super) fn walk(
    bytes: &[u8],
    order: Order,
    mut each: impl FnMut(u16, &[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let mut left = bytes;
    while !left.is_empty() {
        let Some((&[a, b, c, d], rest)) = left.split_first_chunk::<4>() else {
            return Err("a block ends in the middle of an option".to_owned());
        };
        let (code, length) = (order.u16([a, b]), order.u16([c, d]));
        let length = usize::from(length);
        let (Some(value), Some(after)) = (rest.get(..length), rest.get(length.next_multiple_of(4)..)) else {
            return Err(format!("an option of {length} bytes is longer than its block"));
        };
        match code {
            0 => return Ok(()),
            code if CUSTOM.contains(&code) && length < 4 => {
                return Err(format!("a custom option of {length} bytes is too short"));
            }
            code => each(code, value)?,
        }
        left = after;
    }
    Ok(())
}

/// Checks the value of a packet's option: code and length must fit.
pub(super) fn of_packet(code: u16, value: &[u8]) -> Result<(), String> {
    let sound = match code {
        2 | 6 => value.len() == 4,
        4 | 5 => value.len() == 8,
        7 => match value.first() {
            None => false,
            Some(1 | 2) => value.len() == 9,
            Some(_) => true,
        },
        _ => true,
    };
    if sound { Ok(()) } else { Err(format!("a packet's option {code} has {} bytes", value.len())) }
}
