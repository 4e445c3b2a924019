//! The flows of a capture: one table for conversations (outermost headers) and streams (innermost TCP), so that an
//! untunnelled packet is looked up once.

mod key;
mod slab;
mod table;

pub(crate) use key::Key;
pub(crate) use table::{Flow, Found, Roles, Table, Totals};
